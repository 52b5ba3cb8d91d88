"""The way of every command: load, decide, append. Concurrent commands of a process share one commit.

No timer: when the last commit returns, the writer takes all that waits (at most `limit`), one unit per stream, key and
gate; the rest goes next. A unit that lost a race is decided again on the new state; each unit is admitted whole or not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import structlog

from belt.core.decider import Refused, Step
from belt.io.clock import Clock
from belt.io.codec import Codec
from belt.io.decision import Decision, Missing, Streams, category, decide
from belt.io.ids import fresh
from belt.io.rows import Keys, fill
from belt.io.seal import Vault
from belt.io.store import Batch, Loaded, Status, Store, Unavailable
from belt.io.unit import Behind, Conflict, Entry, Gap, Gate, Meta, Outcome, Reply, Taken, Unit, replay, stored

log = structlog.get_logger()

SCAN = 4_096  # how far into a long queue one batch looks
TRIES = 64
INTERNAL = "~"  # keys of ours need to outlive a retry only, so they can be told from callers' and swept


class Busy(Exception):
    """More commands wait than the writer will hold. Nothing was done; come again later."""


class Writer:
    """One per process. `handle` may be called from any number of tasks."""

    def __init__(
        self,
        dsn: str,
        streams: Streams,
        vault: Vault,
        clock: Clock,
        source: str,
        *,
        limit: int = 512,
        backlog: int = 20_000,
        cached: int = 50_000,
        deadline: float = 10.0,
        database_deadline: float = 5.0,
        wake: asyncio.Event | None = None,
    ) -> None:
        self.streams, self.vault, self.clock, self.source = streams, vault, clock, source
        self.codecs = {name: Codec(stream) for name, stream in streams.items()}
        self.keys = Keys(vault)
        self.wake = wake or asyncio.Event()
        self.commits = 0
        self._store = Store(dsn, deadline=database_deadline)
        self._limit, self._backlog, self._cached, self._deadline = limit, backlog, cached, deadline
        self._queue: deque[Unit] = deque()
        self._work = asyncio.Event()
        self._cache: OrderedDict[str, Entry] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    # -- callers -----------------------------------------------------------------------------------------------

    async def handle(
        self,
        *steps: Step,
        key: str | None = None,
        fingerprint: bytes | None = None,
        if_match: int | None = None,
        meta: Meta | None = None,
        gate: Gate | None = None,
        reply: Callable[[Outcome], Reply] | None = None,
        fired: tuple[str, str] | None = None,
    ) -> Outcome:
        """Does the steps as one unit and answers when they are durable.

        Raises Refused, Conflict (If-Match), Taken (a claim), Gap and Behind (a gate), Busy, Unavailable.
        """
        if self._stopping or len(self._queue) >= self._backlog:
            raise Busy
        unit = Unit(
            steps=steps,
            key=key or INTERNAL + fresh(),
            internal=key is None,
            fingerprint=fingerprint,
            if_match=if_match,
            meta=meta or Meta(),
            gate=gate,
            reply=reply,
            fired=fired,
            future=asyncio.get_running_loop().create_future(),
        )
        self._queue.append(unit)
        self._work.set()
        try:
            async with asyncio.timeout(self._deadline):
                return await unit.future
        except TimeoutError:
            raise Unavailable("the command was not done in time") from None

    async def read(self, name: str, key: str) -> Entry:
        """A stream as it stands now (version 0 and the initial state if there is none)."""
        return (await self.read_many([f"{name}-{key}"]))[f"{name}-{key}"]

    async def read_many(self, stream_ids: list[str]) -> dict[str, Entry]:
        unit = Unit((), fresh(), True, None, None, Meta(), None, None, None, asyncio.get_running_loop().create_future())
        unit.also = set(stream_ids)
        self._queue.append(unit)
        self._work.set()
        try:
            async with asyncio.timeout(self._deadline):
                return dict((await unit.future).entries)
        except TimeoutError:
            raise Unavailable("the stream was not read in time") from None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="belt-writer")

    async def stop(self, within: float = 10.0) -> None:
        """Finishes what waits, at most `within` seconds, then closes."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._queue:
                    self._work.set()
                    await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for unit in self._queue:
            _fail(unit, Unavailable("the service stops"))
        await self._store.close()

    # -- the loop ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            batch = self._take()
            if not self._queue:
                self._work.clear()
            if batch:
                await self._serve(batch)

    def _take(self) -> list[Unit]:
        """The longest-waiting units of which no two share a place. A unit never overtakes one that shares its place."""
        batch: list[Unit] = []
        busy: set[Any] = set()
        later: list[Unit] = []
        for _ in range(min(len(self._queue), SCAN)):
            if len(batch) >= self._limit:
                break
            unit = self._queue.popleft()
            if unit.future.done():
                continue
            places = unit.places
            if busy.isdisjoint(places):
                batch.append(unit)
            else:
                later.append(unit)
            busy |= places
        self._queue.extendleft(reversed(later))
        return batch

    async def _serve(self, batch: list[Unit]) -> None:
        try:
            await self._commit(batch)
        except Unavailable as lost:
            # What was sent may have been committed: each unit has a key, so it is safe to try again.
            log.warning("store.unavailable", error=str(lost), units=len(batch))
            self._again(batch)
            await asyncio.sleep(min(0.05 * 2 ** min(batch[0].tries, 5), 1.0))
        except asyncpg.PostgresError as wrong:
            if len(batch) == 1:
                self._lost(batch[0], wrong)
                return
            log.warning("store.batch_failed", error=str(wrong), units=len(batch))
            for unit in batch:
                await self._serve([unit])
        except Exception as wrong:  # a fault of ours in one unit must not end the writer
            if len(batch) == 1:
                log.exception("store.unit_failed")
                _fail(batch[0], wrong)
                return
            for unit in batch:
                await self._serve([unit])

    def _lost(self, unit: Unit, wrong: asyncpg.PostgresError) -> None:
        if isinstance(wrong, asyncpg.UniqueViolationError) and unit.tries < TRIES:
            for step in unit.steps:
                self._cache.pop(step.stream_id, None)
            self._again([unit])
        else:
            log.error("store.unit_refused_by_database", error=type(wrong).__name__)
            _fail(unit, wrong)

    def _again(self, units: list[Unit]) -> None:
        for unit in reversed(units):
            unit.tries += 1
            unit.internal = False  # the last try may have been committed
            if unit.future.done():
                continue
            if unit.tries > TRIES:
                _fail(unit, Busy())
            else:
                self._queue.appendleft(unit)
        self._work.set()

    # -- one batch ---------------------------------------------------------------------------------------------

    async def _commit(self, units: list[Unit]) -> None:
        streams = {step.stream_id for unit in units for step in unit.steps} | {s for unit in units for s in unit.also}
        keys = [unit.key for unit in units if not unit.internal]
        loaded = await self._load(keys, [unit.gate.name for unit in units if unit.gate], streams)
        entries = {stream_id: self._entry(stream_id) for stream_id in streams}
        open_units = [unit for unit in units if not self._known(unit, loaded)]

        decisions: list[Decision] = []
        while open_units:
            missing: set[str] = set()
            waiting: list[Unit] = []
            for unit in open_units:
                try:
                    decisions.append(self._decided(unit, entries))
                except Missing as need:
                    missing |= need.streams
                    waiting.append(unit)
                except Exception as refused:  # noqa: BLE001 - Refused, Conflict, or a fault of the domain code: the caller's to see
                    _fail(unit, refused)
            if missing:
                await self._load([], [], missing)
                entries |= {stream_id: self._entry(stream_id) for stream_id in missing}
            open_units = waiting

        ready, later = _apart([d for d in decisions if not self._nothing_to_write(d)])
        self._queue.extendleft(decision.unit for decision in reversed(later))
        if later:
            self._work.set()
        if ready:
            await self._append(ready)

    async def _load(self, keys: list[str], gates: list[tuple[str, str, str]], streams: set[str]) -> Loaded:
        """Loads what is above the cache, folds it, and puts it into the cache."""
        known = {stream_id: self._cache[stream_id] for stream_id in streams if stream_id in self._cache}
        found = await self._store.load(keys, gates, {s: known[s].version if s in known else 0 for s in streams})
        for stream_id, events in found.events.items():
            stream = category(stream_id, self.streams)
            codec = self.codecs[stream.category]
            entry = known.get(stream_id) or Entry(0, stream.initial)
            version, state, row = entry.version, entry.state, entry.row
            for raw in events:
                key = self.keys.learn(raw.holder, raw.wrapped)
                event = codec.read(raw.type, raw.schema, raw.data, raw.holder, key)
                version, state = raw.version, stream.evolve(state, event)
                row = stream.view.project(row, event) if stream.view is not None else None
            self._keep(stream_id, Entry(version, state, row))
        return found

    def _entry(self, stream_id: str) -> Entry:
        return self._cache.get(stream_id) or Entry(0, category(stream_id, self.streams).initial)

    def _keep(self, stream_id: str, entry: Entry) -> None:
        self._cache[stream_id] = entry
        self._cache.move_to_end(stream_id)
        while len(self._cache) > self._cached:
            self._cache.popitem(last=False)

    def _known(self, unit: Unit, loaded: Loaded) -> bool:
        """Answers a unit whose key or place at the gate was already used."""
        if unit.key in loaded.commands:
            fingerprint, text = loaded.commands[unit.key]
            try:
                if fingerprint is not None and unit.fingerprint is not None and fingerprint != unit.fingerprint:
                    raise Refused("idempotency-key-reused")
                _answer(unit, replay(text))
            except Refused as refused:
                _fail(unit, refused)
            return True
        if unit.gate is not None:
            have = loaded.gates.get(unit.gate.name, 0)
            if unit.gate.sequence != have + 1:
                _fail(unit, Gap(have) if unit.gate.sequence > have else Behind(have))
                return True
        return False

    def _decided(self, unit: Unit, entries: Mapping[str, Entry]) -> Decision:
        if unit.if_match is not None and unit.steps:
            has = entries[unit.steps[0].stream_id].version
            if has != unit.if_match:
                raise Conflict(unit.if_match, has)
        try:
            decision = decide(unit, entries, self.streams)
        except Refused as refused:
            if unit.gate is None:
                raise
            # A reaction that is refused is handled without effect: its key and gate are marked all the same.
            decision = Decision(unit)
            decision.outcome = Outcome(refused=refused.code)
            return decision
        seen = {stream_id: entries[stream_id] for stream_id in unit.also if stream_id in entries}
        outcome = Outcome(seen | decision.after, tuple(h.event for h in decision.happened))
        decision.outcome = outcome
        reply = unit.reply(outcome) if unit.reply is not None and decision.refused is None else None
        if reply is not None:
            decision.outcome = Outcome(outcome.entries, outcome.events, reply)
        decision.reply = stored(reply, decision.refused)
        return decision

    def _nothing_to_write(self, decision: Decision) -> bool:
        """A unit that changed nothing and has no key or gate to mark is answered at once."""
        unit = decision.unit
        if decision.happened or unit.gate is not None or unit.fired is not None:
            return False
        if unit.steps and not unit.internal:
            return False
        self._settle(decision)
        return True

    async def _append(self, ready: list[Decision]) -> None:
        await self.keys.fetch(ready, self.codecs, self._store)
        batch, ready = self._filled(ready)
        statuses = await self._store.append(batch, self.clock.stamp())
        self.commits += 1
        told = False
        for decision, status in zip(ready, statuses, strict=True):
            unit = decision.unit
            if status is Status.DONE:
                for stream_id in decision.written:
                    self._keep(stream_id, decision.after[stream_id])
                told = told or any(h.publics for h in decision.happened)
                self._settle(decision)
            elif status is Status.CLAIM_TAKEN:
                await self._name_holder(decision)
            else:
                for stream_id in decision.after:
                    self._cache.pop(stream_id, None)
                self.keys.forget(decision)
                self._again([unit])
        if told:
            self.wake.set()

    def _filled(self, ready: list[Decision]) -> tuple[Batch, list[Decision]]:
        """The batch's rows, without the units that turn out not to be storable."""
        batch = Batch()
        for n, decision in enumerate(ready, 1):
            try:
                fill(decision, n, batch, self)
            except Refused as refused:
                _fail(decision.unit, refused)
                return self._filled([d for d in ready if d is not decision])
        return batch, ready

    async def _name_holder(self, decision: Decision) -> None:
        for stream_id in decision.written:
            stream = category(stream_id, self.streams)
            held = set(stream.claims(decision.before[stream_id].state))
            for kind, value in sorted(set(stream.claims(decision.after[stream_id].state)) - held):
                holder = await self._store.holder_of(kind, self.vault.hashed(kind, value))
                if holder is not None and holder != stream_id:
                    _fail(decision.unit, Taken(kind, value, holder))
                    return
        self._again([decision.unit])  # it was let go in the meantime

    def _settle(self, decision: Decision) -> None:
        if decision.refused is not None:
            _fail(decision.unit, decision.refused)
        else:
            _answer(decision.unit, decision.outcome)


def _apart(decisions: list[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Those that can share a commit, and those that met another on a stream or claim that only deciding showed."""
    ready: list[Decision] = []
    later: list[Decision] = []
    busy: set[Any] = set()
    for decision in decisions:
        places: set[Any] = set(decision.after)
        for happened in decision.happened:
            places |= set(happened.stream.claims(decision.after[happened.stream_id].state))
        (ready if busy.isdisjoint(places) else later).append(decision)
        busy |= places
    return ready, later


def _answer(unit: Unit, outcome: Outcome) -> None:
    if not unit.future.done():
        unit.future.set_result(outcome)


def _fail(unit: Unit, wrong: Exception) -> None:
    if not unit.future.done():
        unit.future.set_exception(wrong)
