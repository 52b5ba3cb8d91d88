"""Fair routing of handover 2: how often each of a line's account team was the first to be asked. A stream per line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from belt.core.rotation import Rotation, chosen

CATEGORY = "routing"


@dataclass(frozen=True)
class Count:
    """A person was asked first, while these were there to be asked."""

    at: datetime
    person: str
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    at: datetime
    person: str
    candidates: tuple[str, ...]


def decide(command: Count, _rotation: Rotation) -> Sequence[Counted]:
    return [Counted(command.at, command.person, command.candidates)]


def evolve(rotation: Rotation, event: Counted) -> Rotation:
    return chosen(rotation, event.candidates, event.person)
