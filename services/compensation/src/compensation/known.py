"""The facts as they were known at an instant, and who has which part of a sale by them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from compensation.award import award
from compensation.facts import Contested, Fact, Ruled, Sale, Seat, Seated, Sold
from compensation.history import History
from compensation.plan import Rate
from conveyor_events import HOUSE


@dataclass(frozen=True, slots=True)
class Credit:
    """One person's part of a sale: `index` is its place among the weights."""

    fact: Fact
    sale: Sale
    role: str
    kind: str  # first; repeat; co_sell: another role's part of a repeat sale; legacy: who served before
    index: int
    weights: tuple[Decimal, ...]
    leg: int | None = None  # set where a decision moved the part: its lines keep their ids

    @property
    def order(self) -> tuple[datetime, str]:
        """The order of tiers."""
        return self.sale.sold_at, self.sale.sale_id


class Known:
    """The history as it was known at an instant; None is everything received so far."""

    def __init__(self, history: History, known_at: datetime | None = None, rates: Iterable[Rate] = ()) -> None:
        self.history = history
        self.known_at = known_at
        self._rates: dict[tuple[str, str, object], Rate] = {}
        for rate in sorted(rates, key=lambda rate: (rate.recorded_at, rate.rate_id)):
            if known_at is None or rate.recorded_at <= known_at:
                self._rates[rate.source, rate.target, rate.day] = rate

    def of(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Those of the facts that were known."""
        at = self.known_at
        return iter(facts) if at is None else (fact for fact in facts if fact.recorded_at <= at)

    def first(self, facts: Iterable[Fact]) -> Fact | None:
        """The first of the facts that was known."""
        return next(self.of(facts), None)

    def rate(self, source: str, target: str, day: object) -> Rate | None:
        """The rate of that business date; a later record of the same date replaces an earlier one."""
        return self._rates.get((source, target, day))

    def holder(self, client: str, seat: str, at: datetime) -> Seat | None:
        """Who held the seat at that instant; None is the house."""
        found = None
        for fact in self.of(self.history.seats.get((client, seat), ())):
            data = fact.data
            if isinstance(data, Seated):
                if data.since > at:
                    break
                found = data.holder
        return found if found and found.person != HOUSE else None

    def sale(self, key: str) -> Fact | None:
        """How the sale was made, if that is known."""
        return self.first(self.history.sales[key].made) if key in self.history.sales else None

    def money(self, key: str) -> Iterator[Fact]:
        """Payments and refunds of a sale in business order."""
        return self.of(self.history.sales[key].money)

    def sales_naming(self, person: str) -> Iterator[str]:
        """Sales the person may have a part in: by a stamp, or by serving the client at some time."""
        named = self.history.sales_of.get(person, {})
        yield from named
        for client, seat in self.history.seats_held.get(person, ()):
            if seat == "served_by":
                yield from (s for s in self.history.repeats_of_client.get(client, ()) if s not in named)

    def credits(self, person: str) -> list[Credit]:
        """The person's parts of all sales, in the order of tiers."""
        found: list[Credit] = []
        for key in self.sales_naming(person):
            made = self.sale(key)
            if made is not None:
                found.extend(credit for payee, credit in self.parts(made) if payee == person)
        found.sort(key=lambda credit: (*credit.order, credit.index))
        return found

    def contested(self, *about: str | None) -> str | None:
        """The case that makes what rests on this sale, or on these events, conditional; None once it is decided."""
        for key in about:
            for fact in self.of(self.history.contests.get(key or "", ())):
                if isinstance(fact.data, Contested):
                    ruling = self.history.rulings.get(fact.data.case_id)
                    if ruling is None or not any(self.of((ruling,))):
                        return fact.data.case_id
        return None

    def parts(self, made: Fact) -> Iterator[tuple[str, Credit]]:
        """Who has which part of a sale: as it was made, and as conflicts over it were decided."""
        rulings = [f.data for f in self.of(self.history.rulings_of_sale.get(_key(made), ()))]
        yield from award(list(self._stamped(made)), [ruled for ruled in rulings if isinstance(ruled, Ruled)])

    def _stamped(self, made: Fact) -> Iterator[tuple[str, Credit]]:
        """First sales are paid as stamped, repeat sales to who served at that instant."""
        data = made.data
        if not isinstance(data, Sold):
            return
        sale = data.sale
        if data.legacy is not None:
            # Beside the others, of the whole: what it costs is the plan's to say. The role is that of the time before.
            yield data.legacy, Credit(made, sale, "", "legacy", 0, (Decimal(1),))
        serving = None if sale.first else self.holder(made.client_id or "", "served_by", sale.sold_at)
        if sale.splits:
            weights = tuple(part.weight for part in sale.splits)
            serves = serving or sale.served_by
            for index, part in enumerate(sale.splits):
                kind = "first" if sale.first else "repeat"
                if not sale.first and serves is not None and part.role != serves.role:
                    kind = "co_sell"
                yield part.person, Credit(made, sale, part.role, kind, index, weights)
            return
        seat = sale.converted_by if sale.first else serving
        if seat is not None:
            yield seat.person, Credit(made, sale, seat.role, "first" if sale.first else "repeat", 0, (Decimal(1),))


def _key(made: Fact) -> str:
    return made.data.sale.key if isinstance(made.data, Sold) else ""
