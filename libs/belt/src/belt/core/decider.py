"""A stream as a value: what it may do (decide), what it remembers (evolve), what it tells others (publish).

Everything here is pure. Time and ids come in with the command; the same inputs always give the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from conveyor_events.words import Seat

C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")
T = TypeVar("T")

PRIVATE = "private"
Private = Annotated[T, PRIVATE]
"""Marks a personal field of an event: sealed with its holder's key wherever it is stored."""

ERASED = "[erased]"
"""What a private text reads as once its holder's key is destroyed."""


class Refused(Exception):
    """A command that may not be done now. `code` is stable and public, `facts` are shown to the caller.

    `record` holds events that are committed although the command is refused, because the refusal itself is a fact.
    """

    def __init__(self, code: str, *, record: Sequence[Any] = (), **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
        self.record = tuple(record)


@dataclass(frozen=True)
class Due:
    """A command that becomes due at an instant stamped in an earlier event."""

    name: str
    at: datetime
    command: Any


@dataclass(frozen=True)
class Step:
    """One command for one stream."""

    category: str
    id: str
    command: Any

    @property
    def stream_id(self) -> str:
        return f"{self.category}-{self.id}"


@dataclass(frozen=True)
class Public:
    """What the outside is told of one private event. The belt adds id, sequence, recorded time and causes."""

    data: BaseModel
    at: datetime
    subject: str
    actor: Seat | None = None
    client_id: str | None = None
    journey_id: str | None = None
    variant: str | None = None


class View(Protocol):
    """A read model that belongs to one stream: one row, folded from its events, written in their own commit."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> int: ...

    def project(self, row: Mapping[str, Any] | None, event: Any) -> Mapping[str, Any] | None: ...


def _no_steps(_event: Any, _state: Any) -> Iterable[Step]:
    return ()


def _no_publics(_event: Any, _state: Any) -> Sequence[Public]:
    return ()


def _no_dues(_state: Any) -> Iterable[Due]:
    return ()


def _no_claims(_state: Any) -> Iterable[tuple[str, str]]:
    return ()


def _no_reads(_id: str, _command: Any, _state: Any) -> Sequence[tuple[str, str]]:
    return ()


def _nobody(_event: Any) -> str | None:
    return None


def _client(event: Any) -> str | None:
    return getattr(event, "client", None)


@dataclass(frozen=True)
class Stream(Generic[C, E, S]):
    """All that the belt needs to know of one kind of stream.

    decide    (command, state, *states of `reads`) -> events; raises Refused; [] means: nothing new happened
    evolve    (state, event) -> state; never refuses
    reads     (id, command, state) -> (category, id) of other streams whose state decide is given
    publish   (event, state after it) -> public events
    timers    state -> every Due that stands in it; the belt sets and clears the difference
    claims    state -> (kind, value) that no other stream may hold at the same time
    follow    (event, state after it) -> further steps in the same append unit: all or none
    holder    event -> whose key seals its private fields
    erases    event -> whose key it destroys: every private field of that holder reads as erased from then on
    upcast    {(type name, schema): fields -> fields of the next schema}
    """

    category: str
    initial: S
    events: tuple[type, ...]
    decide: Callable[..., Sequence[E]]
    evolve: Callable[[S, E], S]
    reads: Callable[[str, C, S], Sequence[tuple[str, str]]] = _no_reads
    publish: Callable[[E, S], Sequence[Public]] = _no_publics
    timers: Callable[[S], Iterable[Due]] = _no_dues
    claims: Callable[[S], Iterable[tuple[str, str]]] = _no_claims
    follow: Callable[[E, S], Iterable[Step]] = _no_steps
    holder: Callable[[E], str | None] = _client
    erases: Callable[[E], str | None] = _nobody
    view: View | None = None
    upcast: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        """The state after these events."""
        return reduce(self.evolve, events, self.initial if state is None else state)
