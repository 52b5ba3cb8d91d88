"""The same facts as they would have been: other hands under another variant, other expiries under another policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from belt.core.calendar import Calendar
from belt.core.ids import derived
from compensation.facts import (
    Cancelled,
    Data,
    Fact,
    Invalidated,
    Milestone,
    Paid,
    Part,
    Refunded,
    Rejected,
    Sale,
    Seat,
    Seated,
    Sold,
)
from compensation.plan import Assignment, PlanVersion
from compensation.whatif.scenario import Scenario
from conveyor_events import HOUSE
from conveyor_events.words import VARIANTS, Role, Station

SEATS = {
    "sourced_by": Station.LEAD_GEN,
    "converted_by": Station.CONVERSION,
    "served_by": Station.ACCOUNT_MGMT,
}
ALWAYS = datetime.min.replace(tzinfo=UTC)
HOME = {
    str(role): station
    for station in Station
    for role in Role
    if all(seats[station] is role for seats in VARIANTS.values() if role in seats.values())
    and any(seats[station] is role for seats in VARIANTS.values())
}
"""The station a role works at in every variant that has it."""


def otherwise(facts: Iterable[Fact], scenario: Scenario, zone: str) -> Iterator[Fact]:
    """The facts under the scenario's policy and variant."""
    told: Iterable[Fact] = facts
    if scenario.accept_within_hours is not None:
        told = _answered_within(list(told), scenario.accept_within_hours, Calendar(zone))
    if scenario.variant is not None:
        told = _in_other_hands(list(told), scenario.variant)
    yield from told


# --- another policy -------------------------------------------------------------------------------------------------


def _answered_within(facts: Sequence[Fact], hours: int, calendar: Calendar) -> Iterator[Fact]:
    """An answer after the due time is silence: the offer expires, and that pays the finder. Sales stay as they were."""
    offered = {
        fact.data.offer_id: fact.occurred_at
        for fact in facts
        if fact.name == "LeadQualified" and isinstance(fact.data, Milestone) and fact.data.offer_id is not None
    }

    def due(offer: str | None) -> datetime | None:
        at = offered.get(offer or "")
        return calendar.due(at, hours) if at is not None else None

    for fact in facts:
        data = fact.data
        match data:
            case Rejected(offer_id=offer) if (until := due(offer)) is not None and fact.occurred_at >= until:
                yield _expired(fact, data.line, data.sourced_by, data.need_id, offer, until)
            case Milestone(offer_id=offer) if fact.name == "LeadOfferExpired" and (until := due(offer)) is not None:
                yield replace(fact, occurred_at=until, data=replace(data, due_at=until))
            case Milestone(offer_id=offer, mode=mode) if (
                fact.name == "LeadAccepted"
                and mode == "accepted"
                and (until := due(offer)) is not None
                and fact.occurred_at >= until
            ):
                yield _expired(fact, data.line, data.seats["sourced_by"], data.need_id or "", offer or "", until)
                yield fact
            case _:
                yield fact


def _expired(fact: Fact, line: str, sourced_by: Seat, need: str, offer: str, due: datetime) -> Fact:
    silence = Milestone(line, {"sourced_by": sourced_by}, need, offer, None, due)
    name = derived(fact.event_id, "expired")
    return replace(fact, event_id=name, name="LeadOfferExpired", occurred_at=due, data=silence)


# --- another variant ------------------------------------------------------------------------------------------------


def _in_other_hands(facts: Sequence[Fact], variant: str) -> Iterator[Fact]:
    """Every seat in the role of its station; and where hands no longer change, with whoever had the client before."""
    found = {f.client_id: f.data.sale.sourced_by for f in facts if isinstance(f.data, Sold) and f.data.sale.first}
    won = {f.client_id: f.data.sale.converted_by for f in facts if isinstance(f.data, Sold) and f.data.sale.first}
    hands = _Hands(variant, found, won)
    for fact in facts:
        yield replace(fact, data=hands.data(fact))


class _Hands:
    def __init__(self, variant: str, found: dict[str | None, Seat], won: dict[str | None, Seat]) -> None:
        self._role = {seat: str(VARIANTS[variant][station]) for seat, station in SEATS.items()}
        self._found, self._won = found, won

    def seat(self, name: str, seat: Seat, client: str | None) -> Seat:
        """Who sits there under the variant. The house stays the house."""
        if seat.person == HOUSE:
            return seat
        person = seat.person
        finder, winner = self._found.get(client), self._won.get(client)
        if name == "served_by" and self._role["served_by"] == self._role["converted_by"] and winner is not None:
            person, name = winner.person, "converted_by"
        kept = name == "converted_by" and self._role["converted_by"] == self._role["sourced_by"]
        if kept and finder is not None and finder.person != HOUSE:
            person = finder.person
        return Seat(person, self._role[name])

    def data(self, fact: Fact) -> Data:
        data, client = fact.data, fact.client_id
        match data:
            case Milestone(seats=seats):
                return replace(data, seats={name: self.seat(name, seat, client) for name, seat in seats.items()})
            case Rejected():
                return replace(data, sourced_by=self.seat("sourced_by", data.sourced_by, client))
            case Seated(seat=name, holder=holder):
                return replace(data, holder=self.seat(name, holder, client))
            case Invalidated():
                return replace(data, sourced_by=self.seat("sourced_by", data.sourced_by, client))
            case Sold() | Paid() | Refunded() | Cancelled():
                return replace(data, sale=self._sale(data.sale, client))
            case _:
                return data

    def _sale(self, sale: Sale, client: str | None) -> Sale:
        served = self.seat("served_by", sale.served_by, client) if sale.served_by is not None else None
        return replace(
            sale,
            sourced_by=self.seat("sourced_by", sale.sourced_by, client),
            converted_by=self.seat("converted_by", sale.converted_by, client),
            served_by=served,
            splits=tuple(Part(p.person, self._in(p.role), p.weight) for p in sale.splits),
        )

    def _in(self, role: str) -> str:
        station = HOME.get(role)
        seat = next((name for name, at in SEATS.items() if at is station), None)
        return self._role[seat] if seat is not None else role


# --- who is paid by which plan --------------------------------------------------------------------------------------


def other_plans(
    plans: Sequence[PlanVersion], assignments: Sequence[Assignment], scenario: Scenario
) -> tuple[list[PlanVersion], list[Assignment]]:
    """Plan versions and assignments. A draft follows the versions of its plan; a new one, those of its role."""
    kept, assigned = list(plans), list(assignments)
    for draft in scenario.plans:
        named = [v for v in plans if v.plan.plan == draft.plan]
        replaced = named or [v for v in plans if v.plan.role == draft.role]
        for plan in dict.fromkeys(v.plan.plan for v in replaced):
            number = 1 + max(v.plan.version for v in replaced if v.plan.plan == plan)
            stands = {"plan": plan, "version": number, "effective_from": scenario.first.first_day}
            kept.append(PlanVersion(draft.model_copy(update=stands), ALWAYS))
    if scenario.variant is not None:
        assigned = _in_the_variant(assigned, scenario.variant)
    return kept, assigned


def _in_the_variant(assignments: Sequence[Assignment], variant: str) -> list[Assignment]:
    """Who works in a role that the variant lacks takes the role, and the plan, of whoever has their station."""
    roles = {str(role) for role in VARIANTS[variant].values()}
    plan_of: dict[str, str] = {}
    for one in assignments:
        plan_of.setdefault(one.role, one.plan)
    found = []
    for one in assignments:
        station = HOME.get(one.role)
        if one.role in roles or station is None:
            found.append(one)
            continue
        role = str(VARIANTS[variant][station])
        found.append(replace(one, role=role, plan=plan_of.get(role, one.plan)))
    return found
