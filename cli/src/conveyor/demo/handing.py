"""The two handovers in the stories: taken, refused, left in silence, moved on, decided by a manager."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from conveyor.demo import sourcing
from conveyor.demo.company import line_of
from conveyor.demo.fates import Fate
from conveyor.demo.play import Act, Answer, Over
from conveyor.demo.sourcing import Prospect
from conveyor_events.words import Station

CONVERSION = "conversion"
ACCOUNT_MGMT = "account-mgmt"
SILENCE = 4  # slots: longer than the eight working hours of the policy
REWORK = 33  # slots: longer than fourteen days
UNANSWERED = 8  # slots: longer than the sixteen working hours in which an account is to be taken

Taken = Generator[Act, Answer, str]


def hand_over(prospect: Prospect) -> Taken:
    """From the known need to the lead that somebody has taken: returns the opportunity."""
    teller, fate = prospect.teller, prospect.client.fate
    if fate is Fate.LATE:
        teller.wait(6, 8)
    elif teller.likely(0.5):
        teller.wait(1)
    offered = yield from sourcing.offer(prospect)
    offer_id = str(offered["offer_id"])
    if fate is Fate.WITHDRAWN:
        yield from prospect.does("/withdraw", {"reason": "the client asked for a week"})
        teller.wait(5, 8)
        offer_id = str((yield from sourcing.offer(prospect, "asked again"))["offer_id"])
    teller.wait(1)
    shown = yield from look(prospect, offer_id)
    if shown["stage"] == "accepted":
        return str(shown["opportunity_id"])
    if fate is Fate.REJECTED:
        offer_id = yield from _mended(prospect, offer_id, shown)
    elif fate is Fate.RELEASED:
        offer_id = yield from _claimed(prospect, offer_id, shown)
    elif fate is Fate.SILENT:
        teller.wait(SILENCE - 1)
    elif fate is Fate.ESCALATED:
        teller.wait(SILENCE * 4)
    elif teller.likely(0.3):
        teller.wait(1)
    return (yield from take(prospect, offer_id))


def look(prospect: Prospect, offer_id: str) -> Generator[Act, Answer, Answer]:
    """How the offer stands now; the manager of the line may see every one."""
    return (yield from prospect.teller.ask(prospect.client.line.manager, CONVERSION, f"/v1/offers/{offer_id}"))


def take(prospect: Prospect, offer_id: str) -> Taken:
    """Whoever is asked accepts; from the queue, somebody of the team does; what was escalated, a manager gives out."""
    shown = yield from look(prospect, offer_id)
    line = line_of(prospect.client.line.id)
    team = line.teams[Station.CONVERSION]
    body: dict[str, Any] = {}
    if shown["stage"] == "escalated":
        who, body = line.manager, {"to": prospect.teller.dice.choice(team)}
    else:
        who = person(shown) or prospect.teller.dice.choice(team)
    accepted = yield from prospect.teller.act(who, CONVERSION, f"/v1/offers/{offer_id}/accept", body)
    return str(accepted["opportunity_id"])


def _mended(prospect: Prospect, offer_id: str, shown: Answer) -> Generator[Act, Answer, str]:
    """Rejected, back at its scout, offered again with more to show."""
    yield from _refuse(prospect, offer_id, shown, "no_need_evidence")
    prospect.teller.wait(3, 12)
    again = yield from sourcing.offer(prospect, "sent photographs of the broken machine")
    prospect.teller.wait(1)
    return str(again["offer_id"])


def _claimed(prospect: Prospect, offer_id: str, shown: Answer) -> Generator[Act, Answer, str]:
    """Rejected, left lying until the time for rework is over, and taken up by somebody else."""
    yield from _refuse(prospect, offer_id, shown, "contact_unreachable")
    teller = prospect.teller
    teller.wait(REWORK, REWORK + 6)
    team = line_of(prospect.client.line.id).teams[Station.LEAD_GEN]
    prospect.holder = next(one for one in team if one != prospect.holder)
    yield from prospect.does("/claim", {})
    teller.wait(1, 3)
    yield from sourcing.call(prospect, "reached")
    yield from sourcing.reach(prospect)
    teller.wait(1, 3)
    yield from sourcing.understand(prospect)
    again = yield from sourcing.offer(prospect)
    teller.wait(1)
    return str(again["offer_id"])


def _refuse(prospect: Prospect, offer_id: str, shown: Answer, reason: str) -> Generator[Act, Answer, None]:
    line = line_of(prospect.client.line.id)
    who = person(shown) or prospect.teller.dice.choice(line.teams[Station.CONVERSION])
    yield from prospect.teller.act(who, CONVERSION, f"/v1/offers/{offer_id}/reject", {"reason": reason})


def serve(prospect: Prospect, deal_id: str, offer_id: str) -> Taken:
    """From the sale to whoever serves the buyer: returns that person."""
    teller, fate = prospect.teller, prospect.client.fate
    teller.wait(UNANSWERED if fate is Fate.UNSERVED else 1)
    path = f"/v1/offers/{offer_id}"
    shown = yield from teller.ask(prospect.client.line.manager, ACCOUNT_MGMT, path)
    if shown["stage"] == "accepted":
        return _holder(shown)
    line = line_of(prospect.client.line.id)
    team = line.teams[Station.ACCOUNT_MGMT]
    if shown["stage"] == "offered" and fate is Fate.SHARED:
        asked = person(shown) or teller.dice.choice(team)
        yield from teller.act(asked, ACCOUNT_MGMT, f"{path}/reject", {"reason": "checklist_incomplete"})
        teller.wait(1, 3)
        hunter = prospect.holder
        mended = yield from teller.act(
            hunter,
            CONVERSION,
            f"/v1/deals/{deal_id}/offer",
            {"checklist": ["delivery dates", "contact for invoices"]},
            lane=f"account {line.id}",
        )
        path = f"/v1/offers/{mended['offer_id']}"
        teller.wait(1)
        shown = yield from teller.ask(line.manager, ACCOUNT_MGMT, path)
    if shown["stage"] == "escalated":
        who, body = line.manager, {"to": teller.dice.choice(team)}
    else:
        who, body = person(shown) or teller.dice.choice(team), {}
    taken = yield from teller.act(who, ACCOUNT_MGMT, f"{path}/accept", body)
    return _holder(taken)


def _holder(answer: Answer) -> str:
    found = answer.get("served_by")
    if not found:
        raise Over("nobody serves the buyer")
    return str(found["person"] if isinstance(found, dict) else found)


def person(shown: Answer) -> str | None:
    """Who is asked; None: the queue of the team."""
    to = shown.get("to")
    return str(to["person"] if isinstance(to, dict) else to) if to else None
