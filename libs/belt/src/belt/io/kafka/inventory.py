"""Whether Kafka still has what was sent to it: topics are kept for ever, with partitions that never change in number.

A topic that holds fewer records than were acknowledged was made anew or lost some (as far as those that were sent twice
do not hide it); one with other partitions keeps keys in two places. Both are told, by a metric and in the log; what to
do about it is an operator's decision (`republish`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import partial

import structlog

from belt.io.kafka.brokers import Brokers, Unreachable
from belt.io.kafka.surveyor import Surveyor
from belt.io.store.public_log import RELAY, Pool
from belt.io.telemetry import TOPIC_PARTITIONS_WRONG, TOPIC_RECORDS_MISSING

log = structlog.get_logger()

EVERY = 5.0
SLICE = 100_000
DEADLINE = 10.0
SENT = "select coalesce((select position from checkpoints where name = $1), 0)"
COUNT = "select topic, count(*) as n from published where position > $1 and position <= $2 group by topic"


class Inventory:
    """One per worker. `topics`: those that this service publishes, with their partitions."""

    def __init__(self, pool: Pool, brokers: Brokers, name: str, topics: Mapping[str, int]) -> None:
        self._pool, self._topics = pool, dict(topics)
        self._surveyor = partial(Surveyor, brokers, f"{name}-inventory")
        self._counted = 0
        self._sent: Counter[str] = Counter()
        self._told: dict[str, str | None] = dict.fromkeys(topics)

    async def run(self) -> None:
        """Until cancelled; Kafka or the database may be away."""
        while True:
            surveyor = self._surveyor()
            try:
                await surveyor.start()
                while True:
                    await self._look(surveyor)
                    await asyncio.sleep(EVERY)
            except (Unreachable, OSError, TimeoutError) as away:
                log.info("inventory.waits", error=f"{type(away).__name__}: {away}")
            except Exception as wrong:  # noqa: BLE001 (the database, whatever it says: look again later)
                log.warning("inventory.failed", error=f"{type(wrong).__name__}: {wrong}")
            finally:
                await surveyor.close()
            await asyncio.sleep(EVERY)

    async def _look(self, surveyor: Surveyor) -> None:
        await self._count()
        there = await surveyor.partitions(list(self._topics))
        for topic, wanted in self._topics.items():
            numbers = there.get(topic, set())
            missing = max(self._sent[topic] - await surveyor.records(topic, numbers), 0)
            TOPIC_PARTITIONS_WRONG.labels(topic).set(int(len(numbers) != wanted))
            TOPIC_RECORDS_MISSING.labels(topic).set(missing)
            self._tell(topic, _wrong(len(numbers), wanted, missing))

    async def _count(self) -> None:
        """What was acknowledged, per topic: counted on from the last look, a slice at a time."""
        sent: int = await self._pool.fetchval(SENT, RELAY, timeout=DEADLINE)
        if sent < self._counted:  # set back: it is sent again from there
            return
        while self._counted < sent:
            upto = min(self._counted + SLICE, sent)
            for row in await self._pool.fetch(COUNT, self._counted, upto, timeout=DEADLINE):
                self._sent[row["topic"]] += row["n"]
            self._counted = upto

    def _tell(self, topic: str, wrong: str | None) -> None:
        if wrong is not None and wrong != self._told[topic]:
            log.error("topic.wrong", topic=topic, why=wrong)
        elif wrong is None and self._told[topic] is not None:
            log.info("topic.right_again", topic=topic)
        self._told[topic] = wrong


def _wrong(partitions: int, wanted: int, missing: int) -> str | None:
    if not partitions:
        return "it does not exist"
    if partitions != wanted:
        return f"it has {partitions} partitions, not {wanted}: keys have moved"
    return f"{missing} records that were acknowledged are not there" if missing else None
