"""The table of permissions at Kafka, from the catalog of topics and what each service says it listens to.

A service writes its own topics and reads those it listens to, in a group of its own name; payroll reads the topic of
pay and nothing else; a partner reads every other topic, in groups that begin with its name. Nobody makes or changes
topics while the line runs, and what is not here is not allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from conveyor_events.catalog import TOPICS, Topic

PAY = "conveyor.pay.v1"
PAYROLL = "payroll"
PARTNERS = ("partner",)  # an example: one user for each outside reader, and no two share one

READS = ("Read", "Describe")
WRITES = ("Write", "Describe")


@dataclass(frozen=True, order=True)
class Rule:
    """One user may do these things with one topic or group (`prefix`: with all whose names begin so)."""

    user: str
    resource: Literal["topic", "group"]
    name: str
    pattern: Literal["literal", "prefix"]
    operations: tuple[str, ...]


def rules(
    listens: Mapping[str, Collection[str]],
    topics: Mapping[str, Topic] = TOPICS,
    partners: Collection[str] = PARTNERS,
) -> list[Rule]:
    """Everything that is allowed. `listens`: the topics that each service listens to."""
    found = [rule for service, heard in listens.items() for rule in _service(service, heard, topics)]
    found += _reader(PAYROLL, [PAY])
    for partner in partners:
        found += _reader(partner, [name for name in topics if name != PAY])
    return found


def _service(service: str, heard: Collection[str], topics: Mapping[str, Topic]) -> Iterator[Rule]:
    for topic in topics.values():
        if topic.publisher == service:
            yield Rule(service, "topic", topic.name, "literal", WRITES)
    for name in heard:
        yield Rule(service, "topic", name, "literal", READS)
    if heard:
        yield Rule(service, "group", service, "literal", ("Read",))


def _reader(user: str, topics: Collection[str]) -> Iterator[Rule]:
    for name in topics:
        yield Rule(user, "topic", name, "literal", READS)
    yield Rule(user, "group", f"{user}.", "prefix", ("Read",))
