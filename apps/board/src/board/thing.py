"""What is at a station, and what waits: folded from the public events of one client. Pure.

The topics are not ordered among each other, so nothing here depends on which of two topics was read first: a thing is
opened on one topic and closed on another, and whoever is told both has the same picture in either order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from conveyor_events import Envelope, UnknownEvent, deals, leads
from conveyor_events import accounts as at_accounts
from conveyor_events import open as open_event
from conveyor_events.words import Seat, Station


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing on the line. `due_at` is its clock; `doors`: at which stations it can be seen, any of them."""

    client_id: str
    line: str
    kind: str
    """prospect, lead (handover 1), opportunity, buyer (handover 2) or account"""
    ref: str
    state: str
    since: datetime
    holder: str | None = None
    due_at: datetime | None = None
    people: frozenset[str] = frozenset()
    """Everybody who is named in it: it is theirs."""

    @property
    def doors(self) -> tuple[str, ...]:
        return DOORS[self.kind]


LEAD_GEN, CONVERSION, ACCOUNT_MGMT = (station.value for station in Station)
DOORS = {
    "prospect": (LEAD_GEN,),
    "lead": (LEAD_GEN, CONVERSION),
    "opportunity": (CONVERSION,),
    "buyer": (CONVERSION, ACCOUNT_MGMT),
    "account": (ACCOUNT_MGMT,),
}
WAITS = {
    "prospect": ("working", "need_known", "rework", "released", "nurture"),
    "lead": ("offered", "escalated"),
    "opportunity": ("open", "meeting", "proposed"),
    "buyer": ("offered", "expired"),
    "account": ("served", "at_risk", "lapsed"),
}
"""The states in which a thing is at work or waits, by kind; every other one is an end of it."""


def things(envelopes: Iterable[Envelope]) -> list[Thing]:
    """What there is of one client, by its public events, each once, in any order."""
    found: dict[tuple[str, str], Thing] = {}
    closed: set[tuple[str, str]] = set()
    for envelope, event in _read(envelopes):
        client = envelope.client_id or envelope.subject
        for thing in _opened(event, client, envelope.occurred_at, found):
            found[thing.kind, thing.ref] = thing
        closed |= set(_closed(event))
    return [replace(t, state="closed", due_at=None) if key in closed else t for key, t in found.items()]


def _read(envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Any]]:
    """The events in the order of their recording; what only a later release knows is left to it."""
    for envelope in sorted(envelopes, key=lambda e: (e.recorded_at, e.sequence)):
        with contextlib.suppress(UnknownEvent):
            yield envelope, open_event(envelope)


def line_of(data: dict[str, Any]) -> str | None:
    """The line that an event belongs to, if it names one."""
    sale = data.get("sale")
    return data.get("line") or (sale.get("line") if isinstance(sale, dict) else None)


def _names(*seats: Seat | None) -> frozenset[str]:
    return frozenset(seat.person for seat in seats if seat is not None)


def _closed(event: Any) -> Iterator[tuple[str, str]]:
    """Handovers that are decided: told on another topic than the one that opened them."""
    match event:
        case (
            deals.LeadAccepted(offer_id=offer)
            | deals.LeadRejected(offer_id=offer)
            | leads.LeadWithdrawn(offer_id=offer)
        ):
            yield "lead", offer
        case at_accounts.AccountAccepted(offer_id=offer) | at_accounts.AccountRejected(offer_id=offer):
            yield "buyer", offer
        case _:
            pass


def _opened(event: Any, client: str, at: datetime, found: dict[tuple[str, str], Thing]) -> Iterator[Thing]:
    """What an event opens, and what it moves on."""
    match event:
        case leads.LeadQualified():
            names = _names(event.sourced_by, event.to)
            holder = event.to.person if event.to else None
            yield _prospect(found, client, event.line, "handed_over", at, event.sourced_by)
            yield Thing(client, event.line, "lead", event.offer_id, "offered", at, holder, event.accept_due_at, names)
        case deals.LeadOfferRerouted() if (lead := found.get(("lead", event.offer_id))) is not None:
            holder = event.to.person if event.to else None
            people = lead.people | _names(event.to)
            yield replace(lead, holder=holder, due_at=event.accept_due_at, people=people)
        case deals.LeadOfferEscalated() if (lead := found.get(("lead", event.offer_id))) is not None:
            yield replace(lead, state="escalated", holder=event.to, due_at=None)
        case deals.AccountOffered():
            names = _names(event.sourced_by, event.converted_by, event.to)
            holder = event.to.person if event.to else None
            yield Thing(client, event.line, "buyer", event.offer_id, "offered", at, holder, event.accept_due_at, names)
        case at_accounts.AccountOfferExpired() if (buyer := found.get(("buyer", event.offer_id))) is not None:
            yield replace(buyer, state="expired", holder=None, due_at=None)
        case _:
            yield from _at_lead_gen(event, client, at, found)
            yield from _at_conversion(event, client, at, found)
            yield from _at_account_mgmt(event, client, at, found)


PROSPECT: dict[Any, str] = {
    leads.ProspectRegistered: "working",
    leads.ProspectClaimed: "working",
    leads.NeedIdentified: "need_known",
    leads.HandoverOverdue: "need_known",
    leads.ProspectReleased: "released",
    leads.ProspectInvalidated: "gone",
    leads.ContactForbidden: "gone",
    leads.ProspectMerged: "gone",
    leads.LeadHandedOver: "handed_over",
    deals.OpportunityRecycled: "nurture",
}


def _at_lead_gen(event: Any, client: str, at: datetime, found: dict[tuple[str, str], Thing]) -> Iterator[Thing]:
    if isinstance(event, leads.LeadReturned):
        yield _prospect(found, client, event.line, "rework", at, event.sourced_by, event.rework_until)
    elif isinstance(event, leads.LeadWithdrawn):
        yield _prospect(found, client, event.line, "need_known", at)
    elif isinstance(event, leads.ProspectReassigned):
        before = found.get(("prospect", client))
        if before is not None:
            yield replace(before, holder=event.sourced_by.person, people=before.people | _names(event.sourced_by))
    elif type(event) in PROSPECT:
        yield _prospect(found, client, event.line, PROSPECT[type(event)], at, event.sourced_by)


def _prospect(
    found: dict[tuple[str, str], Thing],
    client: str,
    line: str,
    state: str,
    at: datetime,
    by: Seat | None = None,
    due_at: datetime | None = None,
) -> Thing:
    """The prospect in a new state; it has been in one since it came into it."""
    before = found.get(("prospect", client))
    if before is None:
        return Thing(client, line, "prospect", client, state, at, by.person if by else None, due_at, _names(by))
    since = before.since if before.state == state else at
    holder = by.person if by else before.holder
    return replace(
        before, line=line, state=state, since=since, holder=holder, due_at=due_at, people=before.people | _names(by)
    )


def _at_conversion(event: Any, client: str, at: datetime, found: dict[tuple[str, str], Thing]) -> Iterator[Thing]:
    match event:
        case deals.OpportunityOpened():
            names = _names(event.sourced_by, event.converted_by)
            ref, hunter = event.opportunity_id, event.converted_by.person
            yield Thing(client, event.line, "opportunity", ref, "open", at, hunter, None, names)
        case deals.MeetingHeld():
            yield from _moved(found, event.opportunity_id, "meeting", at, over=("open",))
        case deals.ProposalSent():
            yield from _moved(found, event.opportunity_id, "proposed", at, over=("open", "meeting"))
        case deals.DealClosed():
            yield from _moved(found, event.opportunity_id, "won", at)
        case deals.OpportunityLost():
            yield from _moved(found, event.opportunity_id, "lost", at)
        case deals.OpportunityRecycled():
            yield from _moved(found, event.opportunity_id, "lost", at)
        case _:
            pass


def _moved(
    found: dict[tuple[str, str], Thing], ref: str, state: str, at: datetime, over: tuple[str, ...] | None = None
) -> Iterator[Thing]:
    """The opportunity in a later state; a stage never falls back."""
    before = found.get(("opportunity", ref))
    if before is not None and (over is None or before.state in over):
        yield replace(before, state=state, since=at)


ACCOUNT: dict[Any, str] = {
    at_accounts.AccountAtRiskFlagged: "at_risk",
    at_accounts.CustomerLapsed: "lapsed",
    at_accounts.CustomerChurned: "gone",
    at_accounts.CustomerReturned: "served",
}


def _at_account_mgmt(event: Any, client: str, at: datetime, found: dict[tuple[str, str], Thing]) -> Iterator[Thing]:
    before = found.get(("account", client))
    match event:
        case at_accounts.AccountAccepted():
            server = event.served_by
            yield Thing(client, event.line, "account", client, "served", at, server.person, None, _names(server))
        case at_accounts.SeatAssigned() if before is not None:
            yield replace(before, holder=event.holder.person, people=before.people | _names(event.holder))
        case at_accounts.RepeatSale() if before is not None and before.state == "at_risk":
            yield replace(before, state="served", since=at)
        case _ if before is not None and type(event) in ACCOUNT:
            yield replace(before, state=ACCOUNT[type(event)], since=at)
        case _:
            pass
