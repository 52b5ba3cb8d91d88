"""Forgetting somebody whose data another station holds too: one stream a holder, whose only event destroys the key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from belt.core.decider import Step, Stream

CATEGORY = "erasure"


@dataclass(frozen=True)
class Erase:
    holder: str
    at: datetime


@dataclass(frozen=True)
class HolderErased:
    """From here on every private field that was sealed for the holder reads as erased."""

    holder: str
    at: datetime


def decide(command: Erase, erased: bool) -> Sequence[HolderErased]:
    return [] if erased else [HolderErased(command.holder, command.at)]


def evolve(_erased: bool, _event: HolderErased) -> bool:
    return True


def erase(holder: str, at: datetime) -> Step:
    """What a station does when it hears that the holder's personal data is to be forgotten."""
    return Step(CATEGORY, holder, Erase(holder, at))


def _erases(event: HolderErased) -> str:
    return event.holder


ERASURE: Stream[Any, Any, Any] = Stream(
    category=CATEGORY,
    initial=False,
    events=(HolderErased,),
    decide=decide,
    evolve=evolve,
    erases=_erases,
)
