"""Facts as they are kept → facts, quickly: what was taken in was examined then, and is read again very often.

For every kept event this gives the very fact that `reading.fact` gives; the tests hold the two against each other. What
is not written the way we write it (another version, another notation) is read by `reading.fact` itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from sys import intern
from typing import Any

from pydantic_core import from_json as parsed

from compensation.facts import TRIGGERS, Fact, Noted, Staff
from compensation.readers import READERS, Raw, Reader, instant
from compensation.reading import fact
from conveyor_events import CATALOG, UnknownEvent, from_json, pay

_NOTED = Noted()


def facts(rows: Iterable[str | bytes]) -> Iterator[Fact]:
    """Those that this release can read."""
    for row in rows:
        try:
            yield read(row)
        except UnknownEvent:
            continue


def types(milestones: Collection[str]) -> frozenset[str]:
    """The events that a rule may look at, if of the milestones it is these alone; their types on the wire."""
    offers = "AccountAccepted" in milestones
    return frozenset(
        wire
        for wire, (name, _, reader) in KINDS.items()
        if reader is not None and (name in milestones if name in TRIGGERS else offers or name != "AccountOffered")
    )


def read(row: str | bytes) -> Fact:
    """The fact of an event as it is kept. Raises UnknownEvent where this release cannot read the event."""
    return _read(parsed(row))


def traced(row: str | bytes) -> tuple[Fact, str | None]:
    """The same with the context in which the event was recorded."""
    raw = parsed(row)
    return _read(raw), raw.get("traceparent")


def _read(raw: dict[str, Any]) -> Fact:
    kind = KINDS.get(raw["type"])
    if kind is not None and kind[1] == raw["schemaversion"]:
        try:
            return _fact(raw, kind[0], kind[2])
        except (KeyError, TypeError, ValueError, ArithmeticError):
            pass  # read, or refused, by the reader that knows every notation
    return fact(from_json(raw))


def _fact(raw: Raw, name: str, reader: Reader | None) -> Fact:
    data = raw["data"]
    client, journey = raw.get("clientid"), raw.get("journeyid")
    happened, recorded = raw["time"], raw["recordedtime"]
    at = instant(happened)
    read = reader(data) if reader is not None else _NOTED
    if client is None and not isinstance(read, Staff | Noted):
        raise ValueError("a fact of no client")
    client = intern(client) if client is not None else None
    known = at if recorded == happened else instant(recorded)
    place = int(raw["sequence"]) if isinstance(read, Staff) else 0
    return Fact(raw["id"], name, at, known, client, client if journey == client else journey, read, place)


_DECIDED = (pay.ConflictDetected, pay.ConflictResolved, pay.AdjustmentPosted)
KINDS = {
    kind.wire: (intern(kind.model.__name__), kind.model.VERSION, READERS.get(kind.model))
    for kind in CATALOG
    if kind.model not in _DECIDED
}
"""Wire type -> name, version and reader. What our own house decided is not kept among these."""
