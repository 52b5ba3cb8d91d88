"""Old versions of events, lifted to the present one step at a time, so that a log is readable for ever."""

from collections.abc import Callable
from typing import Any

from conveyor_events.catalog import UnknownEvent

Lift = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: dict[tuple[str, int], Lift] = {}
"""(wire type, version) -> the data of that version as data of the next one."""


def upcaster(wire: str, version: int) -> Callable[[Lift], Lift]:
    """Registers the function that lifts this version of the event to the next."""

    def register(lift: Lift) -> Lift:
        if (wire, version) in UPCASTERS:
            raise ValueError(f"{wire} version {version} already has an upcaster")
        UPCASTERS[wire, version] = lift
        return lift

    return register


def lift(wire: str, version: int, to: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data as the newer version writes it; the given data stays as it is."""
    for step in range(version, to):
        if (wire, step) not in UPCASTERS:
            raise UnknownEvent(f"{wire} version {step} cannot be read as version {step + 1}")
        data = UPCASTERS[wire, step](dict(data))
    return data
