"""What happens on the line while it is disturbed: clients' lives, each a chain of commands, many at a time.

Half of the sales lie in the month before this one, so that its close has something to race with.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from talk import Refusal, Talk

LINE = "north"
SCOUTS, HUNTERS, FARMERS = ("ana", "abe"), ("boris", "bea"), ("dina", "dan")
TEAMS = {"lead-gen": SCOUTS, "conversion": HUNTERS, "account-mgmt": FARMERS}
PLANS: dict[str, dict[str, Any]] = {
    "scout": {"id": "S1", "kind": "bounty", "on": ["LeadAccepted", "LeadOfferExpired"], "seat": "sourced_by",
              "once_per": ["client", "need"], "amount": "20.00"},
    "hunter": {"id": "H1", "kind": "commission", "sales": "first", "percent": "6", "release": "as_paid",
               "clawback": [{"days": "90", "percent": "100"}]},
    "farmer": {"id": "F1", "kind": "commission", "sales": "repeat", "percent": "2", "release": "as_paid",
               "clawback": [{"days": "90", "percent": "100"}]},
}  # fmt: skip
HEARD = 600.0  # a station that has not heard of something yet is asked again for so long
ANSWER = timedelta(hours=1)  # within which an offer wants an answer
SOON = timedelta(seconds=8)


def month_before(today: date) -> date:
    """The first day of the month before."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


class Stories:
    """A company and the lives of its clients. `stations`: how far down the line they may go."""

    def __init__(self, talk: Talk, seed: int, stations: int = 3) -> None:
        self.talk, self.rnd, self.stations = talk, Random(f"stories {seed}"), stations
        self.seed = seed
        self.today = datetime.now(UTC).date()
        self.before = month_before(self.today)
        self.since = month_before(self.before)
        self.begun = 0
        self.ended = 0
        self.running: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """People, the line and the plans."""
        since = f"{self.since}T00:00:00Z"
        for station, people in TEAMS.items():
            role = {"lead-gen": "scout", "conversion": "hunter", "account-mgmt": "farmer"}[station]
            for person in people:
                await self.talk.post("lead-gen", "/v1/staff", {"person": person, "hired_on": str(self.since)})
                await self.talk.post("lead-gen", f"/v1/staff/{person}/roles", {"role": role, "since": since})
            if "compensation" in self.talk.addresses:
                await self._plan(role, people)
        staffed = {
            "variant": "scout-hunter-farmer",
            "since": since,
            "zone": "UTC",
            "currency": "EUR",
            "teams": {
                station: {"team": f"{station}-team", "members": list(people)} for station, people in TEAMS.items()
            },
            "managers": [],
            "policy": {
                "accept_within_hours": 1,
                "calendar": {"weekdays": [0, 1, 2, 3, 4, 5, 6], "opens": "00:00", "closes": "23:59"},
            },
        }
        await self.talk.post("lead-gen", f"/v1/lines/{LINE}/staffing", staffed)

    async def _plan(self, role: str, people: tuple[str, ...]) -> None:
        document = {"plan": f"plan-{role}", "version": "1", "role": role, "currency": "EUR", "title": f"A {role}'s",
                    "effective_from": str(self.since), "salary": "100.00", "rules": [PLANS[role]]}  # fmt: skip
        drafted = await self.talk.post("compensation", "/v1/plans", document)
        path = f"/v1/plans/{drafted['plan']}/versions/{drafted['number']}/approve"
        await self.talk.post("compensation", path, {}, person="approver")
        for person in people:
            paid = {"person": person, "plan": f"plan-{role}", "role": role, "since": str(self.since)}
            await self.talk.post("compensation", "/v1/assignments", paid)

    # -- the lives of clients ----------------------------------------------------------------------------------

    def begin(self) -> str:
        """Another client's life begins; it is told from now on."""
        self.begun += 1
        client = f"c{self.seed}-{self.begun}"
        self.running[client] = asyncio.create_task(self._told(client, Random(f"{self.seed} {client}")))
        return client

    async def settle(self, within: float) -> int:
        """Waits until all lives that were begun are told; how many are not."""
        if self.running:
            await asyncio.wait(list(self.running.values()), timeout=within)
        left = [task for task in self.running.values() if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    async def _told(self, client: str, rnd: Random) -> None:
        try:
            await self._life(client, rnd)
        except Refusal:
            pass  # it stands in the history, and the verdict looks at it
        finally:
            self.running.pop(client, None)
            self.ended += 1

    async def _life(self, client: str, rnd: Random) -> None:
        scout, hunter = rnd.choice(SCOUTS), rnd.choice(HUNTERS)
        silent = rnd.random() < 0.12
        said = self._when(rnd) if not silent else {"occurred_at": _text(datetime.now(UTC) - ANSWER + SOON)}
        offer = await self._lead(client, scout, hunter, said, rnd)
        if silent or self.stations < 2:
            return  # the offer expires by itself
        taken = await self._asked("conversion", f"/v1/offers/{offer}/accept", {"by": hunter, **said})
        deal, net = await self._sold(taken["opportunity_id"], hunter, said, rnd)
        parts = [net] if rnd.random() < 0.6 else [net // 2, net - net // 2]
        payment = ""
        for part in parts:
            body = {"net": f"{part}.00", "currency": "EUR", "by": hunter, **said}
            paid = await self._asked("conversion", f"/v1/deals/{deal}/payments", body)
            payment = paid.get("payment_id", "")
        if self.stations < 3:
            return
        if rnd.random() < 0.6:
            await self._served(client, said, rnd)
        if len(parts) == 1 and rnd.random() < 0.25:
            body = {"net": f"{net}.00", "currency": "EUR", "by": hunter}
            await self._asked(
                "conversion", f"/v1/deals/{deal}/refunds", body | ({"payment_id": payment} if payment else {})
            )

    def _when(self, rnd: Random) -> dict[str, str]:
        """Half of the lives are told afterwards: they lie in the month before."""
        if rnd.random() < 0.5:
            return {}
        return {"occurred_at": _text(datetime(self.before.year, self.before.month, rnd.randint(2, 27), 10, tzinfo=UTC))}

    async def _lead(self, client: str, scout: str, hunter: str, said: dict[str, str], rnd: Random) -> str:
        name = {"client_id": client, "line": LINE, "name": f"Client {client}", "source": "fair", "by": scout}
        keys = {"identity_keys": [{"kind": "domain", "value": f"{client}.example"}]}
        mine = self.talk.post("lead-gen", "/v1/prospects", name | keys | said)
        if rnd.random() < 0.15:  # the other scout finds the same client at the same moment
            other = {**name, "client_id": f"{client}-twin", "by": SCOUTS[scout == SCOUTS[0]]}
            both = await asyncio.gather(
                mine, self.talk.post("lead-gen", "/v1/prospects", other | keys | said), return_exceptions=True
            )
            if isinstance(both[0], BaseException):
                raise both[0]
        else:
            await mine
        path, by = f"/v1/prospects/{client}", {"by": scout, **said}
        await self.talk.post("lead-gen", f"{path}/calls", {"outcome": "reached", **by})
        met = {"person": "Udo Kern", "position": "buyer", "channel": "phone", "influence": "decides"}
        await self.talk.post("lead-gen", f"{path}/contacts", met | by)
        need = {"category": "tools", "statement": "drills wear out", "evidence": ["said so"], "budget": "none"}
        await self.talk.post("lead-gen", f"{path}/needs", need | {"wish": "low", **by})
        offered = await self.talk.post("lead-gen", f"{path}/offer", {"to": hunter, **by})
        return str(offered["offer_id"])

    async def _sold(self, opportunity: str, hunter: str, said: dict[str, str], rnd: Random) -> tuple[str, int]:
        net = 100 * rnd.randint(1, 99)
        money = {"tax": "0.00", "currency": "EUR", "by": hunter, **said}
        lines = [{"sku": "drill", "qty": "1", "unit_price": f"{net}.00"}]
        path = f"/v1/opportunities/{opportunity}"
        await self._asked("conversion", f"{path}/proposals", {"lines": lines, **money})
        won = await self._asked("conversion", f"{path}/close", {"net": f"{net}.00", **money})
        return str(won["deal_id"]), net

    async def _served(self, client: str, said: dict[str, str], rnd: Random) -> None:
        while True:
            found = await self.talk.found("account-mgmt", f"/v1/offers?client={client}", HEARD)
            if found["items"]:
                break
            await asyncio.sleep(0.2)
        offer = found["items"][0]
        by = {"by": offer["to_person"] or rnd.choice(FARMERS), **said}
        await self._asked("account-mgmt", f"/v1/offers/{offer['offer_id']}/accept", by)
        for _ in range(rnd.randint(1, 2)):
            money = {"net": f"{100 * rnd.randint(1, 40)}.00", "currency": "EUR", **by}
            path = f"/v1/accounts/{client}/repeat-sales"
            sold = await self._asked("account-mgmt", path, {"tax": "0.00", **money})
            await self._asked("account-mgmt", f"/v1/sales/{sold['sale_id']}/payments", money)

    async def _asked(self, service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Of something that another station did a moment ago."""
        return await self.talk.post(service, path, body, patience=HEARD)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
