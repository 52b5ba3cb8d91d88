"""A line with its people, the words of a story, and the station's streams at work in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest

from account_mgmt.main import STREAMS
from account_mgmt.reactions import react
from belt.core.decider import Due, Public, Refused, Step
from belt.io.store.decision import Missing, decide
from belt.io.store.unit import Entry, Meta, Unit
from conveyor_events import deals, staff
from conveyor_events.catalog import wire_type
from conveyor_events.envelope import Envelope
from conveyor_events.roster import Roster, evolve
from conveyor_events.sale import Sale
from conveyor_events.words import Event, Role, Seat, Station

LINE, CLIENT, JOURNEY, OFFER, DEAL, REPEAT = "machines", "client-1", "journey-1", "offer-1", "deal-1", "sale-2"
VARIANT = "scout-hunter-farmer"
ANA, BORIS = Seat(person="ana", role="scout"), Seat(person="boris", role="hunter")
CLARA, CYRIL, CORA = (Seat(person=name, role="farmer") for name in ("clara", "cyril", "cora"))
MARIA = Seat(person="maria", role="manager")
HOUSE = Seat(person="house", role="farmer")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
WON = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)  # a Tuesday, 15:30 in Berlin
NEXT_DAY = WON + timedelta(days=1)
DUE = datetime(2026, 3, 12, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def at(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def line(farmers: Sequence[str] = ("clara", "cyril", "cora"), **policy: Any) -> staff.LineStaffed:
    return staff.LineStaffed(
        line=LINE,
        variant=VARIANT,
        since=NEW_YEAR,
        zone="Europe/Berlin",
        currency="EUR",
        teams={
            Station.CONVERSION: staff.StationTeam(team="hunters", members=["boris"]),
            Station.ACCOUNT_MGMT: staff.StationTeam(team="farmers", members=list(farmers)),
        },
        managers=["maria"],
        policy=staff.Policy(**policy),
    )


def people(**roles: str) -> list[Event]:
    told: list[Event] = []
    for person, role in roles.items():
        told.append(staff.StaffHired(person=person, hired_on=date(2025, 1, 1)))
        told.append(staff.RoleGranted(person=person, role=role, since=NEW_YEAR - 30 * DAY))
    return told


STAFF: list[Event] = [
    *people(ana="scout", boris="hunter", clara="farmer", cyril="farmer", cora="farmer", maria=Role.MANAGER),
    line(),
]


def roster_of(told: Iterable[Event]) -> Roster:
    known = Roster()
    for event in told:
        known = evolve(known, event)
    return known


ROSTER = roster_of(STAFF)


def envelope(event: Event, when: datetime, number: int = 1, **more: Any) -> Envelope:
    about: dict[str, Any] = {"subject": CLIENT, "client_id": CLIENT, "journey_id": JOURNEY, "variant": VARIANT, **more}
    return Envelope(
        id=UUID(int=number),
        type=wire_type(event),
        schema_version=1,
        source="/conveyor/conversion",
        occurred_at=when,
        recorded_at=when,
        command_id="c",
        correlation_id="c",
        sequence=number,
        data=event.model_dump(mode="json"),
        **about,
    )


def first_sale(sold_at: datetime = WON, net: str = "10000.00") -> Sale:
    return Sale(
        sale_id=DEAL,
        kind="first",
        line=LINE,
        net=Decimal(net),
        currency="EUR",
        sold_at=sold_at,
        sourced_by=ANA,
        converted_by=BORIS,
    )


def deal_closed(sold_at: datetime = WON) -> deals.DealClosed:
    return deals.DealClosed(
        sale=first_sale(sold_at), deal_id=DEAL, opportunity_id="opp-1", tax=Decimal(2000), payment_schedule=[]
    )


def account_offered(to: Seat | None = CLARA, **more: Any) -> deals.AccountOffered:
    about: dict[str, Any] = {"offer_id": OFFER, "mode": "offer", "attempt": 1, "accept_due_at": DUE, **more}
    return deals.AccountOffered(
        line=LINE,
        deal_id=DEAL,
        to=to,
        team="farmers",
        sourced_by=ANA,
        converted_by=BORIS,
        checklist=["contacts"],
        **about,
    )


def refusal(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


@dataclass
class Line:
    """The streams of this station, decided as the belt decides them, kept in memory."""

    entries: dict[str, Entry] = field(default_factory=dict)
    told: list[Public] = field(default_factory=list)

    def do(self, *steps: Step) -> list[Any]:
        """Runs the steps as one unit; answers the private events. What is recorded with a refusal is kept as well."""
        unit = Unit(steps, "key", True, None, None, Meta(), None, None, None, cast("Any", None))
        try:
            decision = decide(unit, self.entries, STREAMS)
        except Missing as missing:
            for stream_id in missing.streams:
                self.entries[stream_id] = Entry(0, STREAMS[stream_id.partition("-")[0]].initial)
            return self.do(*steps)
        self.entries |= decision.after
        self.told += [public for happened in decision.happened for public in happened.publics]
        if decision.refused is not None:
            raise decision.refused
        return [happened.event for happened in decision.happened]

    def hears(self, event: Event, when: datetime, **more: Any) -> list[Any]:
        steps = react(event, envelope(event, when, **more))
        return self.do(*steps) if steps else []

    def command(self, category: str, key: str, command: Any) -> list[Any]:
        return self.do(Step(category, key, command))

    def state(self, category: str, key: str) -> Any:
        return self.entries[f"{category}-{key}"].state

    def row(self, category: str, key: str) -> Any:
        return self.entries[f"{category}-{key}"].row

    def dues(self, category: str, key: str) -> list[Due]:
        return list(STREAMS[category].timers(self.state(category, key)))

    def tick(self, upto: datetime) -> None:
        """Fires what is due, one after the other."""
        while True:
            due = [
                (due.at, stream_id, due)
                for stream_id, entry in self.entries.items()
                for due in STREAMS[stream_id.partition("-")[0]].timers(entry.state)
                if due.at <= upto
            ]
            if not due:
                return
            _, stream_id, first = min(due, key=lambda one: one[:2])
            category, _, key = stream_id.partition("-")
            self.do(Step(category, key, first.command))

    def names(self) -> list[str]:
        """What was told, in order."""
        return [type(public.data).__name__ for public in self.told]


def staffed(told: Iterable[Event] = STAFF) -> Line:
    """The station after it heard who works where."""
    station = Line()
    for event in told:
        station.hears(event, NEW_YEAR)
    return station


def offered(station: Line | None = None, **more: Any) -> Line:
    """… and after the client's deal was won and its account offered."""
    station = station or staffed()
    station.hears(deal_closed(), WON)
    station.hears(account_offered(**more), WON)
    return station
