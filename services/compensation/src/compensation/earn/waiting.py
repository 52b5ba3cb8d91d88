"""Facts that earn nothing yet because something else is missing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """The event waits for `reason`. A month with waiting facts cannot be closed."""

    event_id: str
    reason: str
