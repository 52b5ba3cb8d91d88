"""The short notation of facts in case files: one small document for each word."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from compensation.documents import Written
from conveyor_events import HOUSE, Amount


def _moment(value: object) -> date | datetime:
    """`2026-03-10` is noon of the day; `2026-03-10 18:30` is local time; an offset or Z is taken as written."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"{value!r} is not a day (2026-03-10) or a time (2026-03-10 18:30)")


Moment = Annotated[date | datetime, BeforeValidator(_moment)]


def instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """The moment as an aware time."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(12), zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


class Fact(Written):
    """What every written fact has: when it happened, since when it is known (the same, unless `recorded` says so)."""

    on: Moment
    recorded: Moment | None = None
    id: str | None = None
    variant: str | None = None


class OfClient(Fact):
    """A fact about one client."""

    client: str
    line: str | None = None


class OfClients(Fact):
    """A fact about one client or several of them."""

    client: str | None = None
    clients: str | list[str] | None = None
    line: str | None = None
    sourced_by: str

    def each(self) -> list[str]:
        """One client, a list of them, or a range such as v1..v12."""
        if (self.client is None) == (self.clients is None):
            raise ValueError("give either client or clients")
        named = self.client if self.clients is None else self.clients
        if isinstance(named, list):
            return named
        first, dots, last = (named or "").partition("..")
        if not dots:
            return [first]
        stem = first.rstrip("0123456789")
        if not last.startswith(stem) or not first[len(stem) :] or not last[len(stem) :].isdigit():
            raise ValueError(f"{named!r} is not a range such as v1..v12")
        return [f"{stem}{n}" for n in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)]


class Verified(OfClients):
    """Prospects enter the base."""


class Invalidated(OfClients):
    """Prospects turn out to be none."""

    was_verified: bool = True
    reason: str = "no_such"


class OfLead(OfClient):
    """A fact about a lead."""

    need: str = "need"
    offer: str | None = None
    attempt: Annotated[int, Field(ge=1)] = 1
    sourced_by: str


class Accepted(OfLead):
    """A lead is taken."""

    converted_by: str
    mode: str = "accepted"


class Rejected(OfLead):
    """A lead is refused."""

    rejected_by: str
    reason: str


class Expired(OfLead):
    """Nobody answered a lead in time."""

    to: str | None = None


class Serves(OfClient):
    """Who serves the client from here on."""

    served_by: str
    role: str | None = None


class FirstSale(OfClient):
    """A first sale, by one closer or split among several."""

    sale: str
    net: Amount
    tax: Amount = Decimal(0)
    currency: str | None = None
    sourced_by: str = HOUSE
    converted_by: str
    split: dict[str, Amount] = Field(default_factory=dict)


class CoSeller(Written):
    """An agreed part of a repeat sale."""

    role: str
    weight: Amount


class Legacy(Written):
    """Who served the client before, and until when that counts."""

    person: str
    until: Moment


class RepeatSale(OfClient):
    """A repeat sale; who is paid says `serves`, or the co-sellers."""

    sale: str
    net: Amount
    tax: Amount = Decimal(0)
    currency: str | None = None
    sourced_by: str = HOUSE
    converted_by: str = HOUSE
    served_by: str = HOUSE
    co_sell: dict[str, CoSeller] = Field(default_factory=dict)
    legacy: Legacy | None = None


class Payment(Fact):
    """Money came in."""

    sale: str
    net: Amount
    payment: str | None = None


class Refund(Fact):
    """Money went back: out of the payment named, else the oldest that has some left."""

    sale: str
    net: Amount
    payment: str | None = None


class Cancelled(Fact):
    """A first sale is off."""

    sale: str
    reason: str = "client_withdrew"


class Churned(OfClient):
    """A customer left for good."""

    served_by: str
    reason: str = "price"


class Regular(OfClient):
    """A buyer became a regular customer."""

    served_by: str
    purchases: int = 3


class Person(Fact):
    """A person is hired, or leaves after this day."""

    person: str
