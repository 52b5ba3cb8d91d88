"""Looks up the causes of a line where they were published: in the feed of the service that said so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conveyor.line import Line
from conveyor_events.catalog import CATALOG, TOPICS

_TOPIC_OF = {entry.wire: TOPICS[entry.topic] for entry in CATALOG}
_SUBJECT_OF = {entry.wire: entry.subject for entry in CATALOG}


async def in_the_feeds(line: Line, events: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The events of these ids as their publishers' feeds show them; what is in no feed is left out."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for event in events:
        wanted.setdefault((event["type"], _subject(event)), set()).add(event["event_id"])
    found: dict[str, dict[str, Any]] = {}
    for (wire, subject), ids in wanted.items():
        topic = _TOPIC_OF.get(wire)
        if topic is None:
            continue
        async for event in line.events_of(topic.publisher, topic.name, subject):
            if event["id"] in ids:
                found[event["id"]] = event
    return found


def _subject(event: Mapping[str, Any]) -> str:
    """Whose history the event belongs to: the key under which it was published."""
    kind = _SUBJECT_OF.get(event["type"], "client")
    return str(event["client_id"] if kind == "client" else event["data"].get(kind, ""))
