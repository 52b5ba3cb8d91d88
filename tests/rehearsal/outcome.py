"""What a rehearsal has found: figures, errors, and whatever the verdict of tests/faults has against it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from evidence import Evidence, counts_of, records_of, rows_of, still
from load import Load
from stood_up import Line
from stories import FARMERS, HUNTERS, SCOUTS
from verdict import violations

SETTLED_WITHIN = 90.0
REST_WITHIN = 60.0
RESENDS = 500


@dataclass
class Outcome:
    """What a rehearsal has found."""

    figures: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        nothing = ("errors", "lost", "doubled", "lag_after")
        return not self.errors and not self.broken and not any(self.figures[name] for name in nothing)


async def judged(running: Line, load: Load, found: Outcome) -> None:
    """Nothing is begun any more: what is under way ends, and everything is compared with everything."""
    rolling = time.monotonic()
    await load.stop()
    hanging = await load.stories.settle(SETTLED_WITHIN)
    rested, left = await still(running.dsns, REST_WITHIN)
    lag_after = await load.lag.look()
    running.say(f"at rest after {time.monotonic() - rolling:.1f} s")
    evidence = await _evidence(running, load)
    found.broken |= violations(evidence)
    if hanging:
        found.broken["lives_come_to_their_ends"] = [f"{hanging} lives hang"]
    found.errors += load.errors()
    found.errors += [f"{follower.service}'s feed: {one}" for follower in load.followers for one in follower.wrong]
    pods = [pod for one in running.deployments for pod in one.pods]
    found.errors += [f"{pod.name}: {one}" for pod in pods for one in pod.trouble]
    heads = {service: len(rows.published) for service, rows in evidence.rows.items()}
    unread = {one.service: heads[one.service] - one.last for one in load.followers}
    took = sorted(one.took for one in load.caller.heard)
    found.figures |= {
        "requests": len(took),
        "errors": len(found.errors),
        "lives": load.stories.ended,
        "events": sum(len(rows.events) for rows in evidence.rows.values()),
        "lost": _lost(evidence) + sum(unread.values()),
        "doubled": _doubled(evidence),
        "lag_most_seconds": round(load.lag.most, 1),
        "lag_most_records": load.lag.most_records,
        "lag_after": round(lag_after) + sum(left.values()),
        "rest_seconds": round(rested, 1),
        "slowest_seconds": round(took[-1], 2),
        "p99_seconds": round(took[int(len(took) * 0.99)], 3),
        "readied_seconds": round(max(pod.readied for pod in pods), 1),
        "ended_seconds": round(max(pod.left for pod in pods), 1),
        "streams_opened": sum(one.opened for one in load.followers),
        "spans": len(running.ground.collector.spans),
    }


async def _evidence(running: Line, load: Load) -> Evidence:
    found = Evidence({}, [], load.caller.history)
    dsns = running.dsns
    if "compensation" in dsns:
        for day in (load.stories.before, load.stories.today):
            for person in (*SCOUTS, *HUNTERS, *FARMERS):
                path = f"/v1/statements/{person}/{day:%Y-%m}"
                found.statements[person, f"{day:%Y-%m}"] = await load.caller.found("compensation", path)
        found.verification = await load.caller.found("compensation", "/v1/verification")
    found.counts_before = await counts_of(dsns)
    gate = asyncio.Semaphore(8)

    async def again(asked: Any) -> None:
        async with gate:
            headers = {"idempotency-key": asked.key, "content-type": "application/json"}
            found.answered_again.append((asked, *await load.caller.send(asked, headers)))

    accepted = [asked for asked in load.caller.history if asked.outcome == "ok"]
    await asyncio.gather(*(again(asked) for asked in load.stories.rnd.sample(accepted, min(RESENDS, len(accepted)))))
    found.counts_after = await counts_of(dsns)
    found.rows = {service: await rows_of(dsn, facts=service == "compensation") for service, dsn in dsns.items()}
    found.records = await records_of(running.ground.broker.kafka.encrypted_brokers, **running.ground.reading)
    return found


def _lost(found: Evidence) -> int:
    """Accepted commands without an event, told events that Kafka lacks, and places that somebody never took in."""
    stored = {json.loads(event["meta"]).get("command") for rows in found.rows.values() for event in rows.events}
    nowhere = [asked for asked in found.history if asked.outcome == "ok" and asked.key not in stored]
    carried = {record.event_id for record in found.records}
    unsent = [row for rows in found.rows.values() for row in rows.published if row["event_id"] not in carried]
    return len(nowhere) + len(unsent)


def _doubled(found: Evidence) -> int:
    """Commands with events of two commits, answers that were others the second time, rows that resends have left."""
    commits: dict[str, set[Any]] = {}
    for rows in found.rows.values():
        for event in rows.events:
            commits.setdefault(json.loads(event["meta"]).get("command") or "", set()).add(event["recorded_at"])
    keys = {asked.key for asked in found.history}
    twice = [key for key, at in commits.items() if key in keys and len(at) > 1]
    others = [asked for asked, status, body in found.answered_again if (status, body) != (asked.status, asked.reply)]
    more = sum(found.counts_after[table] - before for table, before in found.counts_before.items())
    return len(twice) + len(others) + more
