"""How a keeper of facts takes events in: as they are, a batch in one transaction, in any order.

Facts are a set: the keeper leaves out those it has. `sequence` serves only to find what is missing. Beside the gate (up
to here a key is complete) stands, while something is missing, the highest sequence seen; the range between them is
fetched from the publisher, however long that takes, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from belt.core.decider import Refused
from belt.io import tracing
from belt.io.intake import skipping
from belt.io.intake.arrival import Arrival, from_envelope, from_record
from belt.io.intake.missing import Fetch, PublisherAway
from belt.io.intake.parking import Parked, Parking
from belt.io.intake.taking import OUT_OF_REACH, Poison, Progress, Redriven, cause, patiently
from belt.io.kafka.records import Received
from belt.io.store.public_log import Pool
from belt.io.telemetry import CONSUMED, INCOMPLETE_KEYS, SEQUENCE_GAPS, about
from conveyor_events.envelope import Envelope

log = structlog.get_logger()

Keep = Callable[[Any, list[Envelope]], Awaitable[int]]
"""(asyncpg connection inside a transaction, envelopes): keeps those that it does not have, by event id. How many?"""

GATES = "select key, sequence from gates where consumer = $1 and topic = $2 and key = any($3::text[])"
MOVE = """
insert into gates (consumer, topic, key, sequence)
select consumer, $1, key, sequence
from unnest($2::text[], $3::text[], $4::bigint[]) as u(consumer, key, sequence) order by consumer, key
on conflict (consumer, topic, key) do update set sequence = greatest(gates.sequence, excluded.sequence)
"""
OPEN = """
select seen.topic, seen.key, coalesce(gate.sequence, 0) as have, seen.sequence as seen
from gates seen left join gates gate on gate.consumer = $2 and gate.topic = seen.topic and gate.key = seen.key
where seen.consumer = $1 and seen.sequence > coalesce(gate.sequence, 0) order by seen.topic, seen.key limit $3
"""


AT_ONCE = 1_000
HANDS = 2  # one writes, one makes ready: in the database they would wait for each other


@dataclass(eq=False)
class _Waiting:
    """A batch that is to be written."""

    topic: str
    arrivals: Sequence[Arrival]
    kept: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Facts:
    """`keep` is called with a batch, or with its events one by one if the batch failed."""

    def __init__(
        self,
        keep: Keep,
        parking: Parking,
        pool: Pool,
        fetch: Fetch,
        *,
        patience: float = 5.0,
        deadline: float = 30.0,
    ) -> None:
        self._keep, self._parking, self._pool, self._fetch = keep, parking, pool, fetch
        self._patience, self._deadline = patience, deadline
        self._seen = f"{parking.consumer}/seen"
        self._waiting: list[_Waiting] = []
        self._hands = asyncio.Semaphore(HANDS)

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        arrivals = [from_record(record) for record in records]
        await patiently(progress, self._patience, partial(self._batch, records[0].topic, arrivals))
        progress.moved()

    async def tidy(self) -> None:
        """Fetches what is missing, as far as the publishers can be reached."""
        await self._parking.count()
        gaps = await self.open_gaps()
        INCOMPLETE_KEYS.clear()
        for topic, count in Counter(topic for topic, *_ in gaps).items():
            INCOMPLETE_KEYS.labels(topic).set(count)
        for topic, key, have, seen in gaps:
            if await self._parking.sequences(topic, key, have, seen + 1):
                continue  # what is missing is parked: it comes with its redrive
            SEQUENCE_GAPS.labels(topic).inc()
            try:
                missing = await self._fetch(topic, key, have, seen)
            except PublisherAway as away:
                log.warning("intake.gap_stays", topic=topic, have=have, seen=seen, error=str(away))
                continue
            log.warning("intake.gap", topic=topic, have=have, seen=seen, fetched=len(missing))
            if missing:
                await self._batch(topic, [Arrival(topic, e.subject, e.sequence, e.id, e) for e in missing])

    async def open_gaps(self, limit: int = 100) -> list[tuple[str, str, int, int]]:
        """(topic, key, complete up to, seen up to) of the keys that miss something. Empty: every fact seen is here."""
        rows = await self._pool.fetch(OPEN, self._seen, self._parking.consumer, limit, timeout=self._deadline)
        return [(row["topic"], row["key"], row["have"], row["seen"]) for row in rows]

    async def redrive(self, parked_id: int) -> Redriven | None:
        """Tries the key's parked events again."""
        asked = await self._parking.find(parked_id)
        if asked is None:
            return None
        handled, above, reason = 0, asked.sequence - 1 if asked.sequence < 0 else 0, None
        while (front := await self._parking.first(asked.topic, asked.key, above)) is not None:
            above = front.sequence
            try:
                await self._retry(front)
            except OUT_OF_REACH:
                raise
            except Exception as fault:  # noqa: BLE001 (any fault of the keeper, or unreadable)
                reason = str(fault) if isinstance(fault, Poison) else str(Poison(cause(fault)))
                await self._parking.explain(front, reason)
                continue
            if front.sequence < 0 and front.arrival.envelope is None:
                await skipping.throw_away(self._parking, front)
                reason = skipping.DISCARDED
                continue
            await self._parking.remove(front)
            handled += 1
        return Redriven(handled, await self._parking.left(asked.topic, asked.key), reason)

    async def _retry(self, parked: Parked) -> None:
        """Keeps the event as it came to us; where that cannot be, as its publisher has it. Raises the first fault."""
        arrival = parked.arrival
        try:
            if arrival.envelope is not None:
                await self._write(parked.topic, [arrival])
            elif parked.sequence > 0:
                raise Poison(f"unreadable: {arrival.wrong}")
        except OUT_OF_REACH:
            raise
        except Exception:
            if parked.sequence < 0:
                raise
            found = await self._fetch(parked.topic, parked.key, parked.sequence - 1, parked.sequence)
            if not found or found[0] == arrival.envelope:
                raise
            await self._write(parked.topic, [from_envelope(parked.topic, found[0])])

    async def skip(self, parked_id: int, by: str, because: str) -> Redriven | None:
        """The fact is never kept, and its place counts as complete: a month may close over it.

        A stranger's record has no place, so what is missing in front of it cannot hold it up.
        """
        parked = await self._parking.find(parked_id)
        if parked is None:
            return None
        await skipping.in_front(self._parking, parked)
        placeless = await skipping.strangers(self._fetch, parked)
        if not placeless and parked.sequence > 1 + await self._complete(parked):
            raise Refused("parked.gap", complete_up_to=await self._complete(parked), sequence=parked.sequence)
        await skipping.record(self._parking, parked, by, because)
        log.warning("intake.skipped", topic=parked.topic, event_id=str(parked.event_id), by=by)
        if placeless:
            await skipping.known(self._parking, parked)
        else:
            place = self._parking.consumer, parked.topic, parked.key, parked.sequence
            await self._parking.ask("execute", skipping.COMPLETE, *place, self._parking.key_of(parked.arrival))
        await self._parking.remove(parked)
        if placeless and parked.sequence > 0:
            await self._told(parked)
        CONSUMED.labels(parked.topic, "skipped").inc()
        await self.tidy()  # what came behind it is complete now as well
        following = await self._parking.first(parked.topic, parked.key, 0)
        if following is not None:
            return await self.redrive(following.id)
        return Redriven(0, await self._parking.left(parked.topic, parked.key))

    async def _told(self, parked: Parked) -> None:
        """Takes in what the publisher has of the key; nothing else of it is missing then."""
        have = await self._complete(parked)
        while missing := await self._fetch(parked.topic, parked.key, have, parked.sequence):
            await self._batch(parked.topic, [from_envelope(parked.topic, envelope) for envelope in missing])
            have = missing[-1].sequence
        place = self._parking.consumer, self._seen, parked.topic, parked.key
        await self._parking.ask("execute", skipping.UNSEEN, *place)

    async def _complete(self, parked: Parked) -> int:
        """Up to which sequence the event's key is complete."""
        rows = await self._pool.fetch(GATES, self._parking.consumer, parked.topic, [parked.key], timeout=self._deadline)
        return int(rows[0]["sequence"]) if rows else 0

    async def _batch(self, topic: str, arrivals: Sequence[Arrival]) -> None:
        """All in one transaction; if that fails, one by one, and what fails alone is parked."""
        for arrival in arrivals:
            if arrival.envelope is None:
                with about(arrival.about):
                    await self._park(arrival, f"unreadable: {arrival.wrong}")
        readable = [arrival for arrival in arrivals if arrival.envelope is not None]
        try:
            with tracing.together(arrival.process() for arrival in (readable if tracing.on() else ())):
                await self._commit(topic, arrivals)
        except OUT_OF_REACH:
            raise
        except Exception as fault:  # noqa: BLE001 (any fault of the keeper)
            log.warning("intake.batch_failed", topic=topic, events=len(readable), error=type(fault).__name__)
            for arrival in readable:
                with about(arrival.about), arrival.process():
                    await self._alone(arrival)

    async def _alone(self, arrival: Arrival) -> None:
        try:
            await self._write(arrival.topic, [arrival])
        except OUT_OF_REACH:
            raise
        except Exception as fault:  # noqa: BLE001 (any fault of the keeper)
            await self._park(arrival, str(Poison(cause(fault))))

    async def _park(self, arrival: Arrival, reason: str) -> None:
        log.warning("intake.parked", topic=arrival.topic, event_id=str(arrival.event_id), reason=reason)
        await self._parking.park(arrival, str(Poison(reason)))
        CONSUMED.labels(arrival.topic, "parked").inc()
        if arrival.sequence > 0:
            async with self._pool.acquire(timeout=self._deadline) as connection:
                await connection.execute(MOVE, arrival.topic, [self._seen], [arrival.key], [arrival.sequence])

    async def _commit(self, topic: str, arrivals: Sequence[Arrival]) -> None:
        """Keeps the facts and moves the gates, together with what other partitions of the topic have at hand."""
        mine = _Waiting(topic, arrivals)
        self._waiting.append(mine)
        try:
            async with self._hands:
                if mine in self._waiting:
                    await self._together(self._group(mine))
            await mine.ended.wait()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if not mine.kept:  # somebody in the group spoiled it for all, so each goes alone
            await self._write(topic, arrivals)

    async def _together(self, group: Sequence[_Waiting]) -> None:
        try:
            await self._write(group[0].topic, [arrival for one in group for arrival in one.arrivals])
            for one in group:
                one.kept = True
        except Exception as fault:  # whatever it was: it comes again to whom it belongs
            if len(group) == 1:
                raise
            log.warning("intake.group_failed", topic=group[0].topic, batches=len(group), error=type(fault).__name__)
        finally:
            for one in group:
                one.ended.set()

    def _group(self, first: _Waiting) -> list[_Waiting]:
        """What is written now: this batch, and what waits beside it on the same topic, as far as there is room."""
        group, room = [first], AT_ONCE - len(first.arrivals)
        for one in [one for one in self._waiting if one is not first and one.topic == first.topic]:
            if len(one.arrivals) <= room:
                group.append(one)
                room -= len(one.arrivals)
        self._waiting = [one for one in self._waiting if one not in group]
        return group

    async def _write(self, topic: str, arrivals: Sequence[Arrival]) -> None:
        """In one transaction."""
        envelopes = [arrival.envelope for arrival in arrivals if arrival.envelope is not None]
        came: dict[str, set[int]] = {}
        for envelope in envelopes:
            came.setdefault(envelope.subject, set()).add(envelope.sequence)
        if not came:
            return
        async with self._pool.acquire(timeout=self._deadline) as connection, connection.transaction():
            # Before anything is kept, and others may have to wait. A gate that somebody moves meanwhile is still right:
            # what then seems to be missing is found to be here.
            rows = await connection.fetch(GATES, self._parking.consumer, topic, list(came))
            gates: dict[str, int] = {row["key"]: row["sequence"] for row in rows}
            whole, beyond = _advanced(gates, came)
            new = await self._keep(connection, envelopes)
            moved = [(self._parking.consumer, *at) for at in whole.items()]
            moved += [(self._seen, *at) for at in beyond.items()]
            if moved:
                await connection.execute(MOVE, topic, *map(list, zip(*moved, strict=True)))
        CONSUMED.labels(topic, "applied").inc(new)
        CONSUMED.labels(topic, "duplicate").inc(len(envelopes) - new)


def _advanced(gates: dict[str, int], came: dict[str, set[int]]) -> tuple[dict[str, int], dict[str, int]]:
    """Gates that move (complete up to), and for keys with a gap the highest sequence that came."""
    whole: dict[str, int] = {}
    beyond: dict[str, int] = {}
    for key, sequences in came.items():
        gate = have = gates.get(key, 0)
        while gate + 1 in sequences:
            gate += 1
        if gate > have:
            whole[key] = gate
        if max(sequences) > gate:
            beyond[key] = max(sequences)
    return whole, beyond
