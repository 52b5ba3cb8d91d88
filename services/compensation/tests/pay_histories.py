"""Random companies: people who come and go, plans that change, clients that buy, pay late and want money back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pay_plans import FIRST, document

from conveyor_events import Envelope, Event, Seat, accounts, deals, leads, staff, wire_type
from conveyor_events.sale import Sale, SplitPart

ZONE = "Europe/Berlin"
_LOCAL = ZoneInfo(ZONE)
DAYS = 240
LINES = ("north", "south")


@dataclass
class Company:
    """Everything the fold needs, as plain values: plans as documents with texts for numbers."""

    envelopes: list[Envelope]
    plans: list[tuple[dict[str, Any], datetime]]
    assignments: list[dict[str, Any]]
    rates: list[dict[str, Any]]
    people: list[str]


class Maker:
    """Writes the history of one company, always the same for one seed."""

    def __init__(self, seed: int, clients: int) -> None:
        self.rnd = Random(seed)
        self.events: list[Envelope] = []
        self.people = {"scout": ["ana", "egor"], "hunter": ["boris", "dina", "fedor"], "farmer": ["clara", "gleb"]}
        self.assignments: list[dict[str, Any]] = []
        versions = [(role, v) for role in self.people for v in (1, 2, 3)[: self.rnd.randint(1, 3)]]
        documents = [document(self.rnd, role, v) for role, v in versions]
        self.plans = [(d, self.at(self.rnd.randint(0, 60) if d["version"] != "1" else 0)) for d in documents]
        self.rates = [
            {
                "id": f"usd-{n}",
                "day": FIRST + timedelta(days=n),
                "rate": Decimal(self.rnd.randint(8000, 9999)).scaleb(-4),
                "recorded_at": self.at(n),
            }
            for n in range(DAYS)
            if self.rnd.random() < 0.8
        ]
        self._staff()
        self._others(Random(f"{seed}: other plans"))
        for number in range(clients):
            self._client(f"client-{number}")

    def at(self, day: int) -> datetime:
        """Some instant of that day, often at its very edge."""
        edge = self.rnd.random()
        clock = (
            time(0, 0) if edge < 0.1 else time(23, 59, 59, 999000) if edge < 0.2 else time(self.rnd.randint(1, 22), 30)
        )
        return datetime.combine(FIRST + timedelta(days=max(day, 0)), clock, _LOCAL).astimezone(UTC)

    def say(self, event: Event, at: datetime, client: str | None) -> Envelope:
        late = timedelta(days=self.rnd.choice([0, 0, 0, 1, 5, 40]))
        envelope = Envelope(
            id=UUID(int=self.rnd.getrandbits(128)),
            type=wire_type(event),
            schema_version=1,
            source="/conveyor/test",
            subject=client or "person",
            occurred_at=at,
            recorded_at=at + late,
            command_id="c",
            correlation_id="c",
            sequence=len(self.events),
            data=event.model_dump(mode="json"),
            client_id=client,
            journey_id=client,
            variant="scout-hunter-farmer",
        )
        self.events.append(envelope)
        return envelope

    def _staff(self) -> None:
        rnd = self.rnd
        for role, people in self.people.items():
            for person in people:
                since = FIRST + timedelta(days=rnd.choice([0, 0, 14, 45]))
                until = since + timedelta(days=rnd.randint(20, 150)) if rnd.random() < 0.3 else None
                line = rnd.choice(LINES) if rnd.random() < 0.2 else None
                entry = {"person": person, "plan": f"{role}-plan", "role": role, "line": line, "since": since}
                first = {**entry, "until": None, "recorded_at": self.at(0)}
                self.assignments.append(first)
                if until is not None:
                    self.assignments.append({**entry, "until": until, "recorded_at": self.at(70)})
                if rnd.random() < 0.3:
                    self.say(staff.StaffHired(person=person, hired_on=FIRST + timedelta(days=10)), self.at(0), None)
                if rnd.random() < 0.3:
                    last = rnd.randint(40, 160)
                    day = FIRST + timedelta(days=last)
                    end = datetime.combine(day, time(23, 59, 59), _LOCAL)
                    self.say(staff.StaffLeft(person=person, last_day=day, left_at=end), self.at(last), None)

    def _others(self, rnd: Random) -> None:
        """Some are put on another plan of their role, from a day on; some of those only for a time."""
        for role, people in self.people.items():
            other = document(rnd, role, 1) | {"plan": f"{role}-plan-2"}
            self.plans.append((other, self.at(0)))
            for first in [a for a in self.assignments if a["person"] in people and a["until"] is None]:
                if rnd.random() < 0.6 or sum(a["person"] == first["person"] for a in self.assignments) > 1:
                    continue
                change = first["since"] + timedelta(days=rnd.randint(10, 120))
                known = self.at((change - FIRST).days)
                until = change + timedelta(days=rnd.randint(0, 60)) if rnd.random() < 0.3 else None
                over = first | {"until": change - timedelta(days=1), "recorded_at": known}
                begun = {"plan": other["plan"], "since": change, "until": until, "recorded_at": known}
                self.assignments += [over, first | begun]

    def _client(self, client: str) -> None:
        rnd = self.rnd
        line, day = rnd.choice(LINES), rnd.randint(0, 60)
        scout = Seat(person=rnd.choice([*self.people["scout"], "house"]), role="scout")
        hunter = Seat(person=rnd.choice(self.people["hunter"]), role="hunter")
        if rnd.random() < 0.8:
            self.say(leads.ProspectVerified(line=line, sourced_by=scout, checks=["legal_active"]), self.at(day), client)
            if rnd.random() < 0.4:
                gone = leads.ProspectInvalidated(line=line, sourced_by=scout, reason="no_such", was_verified=True)
                self.say(gone, self.at(day + rnd.randint(0, 60)), client)
        for need in range(rnd.randint(0, 2)):
            self._lead(client, line, f"need-{need}", scout, hunter, day + rnd.randint(0, 60))
        if rnd.random() < 0.9:
            day += rnd.randint(0, 60)
            self._first_sale(client, line, scout, hunter, day)
            self._served(client, line, scout, hunter, day)

    def _lead(self, client: str, line: str, need: str, scout: Seat, hunter: Seat, day: int) -> None:
        rnd = self.rnd
        for attempt in range(1, rnd.randint(2, 3)):
            lead: dict[str, Any] = {"line": line, "offer_id": f"{client}/{need}/{attempt}", "need_id": need}
            lead.update(attempt=attempt, sourced_by=scout)
            end = rnd.choice(["accepted", "expired", "rejected", "overturned"])
            if end == "expired":
                due = self.at(day)
                self.say(deals.LeadOfferExpired(**lead, due_at=due), due, client)
                end = "accepted"
                day += 3
            if end in ("rejected", "overturned"):
                self.say(deals.LeadRejected(**lead, rejected_by=hunter, reason="duplicate"), self.at(day), client)
                day += rnd.randint(1, 40)
            if end in ("accepted", "overturned"):
                taken = deals.LeadAccepted(**lead, converted_by=hunter, mode=end, reroutes=0)
                self.say(taken, self.at(day), client)

    def _first_sale(self, client: str, line: str, scout: Seat, hunter: Seat, day: int) -> None:
        rnd = self.rnd
        parts = []
        if rnd.random() < 0.4:
            others = [p for p in self.people["hunter"] if p != hunter.person][: rnd.randint(1, 2)]
            parts = [
                SplitPart(person=p, role="hunter", weight=Decimal(rnd.choice(["1", "2", "0.5", "3.33"])))
                for p in [hunter.person, *others]
            ]
        sale = self._sale(client, line, "first", scout, hunter, day, splits=parts)
        deal = deals.DealClosed(
            sale=sale, deal_id=sale.sale_id, opportunity_id="o", tax=Decimal(0), payment_schedule=[]
        )
        self.say(deal, sale.sold_at, client)
        self._money(client, sale, deals, day)
        if rnd.random() < 0.2:
            off = deals.DealCancelled(sale=sale, deal_id=sale.sale_id, reason="client_withdrew")
            self.say(off, max(self.at(day + rnd.randint(0, 120)), sale.sold_at), client)

    def _sale(self, client: str, line: str, kind: str, scout: Seat, hunter: Seat, day: int, **more: Any) -> Sale:
        rnd = self.rnd
        net = rnd.choice(
            [Decimal(0), Decimal("0.05"), Decimal(1000)] + [Decimal(rnd.randint(1, 3000000)).scaleb(-2)] * 9
        )
        return Sale(
            sale_id=f"{client}/{kind}/{day}",
            kind=kind,
            line=line,
            net=net,
            currency=rnd.choice(["EUR", "EUR", "EUR", "USD"]),
            sold_at=self.at(day),
            sourced_by=scout,
            converted_by=hunter,
            **more,
        )

    def _served(self, client: str, line: str, scout: Seat, hunter: Seat, day: int) -> None:
        rnd = self.rnd
        start = day
        for _ in range(rnd.randint(0, 3)):
            holder = Seat(person=rnd.choice([*self.people["farmer"], "house"]), role="farmer")
            since = self.at(start)
            self.say(accounts.SeatAssigned(line=line, seat="served_by", holder=holder, since=since), since, client)
            start += rnd.randint(1, 60)
        for turn in range(rnd.randint(0, 3)):
            day += rnd.randint(1, 50)
            farmer = rnd.choice(self.people["farmer"])
            parts = []
            if rnd.random() < 0.3:
                other = rnd.choice([(hunter.person, "hunter"), ("gleb" if farmer == "clara" else "clara", "farmer")])
                parts = [
                    SplitPart(person=farmer, role="farmer", weight=Decimal(rnd.randint(1, 3))),
                    SplitPart(person=other[0], role=other[1], weight=Decimal(1)),
                ]
            sale = self._sale(
                client, line, "repeat", scout, hunter, day, splits=parts, served_by=Seat(person=farmer, role="farmer")
            )
            before = None
            if rnd.random() < 0.3:
                person = rnd.choice([*self.people["hunter"], *self.people["farmer"]])
                before = {"person": person, "until": rnd.choice([sale.sold_at, self.at(day + 1), self.at(day - 1)])}
            sold = accounts.RepeatSale.model_validate({"sale": sale, "tax": Decimal(0), "legacy": before})
            self.say(sold, sale.sold_at, client)
            self._money(client, sale, accounts, day)
            if turn and rnd.random() < 0.6:
                at = self.at(day)
                holder = Seat(person=farmer, role="farmer")
                regular = accounts.CustomerBecameRegular(line=line, served_by=holder, purchases=3, since=at)
                self.say(regular, at, client)

        if rnd.random() < 0.3:
            holder = Seat(person=rnd.choice(self.people["farmer"]), role="farmer")
            gone = accounts.CustomerChurned(line=line, served_by=holder, reason="moved_away")
            self.say(gone, self.at(day + rnd.randint(-30, 60)), client)

    def _money(self, client: str, sale: Sale, topic: Any, day: int) -> None:
        """Payments in parts, some given back in parts, some paid again afterwards."""
        rnd, left, total = self.rnd, sale.net, Decimal(0)
        paid: list[tuple[str, datetime, Decimal]] = []
        for number in range(rnd.randint(0, 4)):
            if not left:
                break
            net = left if rnd.random() < 0.5 else (left / rnd.randint(2, 3)).quantize(Decimal("0.01"))
            day, total = day + rnd.randint(0, 40), total + net
            at = self.at(day)
            name = f"{sale.sale_id}/{number}"
            payment = topic.PaymentReceived(
                payment_id=name, sale=sale, net=net, currency=sale.currency, paid_net_total=total
            )
            self.say(payment, at, client)
            paid.append((name, at, net))
            left -= net
            if rnd.random() < 0.3:
                left += self._refund(client, sale, topic, paid, day + rnd.randint(0, 120))

    def _refund(
        self, client: str, sale: Sale, topic: Any, paid: list[tuple[str, datetime, Decimal]], day: int
    ) -> Decimal:
        rnd = self.rnd
        name, at, net = paid.pop(rnd.randrange(len(paid)))
        back = Decimal(0)
        for part in range(rnd.randint(1, 3)):
            rest = net - back
            amount = rest if rnd.random() < 0.5 else (rest / 3).quantize(Decimal("0.01"))
            if not amount:
                break
            back += amount
            when = max(self.at(day + part * 20), at)
            refund = topic.PaymentRefunded(
                refund_id=f"{name}/back/{part}", payment_id=name, payment_at=at, sale=sale, net=amount,
                currency=sale.currency, refunded_net_total=back, empties=False,
            )  # fmt: skip
            self.say(refund, when, client)
        return back


def company(seed: int, clients: int) -> Company:
    """A company with so many clients; one seed, one company."""
    made = Maker(seed, clients)
    people = [person for staffed in made.people.values() for person in staffed]
    return Company(made.events, made.plans, made.assignments, made.rates, people)


def shuffled(envelopes: Sequence[Envelope], seed: int) -> list[Envelope]:
    """The same events in another order of arrival."""
    order = list(envelopes)
    Random(seed).shuffle(order)
    return order
