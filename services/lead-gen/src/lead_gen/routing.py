"""Who received how many leads of a line: the memory of a fair choice. One stream a line.

Only choices made here count: not who was named, not to whom the next station passed a lead on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from belt.core.replacing import replace
from belt.core.rotation import Rotation, choose, chosen

CATEGORY = "routing"

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CountOffer:
    """A lead was offered. `among`: who could have been chosen; empty if the receiver was named."""

    person: str
    among: tuple[str, ...]
    loads: bool
    at: datetime


@dataclass(frozen=True)
class FreeReceiver:
    """An offered lead was answered, withdrawn or passed on: it is no open work any more."""

    person: str
    at: datetime


Command = CountOffer | FreeReceiver

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfferCounted:
    person: str
    among: tuple[str, ...]
    loads: bool
    at: datetime


@dataclass(frozen=True)
class ReceiverFreed:
    person: str
    at: datetime


Event = OfferCounted | ReceiverFreed
EVENTS: tuple[type, ...] = (OfferCounted, ReceiverFreed)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Routing:
    """`load`: offered leads not yet answered, in lines that route by load."""

    rotation: Rotation = Rotation()
    load: Mapping[str, int] = field(default_factory=dict)

    def next(self, candidates: Sequence[str], routing: str) -> str | None:
        """Who is asked; None if there is nobody, or if the line wants the receiver named."""
        return choose(self.rotation, candidates, routing=routing, load=self.load)


# --- decide ---------------------------------------------------------------------------------------------------------


def decide(command: Command, _routing: Routing) -> Sequence[Event]:
    match command:
        case CountOffer(person, among, loads, at):
            return [OfferCounted(person, among, loads, at)]
        case FreeReceiver(person, at):
            return [ReceiverFreed(person, at)]
        case _:
            assert_never(command)


def evolve(routing: Routing, event: Event) -> Routing:
    match event:
        case OfferCounted(person, among, loads):
            rotation = chosen(routing.rotation, among, person) if among else routing.rotation
            more = {**routing.load, person: routing.load.get(person, 0) + 1} if loads else routing.load
            return Routing(rotation, more)
        case ReceiverFreed(person):
            return replace(routing, load={**routing.load, person: max(routing.load.get(person, 0) - 1, 0)})
        case _:
            assert_never(event)
