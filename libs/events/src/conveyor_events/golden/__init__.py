"""Golden records: one record of every version of every event, exactly as it lies on Kafka. To try a consumer on.

    for record in golden.records("conveyor.deals.DealClosed"):
        my_consumer(record.key, record.value, record.headers)

The files beside this one hold the same for other languages: a list a topic of {topic, key, headers, value}, all text.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from conveyor_events.catalog import TOPICS
from conveyor_events.envelope import Envelope, from_kafka, to_kafka


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record: what a consumer is given, and the topic to produce it to."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def envelope(self) -> Envelope:
        """What our own mapper reads in it."""
        return from_kafka(self.key, self.value, self.headers)


def records(wire: str | None = None, *, topic: str | None = None) -> Iterator[Record]:
    """Every record, or those of one event (`conveyor.deals.DealClosed`), or of one topic; the oldest version first."""
    wanted = None if wire is None else wire.encode()
    for name in TOPICS if topic is None else (topic,):
        for written in json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")):
            record = _read(written)
            if wanted is None or dict(record.headers)["ce_type"] == wanted:
                yield record


def as_text(topic: str, envelope: Envelope) -> dict[str, Any]:
    """The record of an event as the files hold it: everything in it is UTF-8, so text says it exactly."""
    key, value, headers = to_kafka(envelope)
    return {
        "topic": topic,
        "key": key.decode(),
        "headers": {name: content.decode() for name, content in headers},
        "value": value.decode(),
    }


def _read(written: dict[str, Any]) -> Record:
    headers = tuple((name, text.encode()) for name, text in written["headers"].items())
    return Record(written["topic"], written["key"].encode(), written["value"].encode(), headers)
