"""The stream of the company's periods: open → closing → closed, one after the other, never opened again.

`closing` fixes a cutoff. The month is closed once every station's log up to it was taken in (`closing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from belt.core.decider import Public, Refused
from compensation.months import Month
from conveyor_events.pay import PeriodClosed as ToldClosed

CATEGORY = "ledger"
COMPANY = "company"


@dataclass(frozen=True)
class BeginClose:
    """`ends`: the first instant after the month in the company's zone."""

    period: str
    cutoff: datetime
    ends: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class Frozen:
    """A month's frozen statements: how many, and the chained digest over them."""

    period: str
    statements: int
    digest: str
    previous: str | None


@dataclass(frozen=True)
class FinishClose:
    """The month, with every earlier one that was not closed before."""

    period: str
    cutoff: datetime
    months: tuple[Frozen, ...]
    at: datetime


Command = BeginClose | FinishClose


@dataclass(frozen=True)
class CloseBegun:
    at: datetime
    period: str
    cutoff: datetime
    by: str


@dataclass(frozen=True)
class PeriodClosed:
    at: datetime
    period: str
    cutoff: datetime
    statements: int
    digest: str
    previous: str | None


Event = CloseBegun | PeriodClosed
EVENTS = (CloseBegun, PeriodClosed)


@dataclass(frozen=True)
class Ledger:
    """The closed months in order, and the one that is being closed."""

    closed: Mapping[str, PeriodClosed] = field(default_factory=dict)
    closing: CloseBegun | None = None

    @property
    def stage(self) -> str:
        return "closing" if self.closing is not None else "closed" if self.closed else "none"

    @property
    def last(self) -> PeriodClosed | None:
        return self.closed[max(self.closed)] if self.closed else None


def decide(command: Command, ledger: Ledger) -> Sequence[Event]:
    match command:
        case BeginClose():
            return _begin(command, ledger)
        case FinishClose():
            closing = ledger.closing
            if closing is None or (closing.period, closing.cutoff) != (command.period, command.cutoff):
                return []
            return [
                PeriodClosed(command.at, m.period, command.cutoff, m.statements, m.digest, m.previous)
                for m in command.months
            ]
        case _:
            assert_never(command)


def _begin(command: BeginClose, ledger: Ledger) -> Sequence[Event]:
    c, last = command, ledger.last
    if c.period in ledger.closed or (last is not None and c.period < last.period):
        raise Refused("period.closed", period=c.period)
    if ledger.closing is not None:
        if (ledger.closing.period, ledger.closing.cutoff) == (c.period, c.cutoff):
            return []
        raise Refused("period.closing", period=ledger.closing.period, cutoff=ledger.closing.cutoff.isoformat())
    if last is not None and Month.parse(c.period) != Month.parse(last.period).plus(1):
        raise Refused("period.not-next", next=str(Month.parse(last.period).plus(1)))
    if c.cutoff < c.ends or (last is not None and c.cutoff < last.cutoff):
        raise Refused("period.not-over", ends=c.ends.isoformat(), cutoff=c.cutoff.isoformat())
    if c.cutoff > c.at:
        raise Refused("period.cutoff-ahead", cutoff=c.cutoff.isoformat(), now=c.at.isoformat())
    return [CloseBegun(c.at, c.period, c.cutoff, c.by)]


def evolve(ledger: Ledger, event: Event) -> Ledger:
    match event:
        case CloseBegun():
            return Ledger(ledger.closed, event)
        case PeriodClosed():
            return Ledger({**ledger.closed, event.period: event}, None)
        case _:
            assert_never(event)


def publish(event: Event, _ledger: Ledger) -> Sequence[Public]:
    if not isinstance(event, PeriodClosed):
        return []
    e = event
    told = ToldClosed(period=e.period, cutoff=e.cutoff, statements=e.statements, digest=e.digest, previous=e.previous)
    return [Public(told, e.at, e.period)]
