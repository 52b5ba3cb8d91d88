"""How a station takes events in: each is one append unit, its gate and its mark in the same commit as its effect.

The database decides what is new: a known event id is a duplicate, the next sequence of its key is applied, a later one
waits until the missing ones are fetched from their publisher. What cannot be taken in is parked, and its key with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from belt.core.decider import Refused, Step
from belt.io.intake import skipping
from belt.io.intake.arrival import Arrival, from_envelope, from_record
from belt.io.intake.missing import Fetch
from belt.io.intake.parking import Parked, Parking
from belt.io.intake.taking import OUT_OF_REACH, Poison, Progress, Redriven, cause, patiently
from belt.io.kafka.records import Received
from belt.io.store.handle import Writer
from belt.io.store.rows import FAULTS
from belt.io.store.unit import Behind, Gap, Gate, Meta, Taken
from belt.io.telemetry import CONSUMED, SEQUENCE_GAPS, SEQUENCE_REUSED, about
from conveyor_events import envelope as language
from conveyor_events.catalog import CATALOG, UnknownEvent
from conveyor_events.envelope import Envelope

log = structlog.get_logger()

React = Callable[[Any, Envelope], Sequence[Step]]


class Reactions:
    """`react` is pure: (public event, its envelope) -> steps. `fetch` asks an event's publisher for missing ones."""

    def __init__(self, writer: Writer, react: React, parking: Parking, fetch: Fetch, *, patience: float = 5.0) -> None:
        self._writer, self._react, self._parking, self._fetch = writer, react, parking, fetch
        self._patience = patience

    async def take(self, records: Sequence[Received], progress: Progress) -> None:
        """All keys at once, each key in order; the writer puts what comes together into one commit."""
        runs: dict[str, list[Arrival]] = {}
        for record in records:
            arrival = from_record(record)
            runs.setdefault(arrival.key, []).append(arrival)
        async with asyncio.TaskGroup() as group:
            for run in runs.values():
                group.create_task(self._run(run, progress))

    async def tidy(self) -> None:
        await self._parking.count()

    async def _run(self, run: list[Arrival], progress: Progress) -> None:
        for arrival in run:
            with about(arrival.about), arrival.process() as span:
                outcome = await patiently(progress, self._patience, partial(self._settle, arrival))
                if span is not None:
                    span.set_attribute("conveyor.outcome", outcome)
            progress.moved()
            CONSUMED.labels(arrival.topic, outcome).inc()

    async def _settle(self, arrival: Arrival) -> str:
        """Handles the event or parks it; answers which."""
        try:
            return await self._attempt(arrival)
        except Poison as poison:
            log.warning("intake.parked", topic=arrival.topic, event_id=str(arrival.event_id), reason=str(poison))
            await self._parking.park(arrival, str(poison))
            return "parked"

    async def _attempt(self, arrival: Arrival) -> str:
        """Raises Poison, or what is out of reach."""
        if arrival.envelope is None:
            raise Poison(f"unreadable: {arrival.wrong}")
        steps = self._steps(arrival.envelope)
        reached = -1
        while True:
            try:
                return await self._handle(arrival, arrival.envelope, steps)
            except Behind as behind:
                SEQUENCE_REUSED.labels(arrival.topic).inc()
                raise Poison(f"another event had its place: the gate is at {behind.have}", blocks=False) from None
            except Gap as gap:
                if await self._parking.queue(arrival, gap.have):
                    return "parked"
                if gap.have <= reached:
                    raise Poison(f"the gap above {gap.have} does not close") from None
                reached = gap.have
                await self._fill(arrival, gap.have)

    async def _fill(self, arrival: Arrival, have: int) -> None:
        """Takes in the events between the gate and this one, as their publisher has them."""
        SEQUENCE_GAPS.labels(arrival.topic).inc()
        missing = await self._fetch(arrival.topic, arrival.key, have, arrival.sequence - 1)
        log.warning("intake.gap", topic=arrival.topic, have=have, before=arrival.sequence, fetched=len(missing))
        if not missing or [e.sequence for e in missing] != [*range(have + 1, have + 1 + len(missing))]:
            raise Poison(f"the publisher does not have what is missing above {have}")
        for envelope in missing:
            await self._settle(from_envelope(arrival.topic, envelope))

    def _steps(self, envelope: Envelope) -> Sequence[Step]:
        try:
            event = language.open(envelope)
        except UnknownEvent as unknown:
            if _from_the_future(envelope):
                raise Poison(f"newer than this code: {unknown}") from unknown
            return ()  # a kind of event that this code cannot have an interest in
        except Exception as wrong:
            raise Poison(cause(wrong)) from wrong
        try:
            return tuple(self._react(event, envelope))
        except Exception as fault:
            log.exception("intake.fault", type=envelope.type)
            raise Poison(f"the reaction failed: {cause(fault)}") from fault

    async def _handle(self, arrival: Arrival, envelope: Envelope, steps: Sequence[Step]) -> str:
        key = self._parking.key_of(arrival)
        gate = Gate(self._parking.consumer, arrival.topic, arrival.key, arrival.sequence)
        meta = Meta(
            correlation_id=envelope.correlation_id,
            causation_id=str(envelope.id),
            actor=envelope.actor.person if envelope.actor else None,
            traceparent=envelope.traceparent,
        )
        try:
            outcome = await self._writer.handle(*steps, key=key, gate=gate, meta=meta)
        except (Refused, Taken) as refused:
            if isinstance(refused, Refused) and refused.code in FAULTS:
                raise Poison(f"the reaction is refused: {refused.code}") from refused
            log.info("intake.refused", type=envelope.type, reason=str(refused))
            with contextlib.suppress(Refused):  # handled without effect: its key and gate are marked all the same
                await self._writer.handle(key=key, gate=gate, meta=meta)
            return "refused"
        except (Gap, Behind, *OUT_OF_REACH):
            raise
        except Exception as fault:
            raise Poison(f"the reaction failed: {cause(fault)}") from fault
        if outcome.replayed:
            return "duplicate"
        if outcome.refused is not None:
            return "refused"
        return "applied" if steps else "ignored"

    # -- parked events -----------------------------------------------------------------------------------------

    async def redrive(self, parked_id: int, within: float = 8.0) -> Redriven | None:
        """The key's parked events in order, by the same way. Stops at the first that is still poison, or in time."""
        asked = await self._parking.find(parked_id)
        if asked is None:
            return None
        if asked.sequence < 0 and asked.arrival.envelope is None:
            # It never had a place: if it was one of ours, the gap it left is filled from the feed.
            await skipping.throw_away(self._parking, asked)
            return Redriven(0, await self._parking.left(asked.topic, asked.key), skipping.DISCARDED)
        handled, above, reason = 0, 0, None
        now = asyncio.get_running_loop().time
        ends = now() + within
        while now() < ends:
            front = await self._parking.first(asked.topic, asked.key, above)
            if front is None:
                break
            try:
                outcome = await self._retried(front)
            except Poison as poison:
                reason = str(poison)
                await self._parking.explain(front, reason)
                if poison.blocks:
                    break
                above = front.sequence
                continue
            if outcome == "parked":
                reason = "an earlier event of the key is parked"
                break
            CONSUMED.labels(front.topic, outcome).inc()
            await self._parking.remove(front)
            handled += 1
        return Redriven(handled, await self._parking.left(asked.topic, asked.key), reason)

    async def _retried(self, parked: Parked) -> str:
        """The event as it came to us; if that is still poison, as its publisher has it. Raises the first Poison."""
        try:
            return await self._attempt(parked.arrival)
        except Poison:
            if parked.sequence < 0:
                raise
            found = await self._fetch(parked.topic, parked.key, parked.sequence - 1, parked.sequence)
            if not found or found[0] == parked.arrival.envelope:
                raise
        return await self._attempt(from_envelope(parked.topic, found[0]))

    # -- skipped events ----------------------------------------------------------------------------------------

    async def skip(self, parked_id: int, by: str, because: str) -> Redriven | None:
        """The gate moves past the event, and past what is missing in front of it; its key is known from then on.

        Past a stranger's record it does not move: the event whose place that is may still come.
        """
        parked = await self._parking.find(parked_id)
        if parked is None:
            return None
        await skipping.in_front(self._parking, parked)
        placeless = await skipping.strangers(self._fetch, parked)
        await skipping.record(self._parking, parked, by, because)
        log.warning("intake.skipped", topic=parked.topic, event_id=str(parked.event_id), by=by)
        if placeless:
            await skipping.known(self._parking, parked)
        else:
            await self._pass_over(parked)
        await self._parking.remove(parked)
        CONSUMED.labels(parked.topic, "skipped").inc()
        following = await self._parking.first(parked.topic, parked.key, 0)
        if following is not None:
            return await self.redrive(following.id)
        return Redriven(0, await self._parking.left(parked.topic, parked.key))

    async def _pass_over(self, parked: Parked) -> None:
        sequence, key = parked.sequence, self._parking.key_of(parked.arrival)
        while True:
            gate = Gate(self._parking.consumer, parked.topic, parked.key, sequence)
            try:
                await self._writer.handle(key=key, gate=gate)
            except Gap as gap:  # what nobody has any more: its places are passed over one by one
                sequence = gap.have + 1
                key = f"{self._parking.consumer}:skipped:{parked.topic}:{parked.key}:{sequence}"
            except Behind:
                return  # the gate is past it
            else:
                if sequence == parked.sequence:
                    return
                sequence, key = parked.sequence, self._parking.key_of(parked.arrival)


def _from_the_future(envelope: Envelope) -> bool:
    """Whether the event belongs to a version of its language that this code does not know."""
    family = envelope.type.rpartition(".")[0]
    known = [kind.model.VERSION for kind in CATALOG if kind.wire.rpartition(".")[0] == family]
    return envelope.schema_version > max(known, default=1) or any(kind.wire == envelope.type for kind in CATALOG)
