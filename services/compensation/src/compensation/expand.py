"""The real public events that the written facts of a case file stand for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from compensation.documents import Fault, FaultyDocument, read
from compensation.notation import (
    Accepted,
    Cancelled,
    Churned,
    Expired,
    Fact,
    FirstSale,
    Invalidated,
    OfClient,
    OfClients,
    OfLead,
    Payment,
    Person,
    Refund,
    Regular,
    Rejected,
    RepeatSale,
    Serves,
    Verified,
    instant,
)
from conveyor_events import VARIANTS, Envelope, Event, Seat, Station, accounts, deals, leads, role_at, staff, wire_type
from conveyor_events.sale import Sale, SplitPart

_NAMESPACE = UUID("0f2b4a44-9d0f-5f0e-8c36-5b5b8f8ce2a7")


@dataclass(slots=True)
class _Till:
    """What was paid for a sale and given back, in the order of the file."""

    sale: Sale
    client: str
    topic: Any
    payments: dict[str, tuple[datetime, Decimal]] = field(default_factory=dict)
    given_back: dict[str, Decimal] = field(default_factory=dict)


class Expander:
    """Turns written facts into envelopes, one file at a time: payments find their sale, refunds their payment."""

    def __init__(self, *, case: str, zone: str, line: str, variant: str, currency: str) -> None:
        self.case, self.zone, self.line, self.variant, self.currency = case, ZoneInfo(zone), line, variant, currency
        self.tills: dict[str, _Till] = {}
        self.names: dict[str, str] = {}
        self.count = 0

    def expand(self, path: str, written: object) -> list[Envelope]:
        """The events a written fact stands for. Raises FaultyDocument with the path of the fault."""
        if not isinstance(written, dict) or len(written) != 1:
            raise FaultyDocument([Fault(path, "a fact is one word with its details, such as `payment: {...}`")])
        ((word, details),) = written.items()
        if word not in _WORDS:
            raise FaultyDocument([Fault(path, f"{word!r} is no fact; known are {', '.join(_WORDS)}")])
        model, build = _WORDS[word]
        path = f"{path}.{word}"
        try:
            fact = read(model, details)
            return [self._envelope(fact, event, client) for event, client in build(self, fact)]
        except FaultyDocument as wrong:
            raise FaultyDocument(
                [Fault(f"{path}.{f.path}" if f.path else path, f.message) for f in wrong.faults]
            ) from wrong
        except ValidationError as wrong:
            faults = [Fault(path, f"{'.'.join(map(str, e['loc']))}: {e['msg']}") for e in wrong.errors()]
            raise FaultyDocument(faults) from wrong
        except ValueError as wrong:
            raise FaultyDocument([Fault(path, str(wrong))]) from wrong

    def _envelope(self, fact: Fact, event: Event, client: str | None) -> Envelope:
        self.count += 1
        occurred = instant(fact.on, self.zone)
        event_id = uuid5(_NAMESPACE, f"{self.case}/{self.count}")
        if fact.id is not None:
            self.names[str(event_id)] = fact.id
        person = getattr(event, "person", "")
        return Envelope(
            id=event_id,
            type=wire_type(event),
            schema_version=event.VERSION,
            source="/conveyor/case",
            subject=client or person,
            occurred_at=occurred,
            recorded_at=instant(fact.recorded, self.zone) if fact.recorded else occurred,
            command_id=f"{self.case}/{self.count}",
            correlation_id=self.case,
            sequence=self.count,
            data=event.model_dump(mode="json"),
            client_id=client,
            journey_id=client,
            variant=fact.variant or self.variant,
        )

    def seat(self, person: str, station: Station, fact: Fact) -> Seat:
        """The person in the role that works at the station in this variant."""
        variant = fact.variant or self.variant
        if variant not in VARIANTS:
            raise ValueError(f"{variant!r} is no variant; known are {', '.join(VARIANTS)}")
        return Seat(person=person, role=role_at(variant, station))

    def scout(self, fact: OfClients | OfLead | FirstSale | RepeatSale) -> Seat:
        return self.seat(fact.sourced_by, Station.LEAD_GEN, fact)

    def on_line(self, fact: OfClient | OfClients) -> str:
        return fact.line or self.line

    def till(self, sale: str) -> _Till:
        if sale not in self.tills:
            raise ValueError(f"sale {sale!r} is not in the file above this fact")
        return self.tills[sale]


Built = Iterator[tuple[Event, str | None]]


def _verified(at: Expander, fact: Verified) -> Built:
    for client in fact.each():
        checks = ["reachable_phone", "decision_role_known", "legal_active"]
        yield leads.ProspectVerified(line=at.on_line(fact), sourced_by=at.scout(fact), checks=checks), client


def _invalidated(at: Expander, fact: Invalidated) -> Built:
    for client in fact.each():
        yield (
            leads.ProspectInvalidated(
                line=at.on_line(fact), sourced_by=at.scout(fact), reason=fact.reason, was_verified=fact.was_verified
            ),
            client,
        )


def _lead(at: Expander, fact: OfLead) -> dict[str, Any]:
    offer = fact.offer or f"{fact.client}/{fact.need}/{fact.attempt}"
    shared = {"line": at.on_line(fact), "offer_id": offer, "need_id": fact.need, "attempt": fact.attempt}
    return {**shared, "sourced_by": at.scout(fact)}


def _accepted(at: Expander, fact: Accepted) -> Built:
    hunter = at.seat(fact.converted_by, Station.CONVERSION, fact)
    yield deals.LeadAccepted(**_lead(at, fact), converted_by=hunter, mode=fact.mode, reroutes=0), fact.client


def _rejected(at: Expander, fact: Rejected) -> Built:
    hunter = at.seat(fact.rejected_by, Station.CONVERSION, fact)
    yield deals.LeadRejected(**_lead(at, fact), rejected_by=hunter, reason=fact.reason), fact.client


def _expired(at: Expander, fact: Expired) -> Built:
    to = at.seat(fact.to, Station.CONVERSION, fact) if fact.to else None
    yield deals.LeadOfferExpired(**_lead(at, fact), to=to, due_at=instant(fact.on, at.zone)), fact.client


def _serves(at: Expander, fact: Serves) -> Built:
    holder = at.seat(fact.served_by, Station.ACCOUNT_MGMT, fact)
    holder = Seat(person=holder.person, role=fact.role) if fact.role else holder
    since = instant(fact.on, at.zone)
    yield accounts.SeatAssigned(line=at.on_line(fact), seat="served_by", holder=holder, since=since), fact.client


def _sale(at: Expander, fact: FirstSale | RepeatSale, kind: str, **more: Any) -> Sale:
    return Sale(
        sale_id=fact.sale,
        kind=kind,
        line=at.on_line(fact),
        net=fact.net,
        currency=fact.currency or at.currency,
        sold_at=instant(fact.on, at.zone),
        sourced_by=at.scout(fact),
        converted_by=at.seat(fact.converted_by, Station.CONVERSION, fact),
        **more,
    )


def _first_sale(at: Expander, fact: FirstSale) -> Built:
    if fact.split and fact.converted_by not in fact.split:
        raise ValueError(f"{fact.converted_by} closed the sale and is not in its split")
    role = at.seat(fact.converted_by, Station.CONVERSION, fact).role
    parts = [SplitPart(person=person, role=role, weight=weight) for person, weight in fact.split.items()]
    sale = _sale(at, fact, "first", splits=parts)
    at.tills[fact.sale] = _Till(sale, fact.client, deals)
    yield (
        deals.DealClosed(
            sale=sale, deal_id=fact.sale, opportunity_id=f"{fact.client}/opportunity", tax=fact.tax, payment_schedule=[]
        ),
        fact.client,
    )


def _repeat_sale(at: Expander, fact: RepeatSale) -> Built:
    parts = [SplitPart(person=person, role=part.role, weight=part.weight) for person, part in fact.co_sell.items()]
    served_by = at.seat(fact.served_by, Station.ACCOUNT_MGMT, fact)
    sale = _sale(at, fact, "repeat", splits=parts, served_by=served_by)
    at.tills[fact.sale] = _Till(sale, fact.client, accounts)
    legacy = {"person": fact.legacy.person, "until": instant(fact.legacy.until, at.zone)} if fact.legacy else None
    yield accounts.RepeatSale.model_validate({"sale": sale, "tax": fact.tax, "legacy": legacy}), fact.client


def _payment(at: Expander, fact: Payment) -> Built:
    till = at.till(fact.sale)
    name = fact.payment or f"{fact.sale}/{len(till.payments) + 1}"
    if name in till.payments:
        raise ValueError(f"payment {name!r} is in the file already")
    till.payments[name] = instant(fact.on, at.zone), fact.net
    paid = sum((net for _, net in till.payments.values()), Decimal(0))
    money = {"sale": till.sale, "net": fact.net, "currency": till.sale.currency}
    yield till.topic.PaymentReceived(payment_id=name, paid_net_total=paid, **money), till.client


def _refund(at: Expander, fact: Refund) -> Built:
    till = at.till(fact.sale)
    left = {name: net - till.given_back.get(name, Decimal(0)) for name, (_, net) in till.payments.items()}
    name = fact.payment or next((n for n in sorted(left, key=lambda n: till.payments[n][0]) if left[n]), None)
    if name is None or name not in left or left[name] < fact.net:
        raise ValueError(f"payment {name!r} has {left.get(name or '', Decimal(0))} left, not {fact.net}: name another")
    till.given_back[name] = till.given_back.get(name, Decimal(0)) + fact.net
    given = sum(till.given_back.values(), Decimal(0))
    yield (
        till.topic.PaymentRefunded(
            refund_id=f"{fact.sale}/back/{at.count + 1}",
            payment_id=name,
            payment_at=till.payments[name][0],
            sale=till.sale,
            net=fact.net,
            currency=till.sale.currency,
            refunded_net_total=given,
            empties=given == sum((net for _, net in till.payments.values()), Decimal(0)),
        ),
        till.client,
    )


def _cancelled(at: Expander, fact: Cancelled) -> Built:
    till = at.till(fact.sale)
    yield deals.DealCancelled(sale=till.sale, deal_id=fact.sale, reason=fact.reason), till.client


def _churned(at: Expander, fact: Churned) -> Built:
    holder = at.seat(fact.served_by, Station.ACCOUNT_MGMT, fact)
    yield accounts.CustomerChurned(line=at.on_line(fact), served_by=holder, reason=fact.reason), fact.client


def _regular(at: Expander, fact: Regular) -> Built:
    holder = at.seat(fact.served_by, Station.ACCOUNT_MGMT, fact)
    since = instant(fact.on, at.zone)
    event = accounts.CustomerBecameRegular(
        line=at.on_line(fact), served_by=holder, purchases=fact.purchases, since=since
    )
    yield event, fact.client


def _hired(at: Expander, fact: Person) -> Built:
    yield staff.StaffHired(person=fact.person, hired_on=instant(fact.on, at.zone).astimezone(at.zone).date()), None


def _left(at: Expander, fact: Person) -> Built:
    last = instant(fact.on, at.zone).astimezone(at.zone)
    end = datetime.combine(last.date(), time(23, 59, 59, 999999), at.zone)
    yield staff.StaffLeft(person=fact.person, last_day=last.date(), left_at=end), None


_WORDS: dict[str, tuple[type[Fact], Callable[[Expander, Any], Built]]] = {
    "hired": (Person, _hired),
    "left": (Person, _left),
    "verified": (Verified, _verified),
    "invalidated": (Invalidated, _invalidated),
    "lead accepted": (Accepted, _accepted),
    "lead rejected": (Rejected, _rejected),
    "lead expired": (Expired, _expired),
    "first sale": (FirstSale, _first_sale),
    "repeat sale": (RepeatSale, _repeat_sale),
    "payment": (Payment, _payment),
    "refund": (Refund, _refund),
    "cancelled": (Cancelled, _cancelled),
    "churned": (Churned, _churned),
    "serves": (Serves, _serves),
    "regular": (Regular, _regular),
}
