"""Another handover policy: which offers would have expired, and when.

Only what follows from stamped times is changed. An answer after the new due time would have come too late: the offer
expires then, and silence pays the scout. A rejection after it would not have come. Where an offer would not have
expired, an acceptance within the new time stands. Offers without an answer, or without a clock, stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from belt.core.calendar import Calendar
from belt.core.ids import derived
from compensation.facts import Fact, Milestone, Offered, Rejected, Seated
from compensation.whatif.reseating import line_of
from compensation.whatif.scenario import Policy

ASSUMES = (
    "an offer answered after the new due time expires then, and its sender is paid at that time",
    "a rejection after the new due time does not come; acceptances and sales stay as they were",
    "working hours count in the calendar with which the line was staffed last",
)


@dataclass(slots=True)
class _Offer:
    """What happened to one offered lead."""

    offered: Fact | None = None
    accepted: Fact | None = None
    rejected: Fact | None = None
    expired: list[Fact] = field(default_factory=list)


def answered(
    facts: Iterable[Fact], policy: Policy, calendars: Mapping[str, Calendar], zone: str, line: str | None = None
) -> Iterator[Fact]:
    """All facts as they would be under the policy."""
    everything = list(facts)
    usual = Calendar(zone)
    gone: set[str] = set()
    new: dict[str, Fact] = {}
    on_line = [f for f in everything if line is None or line_of(f) == line]
    if policy.accept_within_hours is not None:
        for offer in _offers(on_line).values():
            _leads(offer, policy.accept_within_hours, calendars, usual, gone, new)
    if policy.account_accept_within_hours is not None:
        for before, seated in _taken_over(on_line):
            due = _due(before, policy.account_accept_within_hours, calendars, usual)
            since = before.occurred_at if seated.occurred_at <= due else seated.occurred_at
            if isinstance(seated.data, Seated) and since != seated.data.since:
                new[seated.event_id] = replace(seated, data=replace(seated.data, since=since))
    for fact in everything:
        if fact.event_id not in gone and fact.event_id not in new:
            yield fact
    yield from new.values()


def _due(offered: Fact, hours: int, calendars: Mapping[str, Calendar], usual: Calendar) -> datetime:
    return calendars.get(line_of(offered) or "", usual).due(offered.occurred_at, hours)


def _offers(facts: Iterable[Fact]) -> dict[str, _Offer]:
    found: defaultdict[str, _Offer] = defaultdict(_Offer)
    for fact in facts:
        data = fact.data
        if isinstance(data, Rejected):
            found[data.offer_id].rejected = fact
        elif isinstance(data, Milestone) and data.offer_id is not None:
            offer = found[data.offer_id]
            if fact.name == "LeadQualified":
                offer.offered = fact
            elif fact.name == "LeadAccepted":
                offer.accepted = fact
            elif fact.name == "LeadOfferExpired":
                offer.expired.append(fact)
    return found


def _leads(
    offer: _Offer,
    hours: int,
    calendars: Mapping[str, Calendar],
    usual: Calendar,
    gone: set[str],
    new: dict[str, Fact],
) -> None:
    offered = offer.offered
    answers = [f for f in (offer.accepted, offer.rejected) if f is not None]
    if offered is None or not isinstance(offered.data, Milestone) or not (answers or offer.expired):
        return
    if offered.data.mode == "self" or offered.data.due_at is None:
        return
    due = _due(offered, hours, calendars, usual)
    first = min((fact.occurred_at for fact in answers), default=None)
    gone.update(fact.event_id for fact in offer.expired)
    if first is not None and first <= due:
        return
    if offer.rejected is not None and offer.rejected.occurred_at > due:
        gone.add(offer.rejected.event_id)
    known = min([*offer.expired, *answers], key=lambda fact: fact.recorded_at)
    silence = replace(
        offered,
        event_id=derived("what-if", offered.event_id, "expired"),
        name="LeadOfferExpired",
        occurred_at=due,
        recorded_at=known.recorded_at,
        data=replace(offered.data, due_at=due),
    )
    new[silence.event_id] = silence


def _taken_over(facts: Iterable[Fact]) -> Iterator[tuple[Fact, Fact]]:
    """(the offer of a buyer, the seat that was taken by accepting it), where somebody was to answer."""
    offers: dict[str, Fact] = {}
    accepted: list[Fact] = []
    seats: dict[tuple[str | None, datetime], Fact] = {}
    for fact in facts:
        data = fact.data
        if isinstance(data, Offered):
            before = offers.get(data.offer_id)
            if before is None or fact.order < before.order:
                offers[data.offer_id] = fact
        elif isinstance(data, Seated):
            seats[fact.client_id, fact.occurred_at] = fact
        elif isinstance(data, Milestone) and fact.name == "AccountAccepted":
            accepted.append(fact)
    for fact in accepted:
        offer_id = fact.data.offer_id if isinstance(fact.data, Milestone) else None
        offer = offers.get(offer_id or "")
        seated = seats.get((fact.client_id, fact.occurred_at))
        if offer is not None and seated is not None and isinstance(offer.data, Offered) and offer.data.mode != "self":
            yield offer, seated
