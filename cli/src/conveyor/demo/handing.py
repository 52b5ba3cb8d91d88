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
TEAMS = {CONVERSION: Station.CONVERSION, ACCOUNT_MGMT: Station.ACCOUNT_MGMT}
SILENCE = 3  # slots: longer than the eight working hours of the policy
REWORK = 22  # slots: longer than fourteen days
UNANSWERED = 6  # slots: longer than the sixteen working hours in which an account is to be taken

Told = Generator[Act, Answer, Answer]


def hand_over(prospect: Prospect) -> Generator[Act, Answer, str]:
    """From the known need to the lead that somebody has taken: returns the opportunity."""
    teller, fate = prospect.teller, prospect.client.fate
    if fate is Fate.LATE:
        teller.wait(6, 8)
    elif teller.likely(0.5):
        teller.wait(1)
    offered = yield from sourcing.offer(prospect)
    if fate is Fate.WITHDRAWN and offered["mode"] != "self":
        yield from prospect.does("/withdraw", {"reason": "asked_for_a_week"})
        teller.wait(5, 8)
        offered = yield from sourcing.offer(prospect)
    offer_id = str(offered["offer_id"])
    teller.wait(1)
    shown = yield from asked(prospect, CONVERSION, offer_id)
    if shown["stage"] == "accepted":
        return str(shown["opportunity_id"])
    if fate is Fate.REJECTED and shown["stage"] == "offered":
        offer_id = yield from _mended(prospect, offer_id, shown)
    elif fate is Fate.RELEASED and shown["stage"] == "offered":
        offer_id = yield from _claimed(prospect, offer_id, shown)
    elif fate is Fate.SILENT:
        teller.wait(SILENCE - 1)
    elif fate is Fate.ESCALATED:
        teller.wait(SILENCE * 4)
    accepted = yield from _taken(prospect, CONVERSION, offer_id)
    return str(accepted["opportunity_id"])


def asked(prospect: Prospect, service: str, offer_id: str) -> Told:
    """How the offer stands as soon as whoever is asked is at work; the manager of the line may see every one."""
    while True:
        manager = prospect.client.line.manager
        shown = yield from prospect.teller.ask(manager, service, f"/v1/offers/{offer_id}")
        who = person(shown)
        if shown["stage"] != "offered" or who is None or prospect.teller.here(who):
            return shown
        prospect.teller.wait(1)


def _taken(prospect: Prospect, service: str, offer_id: str) -> Told:
    """Whoever is asked accepts; from the queue, somebody of the team does; what was escalated, a manager gives out."""
    teller, line = prospect.teller, line_of(prospect.client.line.id)
    shown = yield from asked(prospect, service, offer_id)
    if shown["stage"] == "accepted":
        return shown
    team = line.teams[TEAMS[service]]
    body: dict[str, Any] = {}
    if shown["stage"] == "escalated":
        who, body = line.manager, {"to": teller.somebody(team)}
    else:
        who = person(shown) or teller.somebody(team)
    return (yield from teller.act(who, service, f"/v1/offers/{offer_id}/accept", body))


def _mended(prospect: Prospect, offer_id: str, shown: Answer) -> Generator[Act, Answer, str]:
    """Rejected, back at its scout, offered again with more to show."""
    yield from _refused(prospect, offer_id, shown, "no_need_evidence")
    prospect.teller.wait(2, 8)
    again = yield from sourcing.offer(prospect, "sent photographs of the broken machine")
    prospect.teller.wait(1)
    return str(again["offer_id"])


def _claimed(prospect: Prospect, offer_id: str, shown: Answer) -> Generator[Act, Answer, str]:
    """Rejected, left lying until the time for rework is over, and taken up by somebody else."""
    yield from _refused(prospect, offer_id, shown, "contact_unreachable")
    teller = prospect.teller
    teller.wait(REWORK, REWORK + 4)
    team = line_of(prospect.client.line.id).teams[Station.LEAD_GEN]
    prospect.holder = teller.somebody(team, but=prospect.holder)
    yield from prospect.does("/claim", {})
    teller.wait(1, 3)
    yield from sourcing.call(prospect, "reached")
    yield from sourcing.reach(prospect)
    teller.wait(1, 3)
    yield from sourcing.understand(prospect)
    again = yield from sourcing.offer(prospect)
    teller.wait(1)
    return str(again["offer_id"])


def _refused(prospect: Prospect, offer_id: str, shown: Answer, reason: str) -> Told:
    team = line_of(prospect.client.line.id).teams[Station.CONVERSION]
    who = person(shown) or prospect.teller.somebody(team)
    return (yield from prospect.teller.act(who, CONVERSION, f"/v1/offers/{offer_id}/reject", {"reason": reason}))


def serve(prospect: Prospect, deal_id: str, offer_id: str) -> Generator[Act, Answer, str]:
    """From the sale to whoever serves the buyer: returns that person."""
    teller, fate = prospect.teller, prospect.client.fate
    teller.wait(UNANSWERED if fate is Fate.UNSERVED else 1)
    shown = yield from asked(prospect, ACCOUNT_MGMT, offer_id)
    if fate is Fate.SHARED and shown["stage"] == "offered":
        offer_id = yield from _completed(prospect, deal_id, offer_id, shown)
    taken = yield from _taken(prospect, ACCOUNT_MGMT, offer_id)
    server = taken.get("served_by")
    if not isinstance(server, dict):
        raise Over("nobody serves the buyer")
    return str(server["person"])


def _completed(prospect: Prospect, deal_id: str, offer_id: str, shown: Answer) -> Generator[Act, Answer, str]:
    """The checklist lacked something: the account is refused, mended by the hunter, and offered again."""
    teller, line = prospect.teller, line_of(prospect.client.line.id)
    who = person(shown) or teller.somebody(line.teams[Station.ACCOUNT_MGMT])
    refused = {"reason": "checklist_incomplete", "note": "who gets the invoices?"}
    yield from teller.act(who, ACCOUNT_MGMT, f"/v1/offers/{offer_id}/reject", refused)
    teller.wait(1, 3)
    mended = {"checklist": ["delivery-dates", "contact-for-invoices"]}
    path = f"/v1/deals/{deal_id}/offer"
    again = yield from teller.act(prospect.holder, CONVERSION, path, mended, lane=f"account {line.id}")
    teller.wait(1)
    return str(again["account_offer_id"])


def person(shown: Answer) -> str | None:
    """Who is asked; None: the queue of the team."""
    to = shown.get("to")
    return str(to["person"]) if to else None
