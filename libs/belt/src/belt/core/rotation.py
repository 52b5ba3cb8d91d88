"""Who is next: a fair choice among equals, the same for the same history.

Counts are what counts, so the choice survives restarts and bulk. Who is away is simply not among the candidates.
A newcomer starts at the lowest count of those who stayed, and so does whoever comes back after a long time: nobody
is flooded to catch up, nobody is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ROUND_ROBIN = "round_robin"
LEAST_LOADED = "least_loaded"
NAMED = "named"
ROUTINGS = (ROUND_ROBIN, LEAST_LOADED, NAMED)


class UnknownRouting(ValueError):
    """Not one of ROUTINGS."""


@dataclass(frozen=True)
class Rotation:
    """How often each was chosen, and who was there the last time."""

    counts: Mapping[str, int] = field(default_factory=dict)
    present: frozenset[str] = frozenset()


def choose(
    rotation: Rotation,
    candidates: Sequence[str],
    *,
    routing: str = ROUND_ROBIN,
    load: Mapping[str, int] | None = None,
    named: str | None = None,
) -> str | None:
    """The next one, or None if there is nobody (the work then waits in the queue).

    round_robin   who was chosen least often; then the order of the candidates
    least_loaded  who has the least open work (`load`); then as in round_robin
    named         the one that is named, if among the candidates
    """
    if routing not in ROUTINGS:
        raise UnknownRouting(f"unknown routing {routing!r}")
    if routing == NAMED:
        return named if named in candidates else None
    counts = _joined(rotation, candidates)
    loads = (load or {}) if routing == LEAST_LOADED else {}
    return min(candidates, key=lambda one: (loads.get(one, 0), counts[one]), default=None)


def chosen(rotation: Rotation, candidates: Sequence[str], person: str) -> Rotation:
    """The rotation after `person` got the work while `candidates` were there."""
    counts = {**rotation.counts, **_joined(rotation, candidates)}
    counts[person] = counts.get(person, 0) + 1
    return Rotation(counts, frozenset(candidates))


def _joined(rotation: Rotation, candidates: Sequence[str]) -> dict[str, int]:
    """The counts to compare by: whoever joined is brought next to the lowest count of those who stayed."""
    known = [one for one in candidates if one in rotation.counts]
    stayed = {one: rotation.counts[one] for one in known if one in rotation.present}
    low = min(stayed.values(), default=min((rotation.counts[one] for one in known), default=0))
    return {one: stayed.get(one, min(max(rotation.counts.get(one, low), low), low + 1)) for one in candidates}
