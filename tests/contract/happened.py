"""What must have happened inside a service so that it tells a given sample: a private event, and the state after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from conveyor_events import Envelope, Event
from conveyor_events.words import Seat


@dataclass(frozen=True)
class Happened:
    """`category`: the stream of the service whose `publish` tells it."""

    category: str
    event: Any
    state: Any


Cases: TypeAlias = Mapping[type[Event], Callable[[Any, Envelope], Happened]]
"""For each event of a topic: (the sample as its model, its envelope) -> what happened."""


def by(told: Envelope) -> Seat:
    """Who did it; nobody did what the clock did, and then it must not be asked."""
    if told.actor is None:
        raise AssertionError(f"{told.type} was done by the clock")
    return told.actor


def client(told: Envelope) -> str:
    if told.client_id is None:
        raise AssertionError(f"{told.type} is about nobody")
    return told.client_id


def journey(told: Envelope) -> str:
    return told.journey_id or ""


def variant(told: Envelope) -> str:
    return told.variant or ""
