"""The stream of one pair of currencies: what one unit of the first was worth in the second, by business date.

A rate is entered once; another value for the same date is a correction. A statement as known before keeps the old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from belt.core.decider import Refused
from belt.core.ids import derived
from conveyor_events.money import MINOR_UNITS


@dataclass(frozen=True)
class RecordRate:
    source: str
    target: str
    day: date
    rate: Decimal
    by: str
    at: datetime
    rate_id: str | None = None


@dataclass(frozen=True)
class RateRecorded:
    at: datetime
    rate_id: str
    source: str
    target: str
    day: date
    rate: Decimal
    by: str


EVENTS = (RateRecorded,)


@dataclass(frozen=True)
class Pair:
    """The rate of each day as it stands, and every id there ever was."""

    days: Mapping[date, RateRecorded] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()


def pair(source: str, target: str) -> str:
    """The stream's id."""
    return f"{source}-{target}"


def decide(command: RecordRate, state: Pair) -> Sequence[RateRecorded]:
    for currency in (command.source, command.target):
        if currency not in MINOR_UNITS:
            raise Refused("rate.unknown-currency", currency=currency)
    if command.source == command.target:
        raise Refused("rate.same-currency", currency=command.source)
    known = state.days.get(command.day)
    if known is not None and known.rate == command.rate and command.rate_id in (None, known.rate_id):
        return []
    c = command
    rate_id = c.rate_id or derived(pair(c.source, c.target), c.day.isoformat(), len(state.ids) + 1)
    if rate_id in state.ids:
        raise Refused("rate.id-taken", rate_id=rate_id)
    return [RateRecorded(c.at, rate_id, c.source, c.target, c.day, c.rate, c.by)]


def evolve(state: Pair, event: RateRecorded) -> Pair:
    return Pair({**state.days, event.day: event}, state.ids | {event.rate_id})
