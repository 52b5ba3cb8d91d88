"""Conflicts found by themselves: where two people may both think that a client, or a sale, is theirs.

Pure: the public events of one client in, cases out. Each look reads what people did, never what they say of it. `a` is
the older claim. A case has the same id whenever it is found, and in whatever order its events came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from belt.core.ids import derived
from conveyor_events import Envelope, Event, UnknownEvent, accounts, deals, leads
from conveyor_events import open as open_event
from conveyor_events.words import HOUSE, Role, Seat

KINDS: Mapping[str, str] = {
    "C1": "two scouts, one client",
    "C2": "a scout works somebody's customer",
    "C3": "the hunter is active after the account was handed over",
    "C4": "a repeat sale by somebody who does not serve the client",
    "C5": "two open opportunities for one need",
    "C6": "a second first sale",
    "C7": "a lead goes back and forth",
    "C8": "a lead is rejected and then sold to",
    "C9": "a need is known and nobody is told",
}
CREDIT_WINDOW = timedelta(days=90)
"""Where the offer itself does not say until when its scout has credit."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Why somebody may think that it is theirs: a seat, since when, and by which event."""

    person: str
    role: str
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class LeadRejected:
    """The lead a case is about."""

    offer_id: str
    need_id: str
    rejected_at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Case:
    """`b` is None where nobody disputes it yet. `events` in business order. `sale_id`: the sale it is about."""

    case_id: str
    kind: str
    client: str
    line: str
    a: Claim
    b: Claim | None
    at: datetime
    events: tuple[str, ...]
    sale_id: str | None = None
    net: Decimal | None = None
    currency: str | None = None
    lead: LeadRejected | None = None

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(claim.person for claim in (self.a, self.b) if claim is not None)


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the client's history, opened."""

    envelope: Envelope
    event: Event

    @property
    def id(self) -> str:
        return str(self.envelope.id)

    @property
    def at(self) -> datetime:
        return self.envelope.occurred_at

    def claim(self, seat: Seat) -> Claim:
        return Claim(seat.person, str(seat.role), self.at, self.id)


Story = Sequence[Told]


def conflicts(envelopes: Iterable[Envelope]) -> list[Case]:
    """All cases of all clients, oldest first. Events that this release cannot read are passed over."""
    stories: defaultdict[str, dict[str, Told]] = defaultdict(dict)
    for envelope in envelopes:
        if envelope.client_id is not None:
            try:
                stories[envelope.client_id][str(envelope.id)] = Told(envelope, open_event(envelope))
            except UnknownEvent:
                continue
    # A case that grows is found again under its id: the last one says most.
    found = {c.case_id: c for client, told in stories.items() for c in of_client(client, tuple(told.values()))}
    return sorted(found.values(), key=lambda case: (case.at, case.case_id))


def of_client(client: str, told: Iterable[Told]) -> Iterator[Case]:
    """The cases of one client."""
    story = sorted(told, key=lambda one: (one.at, one.id))
    for look in LOOKS:
        yield from look(client, story)


def _case(kind: str, client: str, line: str, a: Claim, b: Claim | None, events: Sequence[Told], **more: object) -> Case:
    ids = tuple(dict.fromkeys(one.id for one in events))
    at = max(one.at for one in events)
    return Case(derived(client, kind, *ids), kind, client, line, a, b, at, ids, **more)  # type: ignore[arg-type]


# --- the looks ------------------------------------------------------------------------------------------------------


def refused_registrations(client: str, story: Story) -> Iterator[Case]:
    """C1: another finder enters a client that is held. C2: somebody finds what is a customer already."""
    begun = next((one for one in story if isinstance(one.event, leads.ProspectRegistered)), None)
    for one in story:
        if not isinstance(one.event, leads.RegistrationRefused):
            continue
        event = one.event
        if event.attempted_by.person == event.held_by.person:
            continue
        kind = "C2" if event.reason == "existing-customer" else "C1"
        events = [begun, one] if begun is not None else [one]
        yield _case(kind, client, event.line, events[0].claim(event.held_by), one.claim(event.attempted_by), events)


def active_after_the_handover(client: str, story: Story) -> Iterator[Case]:
    """C3: meetings and proposals of a hunter on a client that somebody else serves by then.

    Handover 2 is over when the account is accepted, or given to somebody without an offer. The house serves nobody.
    """
    served: Told | None = None
    seated: Told | None = None
    holder: Seat | None = None
    for one in story:
        match one.event:
            case accounts.AccountAccepted(served_by=by):
                served, seated, holder = one, one, by
            case accounts.SeatAssigned(holder=by):
                served, seated, holder = (served or one, one, by) if by.person != HOUSE else (served, one, None)
            case deals.MeetingHeld() | deals.ProposalSent() if served is not None and holder is not None:
                actor = one.envelope.actor
                if actor is None or actor.person in (holder.person, HOUSE) or actor.role == Role.MANAGER:
                    continue
                line = one.event.line
                case = _case("C3", client, line, served.claim(holder), one.claim(actor), [served, one])
                yield _because(case, seated, served, one)
            case _:
                pass


def sold_by_somebody_else(client: str, story: Story) -> Iterator[Case]:
    """C4: a repeat sale entered by a person who neither serves the client nor has an agreed part.

    The station lets the holder, the whole team, who sold first and a manager enter a sale; pay follows who served when
    it was made. Who serves when it is entered keeps the books, the predecessor's too, and a manager acts for others: no
    claim. A colleague or a hunter without the seat at either time works somebody's client, and that is one. Whoever
    served as far as anybody knew when it was entered had the right to, whatever is said of that day later.
    """
    seats = [(one.event, one) for one in story if isinstance(one.event, accounts.SeatAssigned)]
    for one in story:
        actor = one.envelope.actor
        if not isinstance(one.event, accounts.RepeatSale) or actor is None or actor.role == Role.MANAGER:
            continue
        sale = one.event.sale
        written = one.envelope.recorded_at
        held, now = _seat_at(seats, sale.sold_at), _seat_at(seats, written)
        if held is None or held[0].holder.person == HOUSE:
            continue
        known = _seat_at((seat for seat in seats if seat[1].envelope.recorded_at <= written), written)
        concerned = {seat[0].holder.person for seat in (held, now, known) if seat is not None}
        if actor.person not in concerned | {part.person for part in sale.splits}:
            case = _case(
                "C4", client, sale.line, held[1].claim(held[0].holder), one.claim(actor), [held[1], one],
                sale_id=sale.sale_id, net=sale.net, currency=sale.currency,
            )  # fmt: skip
            yield _because(case, now[1] if now is not None else None, held[1], one)


def _because(case: Case, seated: Told | None, *events: Told) -> Case:
    """The case; where it shows only by what was recorded later of the seat, it rests on that, too. Its id stays."""
    if seated is None or seated.envelope.recorded_at <= max(one.envelope.recorded_at for one in events):
        return case
    order = sorted((*events, seated), key=lambda one: (one.at, one.id))
    return replace(case, events=tuple(one.id for one in order))


Taken = tuple[accounts.SeatAssigned, Told]


def _seat_at(seats: Iterable[Taken], at: datetime) -> Taken | None:
    """Who serves at an instant, in the order by which pay reads the seats."""
    begun = (seat for seat in seats if seat[0].since <= at)
    return max(begun, key=lambda seat: (seat[0].since, seat[1].envelope.recorded_at, seat[1].id), default=None)


def two_for_one_need(client: str, story: Story) -> Iterator[Case]:
    """C5: an opportunity is opened for a need for which another one is open. Whichever is won, the sale is disputed."""
    working: dict[str, Told] = {}
    pairs: list[tuple[Told, Told, Case]] = []
    for one in story:
        match one.event:
            case deals.OpportunityOpened(need_ids=needs, line=line, converted_by=by):
                for need in needs:
                    before = working.get(need)
                    if before is not None and isinstance(before.event, deals.OpportunityOpened):
                        first = before.claim(before.event.converted_by)
                        case = _case("C5", client, line, first, one.claim(by), [before, one])
                        pairs.append((before, one, case))
                        yield case
                    working.setdefault(need, one)
            case deals.OpportunityLost(opportunity_id=over) | deals.DealClosed(opportunity_id=over):
                if isinstance(one.event, deals.DealClosed):
                    yield from (_won(case, one, one.event) for *two, case in pairs if _opened(two, over))
                working = {
                    need: opened
                    for need, opened in working.items()
                    if not (isinstance(opened.event, deals.OpportunityOpened) and opened.event.opportunity_id == over)
                }
            case _:
                pass


def _opened(pair: Sequence[Told], opportunity: str) -> bool:
    events = (one.event for one in pair)
    return any(isinstance(e, deals.OpportunityOpened) and e.opportunity_id == opportunity for e in events)


def _won(case: Case, one: Told, deal: deals.DealClosed) -> Case:
    """The same case, about a sale by now."""
    sale, events = deal.sale, (*case.events, one.id)
    return replace(case, at=one.at, events=events, sale_id=sale.sale_id, net=sale.net, currency=sale.currency)


def second_first_sales(client: str, story: Story) -> Iterator[Case]:
    """C6: a first sale of somebody's customer, tried or made. A returned client's new journey has a first sale, too."""
    firsts: dict[str | None, tuple[Told, Seat]] = {}
    for one in story:
        match one.event:
            case deals.DealClosed(sale=sale):
                first, by = firsts.setdefault(one.envelope.journey_id, (one, sale.converted_by))
                if first is not one:
                    yield _case(
                        "C6", client, sale.line, first.claim(by), one.claim(sale.converted_by), [first, one],
                        sale_id=sale.sale_id, net=sale.net, currency=sale.currency,
                    )  # fmt: skip
            case deals.DealRefused(attempted_by=by, served_by=served_by, net=net, currency=currency, line=line):
                newest, seller = next(reversed(firsts.values()), (None, None))
                holder = served_by or seller
                if holder is not None and holder.person != by.person:
                    events = [newest, one] if newest is not None else [one]
                    a, b = events[0].claim(holder), one.claim(by)
                    yield _case("C6", client, line, a, b, events, net=net, currency=currency)
            case _:
                pass


def _lead(rejected: Told) -> LeadRejected | None:
    event = rejected.event
    if not isinstance(event, deals.LeadRejected):
        return None
    return LeadRejected(event.offer_id, event.need_id, rejected.at, rejected.id)


def back_and_forth(client: str, story: Story) -> Iterator[Case]:
    """C7: one need is rejected twice or more. One case, which grows with every rejection."""
    rejected: defaultdict[str, list[Told]] = defaultdict(list)
    for one in story:
        if isinstance(one.event, deals.LeadRejected):
            rejected[one.event.need_id].append(one)
    for events in rejected.values():
        last = events[-1].event
        if len(events) > 1 and isinstance(last, deals.LeadRejected):
            a, b = events[0].claim(last.sourced_by), events[-1].claim(last.rejected_by)
            case = _case("C7", client, last.line, a, b, events[:2], lead=_lead(events[0]))
            yield replace(case, at=events[-1].at, events=tuple(one.id for one in events))


def rejected_and_sold(client: str, story: Story) -> Iterator[Case]:
    """C8: who rejects a lead sells to its client inside the credit window of whoever found it.

    Of several rejections the newest whose window is open names the claim. A lead accepted in the end was not stolen.
    """
    until = {one.event.offer_id: one.event.credit_until for one in story if isinstance(one.event, leads.LeadQualified)}
    rejected: defaultdict[str, list[tuple[Told, Seat, datetime]]] = defaultdict(list)
    for one in story:
        match one.event:
            case deals.LeadRejected(rejected_by=by, sourced_by=scout, offer_id=offer):
                rejected[by.person].append((one, scout, until.get(offer, one.at + CREDIT_WINDOW)))
            case deals.LeadAccepted(converted_by=by):
                rejected.pop(by.person, None)
            case deals.DealClosed(sale=sale):
                for before, scout, ends in reversed(rejected[sale.converted_by.person]):
                    if sale.sourced_by.person != scout.person and sale.sold_at < ends:
                        yield _case(
                            "C8", client, sale.line, before.claim(scout), one.claim(sale.converted_by), [before, one],
                            sale_id=sale.sale_id, net=sale.net, currency=sale.currency, lead=_lead(before),
                        )  # fmt: skip
                        break
            case _:
                pass


def kept_back(client: str, story: Story) -> Iterator[Case]:
    """C9: a need is known, its handover was due, and the lead was not offered."""
    for one in story:
        if isinstance(one.event, leads.HandoverOverdue):
            yield _case("C9", client, one.event.line, one.claim(one.event.sourced_by), None, [one])


LOOKS: tuple[Callable[[str, Story], Iterator[Case]], ...] = (
    refused_registrations,
    active_after_the_handover,
    sold_by_somebody_else,
    two_for_one_need,
    second_first_sales,
    back_and_forth,
    rejected_and_sold,
    kept_back,
)
