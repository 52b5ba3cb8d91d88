"""All facts, indexed once for the questions that pay asks."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from compensation.facts import (
    Adjusted,
    Cancelled,
    Churned,
    Contested,
    Decided,
    Fact,
    Hired,
    Invalidated,
    Left,
    Milestone,
    Paid,
    Refunded,
    Rejected,
    Ruled,
    Sale,
    Seated,
    Sold,
)
from conveyor_events import HOUSE


@dataclass(slots=True)
class SaleFile:
    """Everything received about one sale: how it was made, and the money that moved for it."""

    made: list[Fact] = field(default_factory=list)
    money: list[Fact] = field(default_factory=list)


def _order(fact: Fact) -> tuple[datetime, str]:
    return fact.order


def _money_order(fact: Fact) -> tuple[datetime, bool, str]:
    """Payments before what undoes them at the same instant; a refund never before the payment it gives back."""
    data = fact.data
    if isinstance(data, Refunded):
        return max(fact.occurred_at, data.payment_at), True, fact.event_id
    if isinstance(data, Cancelled):
        return fact.occurred_at, True, fact.event_id
    return fact.occurred_at, False, fact.event_id


def _made_order(fact: Fact) -> tuple[datetime, str]:
    return fact.recorded_at, fact.event_id


def _seat_order(fact: Fact) -> tuple[datetime, datetime, str]:
    data = fact.data
    since = data.since if isinstance(data, Seated) else fact.occurred_at
    return since, fact.recorded_at, fact.event_id


class History:
    """A set of facts: adding one twice, or in another order, changes nothing."""

    def __init__(self, facts: Iterable[Fact] = (), *, zone: str) -> None:
        self.zone = zone
        self.facts: dict[str, Fact] = {}
        self.journeys: defaultdict[str, list[Fact]] = defaultdict(list)
        self.sales: defaultdict[str, SaleFile] = defaultdict(SaleFile)
        self.named: set[str] = set()
        self.sales_of: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.repeats_of_client: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.seats: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
        self.seats_held: defaultdict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        self.milestones: defaultdict[str, list[Fact]] = defaultdict(list)
        self.milestones_of: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
        self.rejections: defaultdict[str, list[Fact]] = defaultdict(list)
        self.invalidations: defaultdict[str, list[Fact]] = defaultdict(list)
        self.churns: defaultdict[str, list[Fact]] = defaultdict(list)
        self.firsts_of_client: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.clients_of: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.staff: defaultdict[str, list[Fact]] = defaultdict(list)
        self.adjustments: defaultdict[str, list[Fact]] = defaultdict(list)
        self.contests: defaultdict[str, list[Fact]] = defaultdict(list)
        """By sale, and by the event of the younger claim."""
        self.rulings: dict[str, Fact] = {}
        """By case."""
        self.rulings_of_sale: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            self.add(fact)

    def add(self, fact: Fact) -> bool:
        """Takes a fact in; False if it was known already."""
        if fact.event_id in self.facts:
            return False
        self.facts[fact.event_id] = fact
        client = fact.client_id or ""
        if client:
            insort(self.journeys[client], fact, key=_order)
        match fact.data:
            case Sold() | Paid() | Refunded() | Cancelled():
                self._sale(fact.data.sale, fact, client)
            case Milestone(seats=seats):
                insort(self.milestones[client], fact, key=_order)
                for seat, holder in seats.items():
                    insort(self.milestones_of[holder.person, seat], fact, key=_order)
            case Seated(seat=seat, holder=holder):
                insort(self.seats[client, seat], fact, key=_seat_order)
                self.seats_held[holder.person][client, seat] = None
            case Rejected(offer_id=offer):
                insort(self.rejections[offer], fact, key=_order)
            case Invalidated():
                insort(self.invalidations[client], fact, key=_order)
            case Churned():
                insort(self.churns[client], fact, key=_order)
            case Hired(person=person) | Left(person=person):
                insort(self.staff[person], fact, key=_made_order)
            case Contested() | Ruled() | Adjusted():
                self._decision(fact, fact.data, client)
            case _:
                pass
        return True

    def _decision(self, fact: Fact, data: Decided, client: str) -> None:
        """What our own house found or decided."""
        match data:
            case Contested(sale=sale, event_id=event_id):
                for about in (sale, event_id):
                    if about is not None:
                        insort(self.contests[about], fact, key=_made_order)
            case Ruled():
                self._ruling(fact, data, client)
            case Adjusted(person=person):
                insort(self.adjustments[person], fact, key=_order)

    def _ruling(self, fact: Fact, ruled: Ruled, client: str) -> None:
        """A case is decided once. Who is credited with a rejected lead has it as if the rejection were overturned."""
        if ruled.case_id in self.rulings:
            return
        self.rulings[ruled.case_id] = fact
        if (sale := ruled.sale) is not None:
            insort(self.rulings_of_sale[sale], fact, key=_order)
            for seat in (ruled.a, ruled.b):
                if seat is not None:
                    self.sales_of[seat.person][sale] = None
        if ruled.lead is not None and ruled.outcome in ("credit_a", "split"):
            lead = ruled.lead
            taken = Milestone(
                ruled.line, {"sourced_by": ruled.a}, lead.need_id, lead.offer_id, "overturned", None,
                halved=ruled.outcome == "split",
            )  # fmt: skip
            counted = replace(fact, name="LeadAccepted", occurred_at=lead.rejected_at, data=taken)
            insort(self.milestones[client], counted, key=_order)
            insort(self.milestones_of[ruled.a.person, "sourced_by"], counted, key=_order)

    def _sale(self, sale: Sale, fact: Fact, client: str) -> None:
        """Files the sale under everybody who can be paid for it by its stamps; who serves is found by the seats."""
        file = self.sales[sale.key]
        if isinstance(fact.data, Sold):
            insort(file.made, fact, key=_made_order)
            if fact.data.legacy is not None:
                self.named |= {fact.data.legacy}
                self.sales_of[fact.data.legacy][sale.key] = None
            if not sale.first:
                self.repeats_of_client[client][sale.key] = None
        else:
            insort(file.money, fact, key=_money_order)
        self.named |= sale.people
        if sale.first:
            self.firsts_of_client[client][sale.key] = None
            for seat in (sale.sourced_by, sale.converted_by):
                self.clients_of[seat.person][client] = None
        holder = sale.converted_by if sale.first else sale.served_by
        for person in [part.person for part in sale.splits] or ([holder.person] if holder else []):
            self.sales_of[person][sale.key] = None

    @property
    def people(self) -> set[str]:
        """Everybody a fact names, without the house."""
        named = {*self.named, *self.seats_held, *self.staff, *(person for person, _ in self.milestones_of)}
        named |= self.adjustments.keys()
        return named - {HOUSE}
