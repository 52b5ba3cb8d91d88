"""Who works where, as this station knows it: the staff topic, kept in one stream and folded by the shared roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from conveyor_events import roster
from conveyor_events.catalog import entry, wire_type
from conveyor_events.roster import Roster
from conveyor_events.upcast import lift
from conveyor_events.words import Event

CATEGORY, COMPANY = "roster", "company"


@dataclass(frozen=True)
class Learn:
    """A staff event arrived."""

    at: datetime
    told: Event


@dataclass(frozen=True)
class Learned:
    """A staff event as it was told; `version` is that of the public event, so old ones stay readable."""

    at: datetime
    type: str
    version: int
    data: dict[str, Any]


def decide(command: Learn, known: Roster) -> Sequence[Learned]:
    match command:
        case Learn(at, told):
            if roster.evolve(known, told) == known:
                return []  # said twice, or nothing about staff
            return [Learned(at, wire_type(told), told.VERSION, told.model_dump(mode="json"))]
        case _:
            assert_never(command)


def evolve(known: Roster, event: Learned) -> Roster:
    found = entry(event.type, event.version)
    data = lift(event.type, event.version, found.model.VERSION, event.data)
    return roster.evolve(known, found.model.model_validate(data))
