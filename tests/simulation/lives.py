"""What is wanted of the line in a simulated history: a company that opens, and clients whose commands may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from talk import Asked
from world import BEGINNING, World, done

from belt.core.decider import Refused, Step
from belt.io.store.calls import Unavailable
from belt.io.store.handle import Busy
from belt.io.store.unit import Conflict, Meta, Outcome, Taken
from conversion.deal import RecordPayment
from conversion.deal.terms import Line
from conversion.offer import AcceptLead
from conversion.opportunity import CloseDeal, SendProposal
from conveyor_events.staff import Policy, StationTeam, WorkingCalendar
from lead_gen.identity import IdentityKey
from lead_gen.prospect import commands as c
from lead_gen.staffing import COMPANY, GrantRole, Hire, StaffLine

LINE = "north"
PEOPLE = {"ana": "scout", "abe": "scout", "boris": "hunter", "bea": "hunter", "dina": "farmer"}
ASKS_WITHIN = 8.0
GIVES_UP = 400.0
UNHEARD = frozenset({"offer.unknown", "deal.unknown", "opportunity.unknown", "not-found"})


async def opened(world: World) -> None:
    """People and one line, before anything goes wrong."""
    since = BEGINNING - timedelta(days=30)
    for person, role in PEOPLE.items():
        hired = Step("staffing", COMPANY, Hire(person, None, date(2026, 1, 1), "office", since))
        await done(world, "lead-gen", f"hire {person}", hired)
        granted = Step("staffing", COMPANY, GrantRole(person, role, since, None, "office", since))
        await done(world, "lead-gen", f"grant {person}", granted)
    teams = {
        "lead-gen": StationTeam(team="scouts", members=["ana", "abe"]),
        "conversion": StationTeam(team="hunters", members=["boris", "bea"]),
        "account-mgmt": StationTeam(team="farmers", members=["dina"]),
    }
    always = WorkingCalendar(weekdays=[0, 1, 2, 3, 4, 5, 6], opens="00:00", closes="23:59")
    policy = Policy(accept_within_hours=1, calendar=always)
    staffed = StaffLine(LINE, "scout-hunter-farmer", since, "UTC", "EUR", teams, (), policy, "office", since)
    await done(world, "lead-gen", "staff", Step("staffing", COMPANY, staffed))
    if not await world.drained(60):
        raise AssertionError("the opening does not come to rest")


class Lives:
    def __init__(self, world: World) -> None:
        self.world, self.rnd = world, Random(f"lives {world.seed}")
        self.history: list[Asked] = []
        self.steps: dict[int, tuple[Step, Callable[[Outcome], Any] | None]] = {}

    async def life(self, client: str) -> None:
        """From the first call to the first payment, or to an offer that nobody answers."""
        await asyncio.sleep(self.rnd.uniform(0.0, 9.0))
        scout, hunter, silent = (
            self.rnd.choice(("ana", "abe")),
            self.rnd.choice(("boris", "bea")),
            self.rnd.random() < 0.2,
        )
        at = self.world.now() - (timedelta(minutes=59, seconds=50) if silent else timedelta(0))
        try:
            offer = await self._lead(client, scout, hunter, at)
            if not silent:
                await self._sale(offer, hunter, at)
        except Refused:
            return  # it stands in the history

    async def _lead(self, client: str, scout: str, hunter: str, at: Any) -> str:
        keys = (IdentityKey("domain", f"{client}.example"),)
        new = c.RegisterProspect(client, LINE, f"Client {client}", None, keys, "fair", None, scout, at)
        both = [self._registered(client, new)]
        if self.rnd.random() < 0.3:  # somebody else finds the same client at the same moment
            twin = c.RegisterProspect(f"{client}-twin", LINE, "Twin", None, keys, "fair", None, "abe", at)
            both.append(self._registered(f"{client}-twin", twin))
        found = await asyncio.gather(*both, return_exceptions=True)
        if isinstance(found[0], BaseException):
            raise found[0]
        now = self.world.now()
        for wanted in (
            c.LogCall("reached", at, 60, None, None, scout, at),
            c.RecordContactReached("Udo Kern", "buyer", "phone", "decides", scout, at),
            c.IdentifyNeed(None, "tools", "drills wear out", ("said so",), None, None, "none", "low", scout, at, now),
        ):
            await self.ask("lead-gen", f"/v1/prospects/{client}", Step("prospect", client, wanted))
        offered = c.OfferLead(f"{client}-offer", hunter, (), scout, at, now)
        await self.ask("lead-gen", f"/v1/prospects/{client}/offer", Step("prospect", client, offered))
        return f"{client}-offer"

    async def _registered(self, client: str, wanted: c.RegisterProspect) -> Any:
        body = {"client_id": client, "identity_keys": [key.value for key in wanted.keys]}
        return await self.ask("lead-gen", "/v1/prospects", Step("prospect", client, wanted), body=body)

    async def _sale(self, offer: str, hunter: str, at: Any) -> None:
        net, zero = Decimal(100 * self.rnd.randint(1, 90)), Decimal(0)
        step = Step("offer", offer, AcceptLead(at, hunter))
        taken = await self.ask(
            "conversion", f"/v1/offers/{offer}/accept", step, told=lambda o: o.state(f"offer-{offer}").opportunity
        )
        opportunity = str(taken["told"])
        goods = (Line("drill", Decimal(1), net),)
        path = f"/v1/opportunities/{opportunity}"
        proposal = SendProposal(at, hunter, f"{offer}-p", goods, net, zero, "EUR")
        await self.ask("conversion", f"{path}/proposals", Step("opportunity", opportunity, proposal))
        closed = CloseDeal(at, self.world.now(), hunter, f"{offer}-deal", net, zero, "EUR")
        await self.ask("conversion", f"{path}/close", Step("opportunity", opportunity, closed))
        paid = RecordPayment(at, hunter, f"{offer}-payment", net, "EUR")
        await self.ask("conversion", f"/v1/deals/{offer}-deal/payments", Step("deal", f"{offer}-deal", paid))

    async def ask(
        self,
        service: str,
        path: str,
        step: Step,
        *,
        body: Any = None,
        told: Callable[[Outcome], Any] | None = None,
    ) -> Any:
        """Sends a command until it is answered, now and then twice at once. Raises Refused."""
        number = len(self.history)
        asked = Asked(number, service, "POST", path, body or {}, f"k{number}", "", ())
        self.history.append(asked)
        self.steps[number] = step, told
        times = 2 if self.rnd.random() < 0.15 else 1
        found = await asyncio.gather(*(self._settled(asked, step, told) for _ in range(times)), return_exceptions=True)
        for one in found:
            if not isinstance(one, BaseException):
                return one
        assert isinstance(found[0], BaseException)
        raise found[0]

    async def _settled(self, asked: Asked, step: Step, told: Callable[[Outcome], Any] | None) -> Any:
        until = self.world.time() + GIVES_UP
        while self.world.time() < until:
            try:
                reply = await self.once(asked, step, told)
            except (Unavailable, Busy, TimeoutError):
                await asyncio.sleep(self.rnd.uniform(0.2, 3.0))
                continue
            except (Refused, Taken, Conflict) as no:
                if isinstance(no, Refused) and no.code in UNHEARD:
                    await asyncio.sleep(self.rnd.uniform(1.0, 4.0))
                    continue
                if asked.outcome != "ok":
                    asked.outcome, asked.status, asked.reply = "refused", 409, str(no)
                raise no if isinstance(no, Refused) else Refused("claim-taken") from no
            asked.replies.append(reply)
            if asked.outcome != "ok":
                asked.outcome, asked.status, asked.reply = "ok", 200, reply
            return reply
        raise Refused("gave-up")

    async def once(self, asked: Asked, step: Step, told: Callable[[Outcome], Any] | None) -> Any:
        members = self.world.alive(asked.service)
        if not members:
            raise Unavailable("nobody is there")

        def reply(outcome: Outcome) -> dict[str, Any]:
            more = {"told": told(outcome)} if told is not None else {}
            return {"version": outcome.version(step.stream_id), **more}

        async with asyncio.timeout(ASKS_WITHIN):
            member = self.rnd.choice(members)
            await member.step("request", Unavailable)
            meta = Meta(command_id=asked.key, actor=asked.person)
            outcome = await member.writer.handle(step, key=asked.key, meta=meta, reply=reply)
            await member.step("reply", Unavailable)
            return outcome.reply
