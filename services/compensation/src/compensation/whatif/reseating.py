"""Another variant: who would have sat in which seat, and by which plan they would have been paid.

The role of a seat is that of its station in the table. Where hands no longer change between two stations, the person of
the earlier seat keeps the client; where they newly change, nobody is known who would have received it, so the person
stays and only the role changes. What the house holds it goes on holding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from compensation.facts import (
    Cancelled,
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
from compensation.rules import Salary
from compensation.whatif.drafting import ALWAYS_KNOWN
from conveyor_events import HOUSE
from conveyor_events.words import VARIANTS, Station, changes_hands, role_at

STATION_OF = {
    "sourced_by": Station.LEAD_GEN,
    "converted_by": Station.CONVERSION,
    "served_by": Station.ACCOUNT_MGMT,
}
ASSUMES = (
    "where hands no longer change, who had the client at the earlier station keeps it; prices and sales stay the same",
    "where hands newly change, the person stays in the seat under its new role, because a receiver is not known",
    "whose role the variant does not have is paid by the plan of the role that works at their station",
    "who takes on a role beside their own gets that role's variable pay without its salary",
)


def line_of(fact: Fact) -> str | None:
    """The line on which it happened; None for staff and for what no rule pays for."""
    data = fact.data
    match data:
        case Sold(sale) | Paid(sale=sale) | Refunded(sale=sale) | Cancelled(sale=sale):
            return sale.line
        case _:
            return getattr(data, "line", None)


class Reseating:
    """The seats of a variant, for facts of one line or of all."""

    def __init__(self, facts: Iterable[Fact], variant: str, line: str | None = None) -> None:
        self.line, self.variant = line, variant
        self.roles = {seat: str(role_at(variant, station)) for seat, station in STATION_OF.items()}
        self.keeps_lead = not changes_hands(variant, Station.LEAD_GEN, Station.CONVERSION)
        self.keeps_buyer = not changes_hands(variant, Station.CONVERSION, Station.ACCOUNT_MGMT)
        self.closers: dict[str, tuple[bool, str]] = {}
        self.seated: set[tuple[str, str]] = set()
        for fact in facts:
            self._learn(fact)

    def _learn(self, fact: Fact) -> None:
        """Who made the client's first sale; until one is known, who took the lead."""
        client = fact.client_id or ""
        match fact.data:
            case Sold(sale) | Paid(sale=sale) if sale.first or client not in self.closers:
                self.closers[client] = sale.first, self._closer(sale.sourced_by, sale.converted_by).person
            case Milestone(seats=seats) if "converted_by" in seats and not self.closers.get(client, (False, ""))[0]:
                self.closers[client] = False, self._closer(seats.get("sourced_by"), seats["converted_by"]).person
            case _:
                pass

    def fact(self, fact: Fact) -> Fact:
        """The fact as the variant would have stamped it."""
        if self.line is not None and line_of(fact) != self.line:
            return fact
        data = fact.data
        match data:
            case Sold(sale) | Paid(sale=sale) | Refunded(sale=sale) | Cancelled(sale=sale):
                return replace(fact, data=replace(data, sale=self._sale(sale)))
            case Milestone(seats=seats):
                return replace(fact, data=replace(data, seats=self._seats(seats, fact.client_id or "")))
            case Seated(seat=seat, holder=holder):
                return replace(fact, data=replace(data, holder=self._seat(seat, holder, fact.client_id or "")))
            case Invalidated(sourced_by=seat):
                return replace(fact, data=replace(data, sourced_by=self._as("sourced_by", seat.person)))
            case Rejected(sourced_by=seat, rejected_by=by):
                found, refused = self._as("sourced_by", seat.person), self._as("converted_by", by.person)
                return replace(fact, data=replace(data, sourced_by=found, rejected_by=refused))
            case _:
                return fact

    def _as(self, seat: str, person: str) -> Seat:
        self.seated.add((person, self.roles[seat]))
        return Seat(person, self.roles[seat])

    def _closer(self, sourced: Seat | None, converted: Seat) -> Seat:
        kept = self.keeps_lead and sourced is not None and sourced.person != HOUSE
        return sourced if kept and sourced is not None else converted

    def _seat(self, seat: str, holder: Seat, client: str) -> Seat:
        if seat not in self.roles:
            return holder
        if seat == "served_by" and self.keeps_buyer and client in self.closers:
            return self._as(seat, self.closers[client][1])
        return self._as(seat, holder.person)

    def _seats(self, seats: Mapping[str, Seat], client: str) -> dict[str, Seat]:
        found = {seat: self._seat(seat, holder, client) for seat, holder in seats.items()}
        if "converted_by" in seats:
            found["converted_by"] = self._as(
                "converted_by", self._closer(seats.get("sourced_by"), seats["converted_by"]).person
            )
        return found

    def _sale(self, sale: Sale) -> Sale:
        closer = self._closer(sale.sourced_by, sale.converted_by).person
        server = closer if self.keeps_buyer else sale.served_by.person if sale.served_by else None
        moved = {sale.converted_by.person: closer}
        if sale.served_by is not None and server is not None:
            moved = {sale.served_by.person: server} if not sale.first else moved
        return replace(
            sale,
            sourced_by=self._as("sourced_by", sale.sourced_by.person),
            converted_by=self._as("converted_by", closer),
            served_by=self._as("served_by", server) if sale.served_by is not None and server is not None else None,
            splits=tuple(self._parts(sale, moved)),
        )

    def _parts(self, sale: Sale, moved: Mapping[str, str]) -> Iterator[Part]:
        """The parts as agreed, each in the role of its station; two parts that fall to one person become one."""
        parts: dict[tuple[str, str], Part] = {}
        for part in sale.splits:
            seat = "served_by" if not sale.first and sale.served_by and part.role == sale.served_by.role else None
            if seat is None:
                seat = "sourced_by" if part.role == sale.sourced_by.role != sale.converted_by.role else "converted_by"
            taken = self._as(seat, moved.get(part.person, part.person))
            key = taken.person, taken.role
            weight = part.weight + parts[key].weight if key in parts else part.weight
            parts[key] = Part(taken.person, taken.role, weight)
        yield from parts.values()


def paid_by(
    plans: Sequence[PlanVersion], assignments: Sequence[Assignment], reseating: Reseating
) -> tuple[list[PlanVersion], list[Assignment]]:
    """By which plans the people of the new seats are paid."""
    roles = {str(role) for role in VARIANTS[reseating.variant].values()}
    versions, people = list(plans), []
    for a in assignments:
        station = next((s for row in VARIANTS.values() for s, role in row.items() if role == a.role), None)
        elsewhere = reseating.line is not None and a.line != reseating.line
        plan = _plan_of(str(role_at(reseating.variant, station)), plans, assignments) if station else None
        if elsewhere or a.role in roles or station is None or plan is None:
            people.append(a)
        else:
            people.append(replace(a, plan=plan, role=str(role_at(reseating.variant, station))))
    has = {(a.person, a.role) for a in people}
    for person, role in sorted(reseating.seated - has):
        plan = _plan_of(role, plans, assignments)
        mine = [a for a in people if a.person == person]
        if plan is None or not mine:
            continue
        variable = f"{plan}.variable"
        if all(version.plan.plan != variable for version in versions):
            versions += _without_salary(plans, plan, variable)
        if any(version.plan.plan == variable for version in versions):
            people += [replace(a, plan=variable, role=role, line=reseating.line or a.line) for a in mine]
    return versions, people


def _plan_of(role: str, plans: Sequence[PlanVersion], assignments: Sequence[Assignment]) -> str | None:
    """The plan by which the role is paid: the one with the most people, then the first by name."""
    named = {version.plan.plan for version in plans if version.plan.role == role}
    held = [a.plan for a in assignments if a.role == role]
    return min(named, key=lambda name: (-held.count(name), name), default=None)


def _without_salary(plans: Sequence[PlanVersion], plan: str, name: str) -> Iterator[PlanVersion]:
    for version in plans:
        rules = tuple(rule for rule in version.plan.rules if not isinstance(rule, Salary))
        if version.plan.plan == plan and rules:
            yield PlanVersion(version.plan.model_copy(update={"plan": name, "rules": rules}), ALWAYS_KNOWN)
