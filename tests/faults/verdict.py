"""The verdict: what must hold of everything that was found, whatever had happened. One sentence per violation.

Nothing of the product is used here: ids, hashes and pay are worked out again from their definitions.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid5

from evidence import HEARS, TOPICS, Evidence, Record
from verdict_line import handovers_have_one_outcome, one_owner_at_a_time, one_prospect_per_identity
from verdict_pay import (
    closed_months_did_not_change,
    every_line_names_its_cause,
    pay_is_what_was_agreed,
    sums_are_sums,
    verified_by_its_own_means,
)

Law = Callable[[Evidence], Iterator[str]]
NAMESPACE = UUID("6f1d3c0e-8f53-5b7e-9d56-1f0b6f6a4f11")
MOST_PUBLICS = 6  # of one private event


# -- I1, I15: what callers were told is what happened ----------------------------------------------------------------


def answers_are_true(found: Evidence) -> Iterator[str]:
    """An accepted command has its events, once; a refused one has none but those that record the refusal."""
    by_command: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for service, rows in found.rows.items():
        for event in rows.events:
            by_command[service, json.loads(event["meta"]).get("command") or ""].append(event)
    for asked in found.history:
        mine = by_command.get((asked.service, asked.key), [])
        what = f"{asked.key} {asked.method} {asked.service}{asked.path}"
        if asked.outcome == "ok" and not mine and not asked.path.endswith("/redrive"):
            yield f"accepted, but nothing is stored: {what}"
        if asked.outcome == "refused" and mine and asked.status != 409:
            yield f"refused with {asked.status}, but {len(mine)} events are stored: {what}"
        if len({event["recorded_at"] for event in mine}) > 1:  # one command is one commit
            yield f"done twice: {what}: {[(e['stream_id'], e['type'], e['recorded_at']) for e in mine]}"
        if len({json.dumps(reply, sort_keys=True) for reply in asked.replies}) > 1:
            yield f"two answers to one request: {what}: {asked.replies}"


def refusals_are_refusals(found: Evidence) -> Iterator[str]:
    """No status that promises nothing, and no 5xx but those that ask to come again."""
    for asked in found.history:
        for at, _, told in asked.attempts:
            if told.isdigit() and int(told) >= 500 and told not in ("503", "504"):
                yield f"{told} after {at} s: {asked.method} {asked.service}{asked.path}"


def resends_change_nothing(found: Evidence) -> Iterator[str]:
    """Every accepted request, sent once more: the same answer, and not a row more."""
    for asked, status, body in found.answered_again:
        if status != asked.status or body != asked.reply:
            yield f"another answer to the same request: {asked.key} {asked.path}: {status} {body}, not {asked.reply}"
    for table, before in found.counts_before.items():
        if found.counts_after[table] != before:
            yield f"resends left {found.counts_after[table] - before} rows in {table}"


def nothing_is_left_open(found: Evidence) -> Iterator[str]:
    for asked in found.history:
        if asked.outcome == "unknown":
            yield f"never answered: {asked.key} {asked.service}{asked.path} {asked.attempts[-3:]}"


# -- I2, I3, I4: streams, the public log, Kafka ----------------------------------------------------------------------


def streams_are_whole(found: Evidence) -> Iterator[str]:
    for service, rows in found.rows.items():
        versions: dict[str, list[int]] = defaultdict(list)
        for event in rows.events:
            versions[event["stream_id"]].append(event["version"])
        for stream, has in versions.items():
            if has != [*range(1, len(has) + 1)]:
                yield f"{service}: stream {stream} has versions {has}"


def the_log_is_whole(found: Evidence) -> Iterator[str]:
    """Positions and sequences without a hole, in the order of recording; and every link of the hash chain."""
    for service, rows in found.rows.items():
        positions = [row["position"] for row in rows.published]
        if positions != [*range(1, len(positions) + 1)]:
            yield f"{service}: the public log has {len(positions)} rows and ends at {max(positions, default=0)}"
        sequences: dict[tuple[str, str], int] = defaultdict(int)
        last = None
        for row in rows.published:
            place = row["topic"], row["key"]
            if row["sequence"] != sequences[place] + 1:
                yield f"{service}: {place} goes from sequence {sequences[place]} to {row['sequence']}"
            sequences[place] = row["sequence"]
            if last is not None and row["recorded_at"] < last:
                yield f"{service}: position {row['position']} was recorded before the one in front of it"
            last = row["recorded_at"]
        yield from _broken_links(service, rows)


def _broken_links(service: str, rows: Any) -> Iterator[str]:
    held, at, place = hashlib.sha256(b"").digest(), 0, 0
    for link in rows.chain:
        told = []
        while place < len(rows.published) and rows.published[place]["position"] <= link["position"]:
            row = rows.published[place]
            parts = (
                row["position"],
                row["topic"],
                row["key"],
                row["sequence"],
                row["attributes"],
                row["value"],
                row["epoch"],
            )
            told.append("\x1f".join(str(part) for part in parts))
            place += 1
        held = hashlib.sha256(held + "\x1e".join(told).encode()).digest()
        if held != link["hash"]:
            yield f"{service}: the chain breaks between positions {at} and {link['position']}"
            return
        at = link["position"]


def what_is_public_was_decided(found: Evidence) -> Iterator[str]:
    """No phantom: each public event's id follows from a private event that is stored."""
    for service, rows in found.rows.items():
        possible = {
            str(uuid5(NAMESPACE, f"{event['stream_id']}\x1f{event['version']}\x1f{n}"))
            for event in rows.events
            for n in range(MOST_PUBLICS)
        }
        phantoms = [row["event_id"] for row in rows.published if row["event_id"] not in possible]
        if phantoms:
            yield f"{service}: {len(phantoms)} public events come from nothing that is stored, such as {phantoms[0]}"


def kafka_has_what_is_public(found: Evidence) -> Iterator[str]:
    """All of it, nothing else, with the same content; of each key, first occurrences in order, in one partition."""
    public = {row["event_id"]: row for rows in found.rows.values() for row in rows.published}
    seen: dict[tuple[str, str], int] = defaultdict(int)
    homes: dict[tuple[str, str], set[int]] = defaultdict(set)
    known: set[str] = set()
    for record in found.records:
        row = public.get(record.event_id)
        if row is None:
            yield f"Kafka has {record.type} {record.event_id} at {record.place}, which no log has"
            continue
        if (row["topic"], row["key"], row["sequence"], row["value"]) != _content(record):
            yield f"Kafka has {record.type} {record.event_id} with another content"
        place = record.topic, record.key
        homes[place].add(record.place[0])
        if record.event_id not in known:
            known.add(record.event_id)
            if record.sequence != seen[place] + 1:
                yield f"out of order in Kafka: {place}: {record.sequence} comes after {seen[place]}"
            seen[place] = max(seen[place], record.sequence)
    services = set(found.rows)
    lost = [row for row in public.values() if row["event_id"] not in known and TOPICS[row["topic"]] in services]
    if lost:
        first = lost[0]
        yield f"{len(lost)} public events are not in Kafka, such as {first['topic']} {first['key']} {first['sequence']}"
    for place, partitions in homes.items():
        if len(partitions) > 1:
            yield f"{place} lives in partitions {sorted(partitions)}"


def _content(record: Record) -> tuple[str, str, int, str]:
    return record.topic, record.key, record.sequence, record.value


def everybody_has_heard_everything(found: Evidence) -> Iterator[str]:
    """Every gate stands at the end of its key, nothing is parked, every relay is at the head."""
    for service, rows in found.rows.items():
        if rows.parked:
            yield f"{service}: {rows.parked} events are parked"
        if rows.relayed != len(rows.published):
            yield f"{service}: relayed up to {rows.relayed} of {len(rows.published)}"
        for topic in HEARS[service]:
            publisher = found.rows.get(TOPICS[topic])
            heads: dict[str, int] = defaultdict(int)
            for row in publisher.published if publisher else ():
                if row["topic"] == topic:
                    heads[row["key"]] = row["sequence"]
            for key, head in heads.items():
                gate = rows.gates.get((topic, key), 0)
                if gate != head:
                    yield f"{service}: has {topic} {key} up to {gate} of {head}"


def facts_are_a_set(found: Evidence) -> Iterator[str]:
    pay = found.rows.get("compensation")
    if pay is None or pay.facts is None:
        return
    wanted = {
        row["event_id"]
        for service, rows in found.rows.items()
        for row in rows.published
        if row["topic"] in HEARS["compensation"]
    }
    if len(set(pay.facts)) != len(pay.facts):
        yield "a fact is kept twice"
    if missing := wanted - set(pay.facts):
        yield f"{len(missing)} facts never came to compensation"
    if more := set(pay.facts) - wanted:
        yield f"compensation has {len(more)} facts that nobody published"


# -- I16, I18 --------------------------------------------------------------------------------------------------------


def metrics_tell_the_truth(found: Evidence) -> Iterator[str]:
    """When all is still: no process says that something waits, and the leader knows the head."""
    for service, told in found.metrics.items():
        for name in ("conveyor_unpublished_records", "conveyor_parked_keys", "conveyor_consumer_lag_records"):
            if told.get(name, 0.0):
                yield f"{service}: {name} says {told[name]:g}, and it is 0"
        head = len(found.rows[service].published)
        if told.get("conveyor_published_position") != head:
            yield f"{service}: conveyor_published_position says {told.get('conveyor_published_position')}, it is {head}"


def nobody_saw_what_is_hidden(found: Evidence) -> Iterator[str]:
    for what, status in found.denied:
        if status not in (401, 403, 404):
            yield f"{what} was answered with {status}"


LAWS: tuple[Law, ...] = (
    nothing_is_left_open,
    answers_are_true,
    refusals_are_refusals,
    resends_change_nothing,
    streams_are_whole,
    the_log_is_whole,
    what_is_public_was_decided,
    kafka_has_what_is_public,
    everybody_has_heard_everything,
    facts_are_a_set,
    handovers_have_one_outcome,
    one_owner_at_a_time,
    one_prospect_per_identity,
    pay_is_what_was_agreed,
    sums_are_sums,
    every_line_names_its_cause,
    closed_months_did_not_change,
    verified_by_its_own_means,
    metrics_tell_the_truth,
    nobody_saw_what_is_hidden,
)


def violations(found: Evidence) -> dict[str, list[str]]:
    """Law -> what broke it. Empty: all held."""
    broken = {law.__name__: list(law(found)) for law in LAWS}
    return {name: told for name, told in broken.items() if told}
