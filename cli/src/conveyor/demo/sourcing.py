"""Station 1 in the stories: a client is found, called, understood and offered."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from conveyor.demo.company import line_of
from conveyor.demo.fates import Client, Fate
from conveyor.demo.play import Act, Answer, Teller
from conveyor_events.words import HOUSE, Station

SERVICE = "lead-gen"
SPEAKS_FOR_THE_HOUSE = ("integration",)
WEBSITE = "website"

Telling = Generator[Act, Answer, Answer]

_NEEDS = (
    ("spare parts", "waits weeks for spare parts"),
    ("maintenance", "has no contract for maintenance"),
    ("energy", "wants to use less energy"),
    ("capacity", "cannot fill its orders with the machines it has"),
    ("training", "new people do not know the machines"),
)
_POSITIONS = (("owner", "decides"), ("head of purchasing", "decides"), ("head of production", "uses"), ("cfo", "pays"))


@dataclass
class Prospect:
    """One client at station 1, and who holds it."""

    client: Client
    id: str
    teller: Teller
    holder: str

    @property
    def path(self) -> str:
        return f"/v1/prospects/{self.id}"

    def does(self, what: str, body: dict[str, Any], *, lane: str | None = None) -> Telling:
        """The holder does something with the prospect; for the house, the website speaks."""
        path = self.path + what
        if self.holder == HOUSE:
            said = body | {"by": HOUSE}
            return self.teller.act(WEBSITE, SERVICE, path, said, lane=lane, roles=SPEAKS_FOR_THE_HOUSE)
        return self.teller.act(self.holder, SERVICE, path, body, lane=lane)


def register(prospect: Prospect, *, who: str | None = None, refused: str | None = None) -> Telling:
    """The client is entered under its identity keys; somebody else's second entry is refused."""
    client, teller, who = prospect.client, prospect.teller, who or prospect.holder
    entry = {
        "client_id": prospect.id if refused is None else teller.id("client"),
        "line": client.line.id,
        "name": client.name,
        "country": client.country,
        "identity_keys": [{"kind": "tax_no", "value": f"{client.country}{900_000_000 + client.number}"}],
        "source": client.source,
        "segment": client.line.segment,
    }
    if who == HOUSE:
        entry["by"] = HOUSE
        return teller.act(WEBSITE, SERVICE, "/v1/prospects", entry, roles=SPEAKS_FOR_THE_HOUSE)
    return teller.act(who, SERVICE, "/v1/prospects", entry, refused=refused)


def verify(prospect: Prospect) -> Telling:
    return prospect.does("/verify", {"checks": ["reachable_phone", "legal_active"]})


def call(prospect: Prospect, outcome: str) -> Telling:
    return prospect.does("/calls", {"outcome": outcome, "duration_s": prospect.teller.between(20, 900)})


def pass_gatekeeper(prospect: Prospect) -> Telling:
    dice = prospect.teller.dice
    met = {
        "role": dice.choice(("secretary", "assistant", "reception")),
        "attitude": dice.randint(-2, 2),
        "approach": dice.choice(("referral", "direct_line", "topic", "letter")),
        "attempts": dice.randint(1, 3),
    }
    return prospect.does("/gatekeepers", met)


def reach(prospect: Prospect) -> Telling:
    position, influence = prospect.teller.dice.choice(_POSITIONS)
    person = f"{prospect.client.name.split()[0]} {position}"
    return prospect.does(
        "/contacts", {"person": person, "position": position, "channel": "phone", "influence": influence}
    )


def understand(prospect: Prospect) -> Telling:
    """The need is known. Budget and wish are written down, and stop nothing."""
    dice = prospect.teller.dice
    category, statement = dice.choice(_NEEDS)
    need = {
        "need_id": prospect.teller.id("need"),
        "category": category,
        "statement": statement,
        "evidence": ["said so on the phone"],
        "budget": dice.choice(("unknown", "none", "some")),
        "wish": dice.choice(("unknown", "low", "high")),
    }
    return prospect.does("/needs", need)


def offer(prospect: Prospect, *evidence: str) -> Telling:
    """Handover 1. Whose turn it is follows from the order of offers, so those of one line go one by one."""
    body: dict[str, Any] = {"offer_id": prospect.teller.id("offer")}
    if evidence:
        body["evidence"] = list(evidence)
    return prospect.does("/offer", body, lane=f"offer {prospect.client.line.id}")


def warm_up(prospect: Prospect) -> Generator[Act, Answer, None]:
    """From the first call to a known need."""
    teller = prospect.teller
    yield from call(prospect, "gatekeeper_blocked" if teller.likely(0.4) else "gatekeeper_passed")
    if teller.likely(0.5):
        yield from pass_gatekeeper(prospect)
    teller.wait(1, 4)
    yield from call(prospect, "reached")
    yield from reach(prospect)
    if teller.likely(0.6):
        teller.wait(1, 3)
    yield from understand(prospect)


def find(prospect: Prospect) -> Generator[Act, Answer, bool]:
    """Everything up to the known need. False if the story ends before."""
    teller, client = prospect.teller, prospect.client
    fate = client.fate
    yield from register(prospect)
    if fate is Fate.CONTESTED:
        teller.wait(1, 2)
        team = line_of(client.line.id).teams[Station.LEAD_GEN]
        yield from register(prospect, who=teller.somebody(team, but=prospect.holder), refused="client-protected")
    if teller.likely(0.85) or fate is Fate.INVALID:
        yield from verify(prospect)
    teller.wait(1, 3)
    if fate is Fate.INVALID:
        yield from call(prospect, "wrong_number")
        teller.wait(2, 14)
        reason = teller.dice.choice(("closed_down", "no_such", "out_of_market"))
        yield from prospect.does("/invalidate", {"reason": reason})
        return False
    if fate is Fate.COLD:
        for _ in range(teller.between(2, 4)):
            yield from call(prospect, teller.dice.choice(("no_answer", "gatekeeper_blocked", "callback")))
            teller.wait(2, 6)
        return False
    yield from warm_up(prospect)
    return True
