"""A tiny stream for the store's tests: a counter that can be raised, named, reserved and timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text

from belt.core.decider import Due, Private, Public, Refused, Step, Stream
from belt.io.store.projection import StreamView, version_columns
from conveyor_events.leads import LeadWithdrawn

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Raise:
    by: int = 1
    events: int = 1
    who: str = "x"
    only_below: int | None = None


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Reserve:
    value: str


@dataclass(frozen=True)
class Remind:
    at: datetime


@dataclass(frozen=True)
class Ring:
    at: datetime


@dataclass(frozen=True)
class Pass:
    to: str


@dataclass(frozen=True)
class Object:
    keep: bool


@dataclass(frozen=True)
class Raised:
    at: datetime
    by: int
    who: str = "x"


@dataclass(frozen=True)
class Named:
    at: datetime
    client: str
    name: Private[str]


@dataclass(frozen=True)
class Reserved:
    at: datetime
    value: str


@dataclass(frozen=True)
class Reminded:
    at: datetime
    due: datetime


@dataclass(frozen=True)
class Rang:
    at: datetime


@dataclass(frozen=True)
class Passed:
    at: datetime
    to: str


@dataclass(frozen=True)
class Objected:
    at: datetime


@dataclass(frozen=True)
class Counter:
    total: int = 0
    name: str = ""
    value: str | None = None
    due: datetime | None = None
    rang: int = 0
    objections: int = 0


def decide(command: Any, state: Counter) -> Sequence[Any]:
    match command:
        case Raise():
            if command.only_below is not None and state.total >= command.only_below:
                raise Refused("counter.full", total=state.total)
            return [Raised(AT, command.by, command.who)] * command.events
        case Name():
            return [Named(AT, "client-1", command.name)]
        case Reserve():
            return [Reserved(AT, command.value)]
        case Remind():
            return [Reminded(AT, command.at)]
        case Ring():
            return [Rang(command.at)] if state.due is not None else []
        case Pass():
            return [Passed(AT, command.to)]
        case Object():
            raise Refused("counter.objected", record=[Objected(AT)] if command.keep else [], why="so")
        case _:
            raise AssertionError(command)


def evolve(state: Counter, event: Any) -> Counter:
    match event:
        case Raised():
            return replace(state, total=state.total + event.by)
        case Named():
            return replace(state, name=event.name)
        case Reserved():
            return replace(state, value=event.value)
        case Reminded():
            return replace(state, due=event.due)
        case Rang():
            return replace(state, due=None, rang=state.rang + 1)
        case Objected():
            return replace(state, objections=state.objections + 1)
        case _:
            return state


def publish(event: Any, state: Counter) -> Sequence[Public]:
    if isinstance(event, Raised):
        told = LeadWithdrawn(line="l", offer_id=f"o{state.total}", need_id="n", reason=None)
        return [Public(told, event.at, "client-1", client_id="client-1")]
    return []


def follow(event: Any, _state: Counter) -> Sequence[Step]:
    return [Step("counter", event.to, Raise(100))] if isinstance(event, Passed) else []


def fold(row: Mapping[str, Any] | None, event: Any) -> Mapping[str, Any] | None:
    if isinstance(event, Raised):
        return {"id": event.who, "total": (row["total"] if row else 0) + event.by}
    return row


VIEW = StreamView(
    Table("counters", MetaData(), Column("id", Text, primary_key=True), Column("total", Integer), *version_columns()),
    shape=1,
    fold=fold,
)

COUNTER: Stream[Any, Any, Counter] = Stream(
    "counter",
    initial=Counter(),
    events=(Raised, Named, Reserved, Reminded, Rang, Passed, Objected),
    decide=decide,
    evolve=evolve,
    publish=publish,
    follow=follow,
    timers=lambda s: [Due("ring", s.due, Ring(s.due))] if s.due else [],
    claims=lambda s: [("value", s.value)] if s.value else [],
    view=VIEW,
)
STREAMS = {"counter": COUNTER}
