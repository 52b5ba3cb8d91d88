"""When is the line at rest? Pure: from what the four services say of their logs and of what they have taken in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conveyor_events.catalog import TOPICS

Clocks = Mapping[str, Mapping[str, Any]]


def quiet(clocks: Clocks, before: Clocks | None) -> bool:
    """Whether nothing is on its way any more.

    Each service is asked at a moment of its own, so `drained` alone proves nothing: what one published after it was
    asked may be new to another that was asked before. Counts prove it: if everybody has taken in exactly what its
    publishers had published, whatever comes later would need a cause, and there is none. A record that was sent twice
    spoils the counts; then two looks must find the same heads.
    """
    if not all(clock["drained"] for clock in clocks.values()):
        return False
    if counts_agree(clocks):
        return True
    return before is not None and _heads(before) == _heads(clocks) and all(one["drained"] for one in before.values())


def counts_agree(clocks: Clocks) -> bool:
    """Whether every consumer has taken in as many records as the publishers of its topics have in their logs."""
    staff = {taken["conveyor.staff.v1"] for taken in _taken(clocks) if "conveyor.staff.v1" in taken}
    if len(staff) > 1:
        return False
    for taken in _taken(clocks):
        for publisher in {TOPICS[topic].publisher for topic in taken}:
            topics = [topic for topic in TOPICS if TOPICS[topic].publisher == publisher]
            if not set(topics) <= taken.keys():
                continue  # it listens to a part of that log; the part is compared above
            if sum(taken[topic] for topic in topics) != clocks[publisher]["published"]:
                return False
    return True


def _taken(clocks: Clocks) -> list[Mapping[str, int]]:
    return [clock["taken_in"] for clock in clocks.values()]


def _heads(clocks: Clocks) -> dict[str, int]:
    return {service: clock["published"] for service, clock in clocks.items()}
