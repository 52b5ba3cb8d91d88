"""Private events <-> what the store keeps: JSON, with the private fields of each event sealed together.

Where they say nothing, as the note of a call that has none, there is nothing to seal: such an event is kept as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from belt.core.decider import ERASED, PRIVATE, Stream
from belt.io.store.document import content, document
from belt.io.store.seal import seal, unseal

SEALED = "sealed"
MARK = f'"{SEALED}"'  # not in the text of an event that has nothing sealed; in that of one that has, and of few others
Upcast = Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]


class UnknownStored(Exception):
    """The store holds an event that this code cannot read."""


class EventType:
    """One event class: its name and schema in the store, and which of its fields are private."""

    def __init__(self, cls: type) -> None:
        if not is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is not a dataclass")
        self.cls = cls
        self.name = cls.__name__
        self.schema = int(getattr(cls, "SCHEMA", 1))
        self.adapter: TypeAdapter[Any] = TypeAdapter(cls)
        hints = get_type_hints(cls, include_extras=True)
        names = [f.name for f in fields(cls)]
        self.private = tuple(n for n in names if PRIVATE in getattr(hints[n], "__metadata__", ()))
        self.erased: dict[str, Any] = {n: _erased(hints[n].__origin__) for n in self.private}

    def says_nothing(self, event: object) -> bool:
        """Whether the event reads the same once its key is gone."""
        return all(getattr(event, name) == nothing for name, nothing in self.erased.items())


def _erased(plain: Any) -> Any:
    """What a private field reads as once its key is gone."""
    if plain is str:
        return ERASED
    return () if getattr(plain, "__origin__", None) in (tuple, list) else None


class Codec:
    """Reads and writes the events of one stream."""

    def __init__(self, stream: Stream[Any, Any, Any]) -> None:
        self._types = {cls.__name__: EventType(cls) for cls in stream.events}
        self._upcast: Upcast = stream.upcast

    def type_of(self, event: object) -> EventType:
        try:
            return self._types[type(event).__name__]
        except KeyError:
            raise UnknownStored(f"{type(event).__name__} is not among the stream's events") from None

    def write(self, event: object, holder: str | None, key: bytes | None) -> str:
        kind = self.type_of(event)
        if not kind.private:
            return kind.adapter.dump_json(event).decode()
        if holder is None or key is None:
            raise ValueError(f"{kind.name} has private fields but no holder")
        if kind.says_nothing(event):
            return kind.adapter.dump_json(event).decode()
        data = kind.adapter.dump_python(event, mode="json")
        data[SEALED] = seal(key, holder, {name: data.pop(name) for name in kind.private})
        return document(data)

    def read(self, name: str, schema: int, text: str, holder: str | None, key: bytes | None) -> Any:
        """The event. Without a key its private fields read as erased."""
        try:
            kind = self._types[name]
        except KeyError:
            raise UnknownStored(f"no event is called {name}") from None
        if schema > kind.schema:
            raise UnknownStored(f"{name} of schema {schema} is newer than this code ({kind.schema})")
        if schema == kind.schema and (not kind.private or MARK not in text):
            return kind.adapter.validate_json(text)
        data = content(text)
        sealed = data.pop(SEALED, None)
        if sealed is not None:
            data |= unseal(key, holder, sealed) if key is not None and holder is not None else kind.erased
        while schema < kind.schema:
            data = self._upcast[name, schema](data)
            schema += 1
        return kind.adapter.validate_python(data)
