"""The figures in docs/capacity.md: what was measured (bench/results), and what a company of some size needs by it.

Only the parts between its marks are written; the words around them are the page's own. A figure that nobody has
measured yet is said to be missing, and what is reckoned with it, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = "bench/results"
PAGE = "docs/capacity.md"
PART = re.compile(r"(<!-- reckoned: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
MISSING = "not measured yet"

# What a company is taken to be. The page says the same in words.
SELLERS = (10, 1_000, 100_000)
COMMANDS_A_DAY = 100  # of one seller
LOOKS_A_COMMAND = 5  # lists and pages that are read around it
HOURS_A_DAY = 8
PEAK = 10  # the busiest minute against the average one
WORKING_DAYS = 250
SHARES = {"lead-gen": 0.6, "conversion": 0.25, "account-mgmt": 0.15}
BUSY = 0.7  # of a core, at most: what components/hpa aims at
LEAST, MOST_WORKERS = 2, 12
COPIES = 3  # of each record in Kafka
LOCK = 20_000  # commands a second, where the store's lock of one service ends it


@dataclass(frozen=True)
class Source:
    """Where a figure stands in a result: a number, or what was reached in each round, of which the middle counts."""

    file: str
    made_by: str
    path: tuple[str, ...]

    def read(self, root: Path) -> float | None:
        """None where it was not measured."""
        file = root / RESULTS / self.file
        found: Any = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        for step in self.path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, list):
            found = median(map(float, found))
        return None if found is None else float(found)


@dataclass(frozen=True)
class Figure:
    """`shown`: how its value is written."""

    what: str
    source: Source
    shown: Callable[[float], str]


def _whole(unit: str, value: float) -> str:
    return f"{value:,.0f} {unit}".strip()


def _fine(unit: str, value: float) -> str:
    return f"{value:,.2f} {unit}".strip()


FOOTPRINT = partial(Source, "footprint.json", "make bench-footprint")
COMMANDS = partial(Source, "commands.json", "make bench-commands")
FACTS = partial(Source, "facts.json", "make bench-facts")
STATEMENTS = partial(Source, "statements.json", "make bench-statements")
FIGURES: Mapping[str, Figure] = {
    "commands": Figure(
        "commands on existing streams, everything on, 64 callers: one door",
        COMMANDS(("rounds", "call at 64", "conveyor")),
        partial(_whole, "a second"),
    ),
    "registered": Figure(
        "commands that begin a stream, everything on, 64 callers: one door",
        COMMANDS(("rounds", "register at 64", "conveyor")),
        partial(_whole, "a second"),
    ),
    "bulk": Figure(
        "commands through the bulk door: one door",
        COMMANDS(("rounds", "bulk", "bulk")),
        partial(_whole, "a second"),
    ),
    "facts": Figure(
        "facts from Kafka into PostgreSQL: one worker of compensation",
        FACTS(("each", "facts in PostgreSQL, exactly once")),
        partial(_whole, "a second"),
    ),
    "relayed": Figure(
        "events from PostgreSQL to Kafka: the one relay of a service, from a backlog",
        Source("relay.json", "make bench-relay", ("rounds", "relay, from PostgreSQL")),
        partial(_whole, "a second"),
    ),
    "statements": Figure(
        "statements of a month, asked for the first time: one process of compensation",
        STATEMENTS(("each", "statement, facts read")),
        partial(_whole, "a second"),
    ),
    "fact_bytes": Figure(
        "memory of a million facts, held by the door that verifies",
        STATEMENTS(("rebuild", "bytes_a_fact")),
        lambda value: f"{value / 1_000:,.1f} GB",
    ),
    "door_ms": Figure(
        "processor time of a request, commands and looks as they come, with all that a door does",
        FOOTPRINT(("door_ms_per_request",)),
        partial(_fine, "ms"),
    ),
    "worker_ms": Figure(
        "processor time of a public event: carried to Kafka and taken in wherever it is heard, all workers together",
        FOOTPRINT(("worker_ms_per_public_event",)),
        partial(_fine, "ms"),
    ),
    "database_ms": Figure(
        "processor time of PostgreSQL for a stored event, with all that is read around it",
        FOOTPRINT(("database_ms_per_event",)),
        partial(_fine, "ms"),
    ),
    "idle": Figure(
        "processor time of a process that has nothing to do",
        FOOTPRINT(("idle_ms_per_second",)),
        partial(_fine, "ms a second"),
    ),
    "door_memory": Figure(
        "memory of a door under this load", FOOTPRINT(("door_megabytes",)), partial(_whole, "MB")
    ),
    "worker_memory": Figure(
        "memory of a worker under this load", FOOTPRINT(("worker_megabytes",)), partial(_whole, "MB")
    ),
    "events": Figure(
        "stored events of a command", FOOTPRINT(("events_per_command",)), partial(_fine, "")
    ),
    "public": Figure(
        "public events of a command", FOOTPRINT(("public_events_per_command",)), partial(_fine, "")
    ),
    "stored_bytes": Figure(
        "PostgreSQL's disk for a million stored events, with their public ones, lists and facts, all databases",
        FOOTPRINT(("database_bytes_per_event",)),
        lambda value: f"{value / 1_000:,.1f} GB",
    ),
    "record_bytes": Figure(
        "Kafka's disk for a million public events, one copy",
        FOOTPRINT(("kafka_bytes_per_public_event",)),
        lambda value: f"{value / 1_000:,.1f} GB",
    ),
}  # fmt: skip


def measured(root: Path) -> dict[str, float | None]:
    """Every figure, as far as it is there."""
    return {name: figure.source.read(root) for name, figure in FIGURES.items()}


def page(root: Path) -> str:
    """The page as it is, with its figures as they are."""
    found = measured(root)
    parts = {"measured": _measured(found), "needed": _needed(found)}
    text = (root / PAGE).read_text(encoding="utf-8")
    missing = parts.keys() - {part[1] for part in PART.findall(text)}
    if missing:
        raise ValueError(f"{PAGE} has no mark for {sorted(missing)}")
    return PART.sub(lambda at: f"{at[1]}{parts[at[2]]}\n{at[3]}", text)


def _measured(found: Mapping[str, float | None]) -> str:
    rows = ["| one process | does | measured by |", "|---|---|---|"]
    for name, figure in FIGURES.items():
        value = found[name]
        shown = MISSING if value is None else figure.shown(value)
        rows.append(f"| {figure.what} | {shown} | `{figure.source.made_by}` |")
    return "\n".join(rows)


@dataclass(frozen=True)
class Need:
    """What a company of so many sellers asks for in its busiest minute, and what carries it."""

    sellers: int
    found: Mapping[str, float | None]

    @property
    def commands(self) -> float:
        """A second."""
        return self.sellers * COMMANDS_A_DAY * PEAK / (HOURS_A_DAY * 3_600)

    @property
    def requests(self) -> float:
        return self.commands * (1 + LOOKS_A_COMMAND)

    def doors(self, share: float) -> int | None:
        spent = self.found["door_ms"]
        return None if spent is None else max(LEAST, ceil(self.requests * share * spent / 1_000 / BUSY))

    def workers(self) -> int | None:
        """Of each service: as much as if each had to do all of it, so that a busy one is not too few."""
        spent, public = self.found["worker_ms"], self.found["public"]
        if spent is None or public is None:
            return None
        return max(LEAST, ceil(self.commands * public * spent / 1_000 / BUSY / (len(SHARES) + 1)))

    def database(self) -> float | None:
        """Cores of the largest."""
        spent, events = self.found["database_ms"], self.found["events"]
        return (
            None if spent is None or events is None else self.commands * events * spent / 1_000 * max(SHARES.values())
        )

    def disk(self) -> tuple[float, float] | None:
        """GB a year: PostgreSQL in one copy, Kafka in all of its copies."""
        stored, record = self.found["stored_bytes"], self.found["record_bytes"]
        events, public = self.found["events"], self.found["public"]
        if stored is None or record is None or events is None or public is None:
            return None
        commands = self.sellers * COMMANDS_A_DAY * WORKING_DAYS
        return commands * events * stored / 1e9, commands * public * record * COPIES / 1e9

    def verification(self) -> float | None:
        """GB in the hands of whoever verifies, for each year that the company has worked."""
        fact, public = self.found["fact_bytes"], self.found["public"]
        if fact is None or public is None:
            return None
        return self.sellers * COMMANDS_A_DAY * WORKING_DAYS * public * fact / 1e9


def _needed(found: Mapping[str, float | None]) -> str:
    needs = [Need(sellers, found) for sellers in SELLERS]
    rows = ["| sellers | " + " | ".join(f"{need.sellers:,}" for need in needs) + " |", "|---" * (len(needs) + 1) + "|"]
    rows += [f"| {what} | {' | '.join(cells)} |" for what, cells in _lines(needs)]
    return "\n".join(rows)


def _lines(needs: list[Need]) -> Iterator[tuple[str, list[str]]]:
    yield "commands a second, busiest minute", [f"{need.commands:,.1f}" for need in needs]
    yield "requests a second, with what is looked at", [f"{need.requests:,.1f}" for need in needs]
    for service, share in SHARES.items():
        yield f"doors of {service}", [_pods(need.doors(share)) for need in needs]
    yield "workers of each service", [_workers(need.workers()) for need in needs]
    yield "cores of the busiest database", [_or_missing("{:,.2f}", need.database()) for need in needs]
    yield "share of what the lock of the busiest store allows", [_share(need) for need in needs]
    held = [need.verification() for need in needs]
    yield "memory of a verification, for each year of history", [_or_missing("{:,.1f} GB", gb) for gb in held]
    yield "PostgreSQL grows by, a year, one copy", [_disk(need, 0) for need in needs]
    yield f"Kafka grows by, a year, {COPIES} copies", [_disk(need, 1) for need in needs]


def _pods(count: int | None) -> str:
    return MISSING if count is None else f"{count}"


def _workers(count: int | None) -> str:
    if count is None or count <= MOST_WORKERS:
        return _pods(count)
    return f"{count}: more than partitions"


def _share(need: Need) -> str:
    return f"{need.commands * max(SHARES.values()) / LOCK:.1%}"


def _disk(need: Need, which: int) -> str:
    found = need.disk()
    return MISSING if found is None else f"{found[which]:,.1f} GB"


def _or_missing(how: str, value: float | None) -> str:
    return MISSING if value is None else how.format(value)
