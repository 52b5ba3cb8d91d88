"""One batch of units: prepared (loaded, decided, written out), then appended and answered.

While one batch is with the database the next one is prepared. What lost a race or met another unit is handed back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from prometheus_client import Counter

from belt.core.decider import Refused
from belt.io.clock import Clock
from belt.io.store.believed import Believed, Trust
from belt.io.store.calls import Batch, Loaded, Status, Store
from belt.io.store.codec import Codec
from belt.io.store.decision import Decision, Entries, Missing, Streams, category, decide, reading
from belt.io.store.remembered import Remembered
from belt.io.store.rows import FAULTS, Keys, fill
from belt.io.store.seal import Vault
from belt.io.store.states import States
from belt.io.store.unit import Behind, Conflict, Gap, Outcome, Taken, Unit, replay, stored
from belt.io.telemetry import APPEND_SECONDS, APPEND_UNITS, APPENDED_EVENTS, PUBLIC_EVENTS
from conveyor_events.catalog import wire_type
from conveyor_events.words import Event


@dataclass
class Prepared:
    """Decisions with the rows that will be appended, and units that met another and go later."""

    decisions: list[Decision]
    batch: Batch
    later: list[Unit]
    forgotten: int  # how often everything remembered had been forgotten before it was decided


class Committer:
    """One per process: the way to the store, with the states it knows."""

    def __init__(
        self, dsn: str, streams: Streams, vault: Vault, clock: Clock, source: str, cached: int, deadline: float
    ) -> None:
        self.streams, self.vault, self.clock, self.source = streams, vault, clock, source
        self.codecs = {name: Codec(stream) for name, stream in streams.items()}
        self.keys = Keys(vault)
        self.commits = 0
        self._store = Store(dsn, deadline=deadline, lost=self._lost)
        reader = Store(dsn, deadline=deadline, lost=self._lost)
        self.states = States(streams, self.codecs, self.keys, reader, Remembered(cached))
        self._of_known, self._of_new = Trust(), Trust()  # in what is remembered; in that what is not is new

    def _lost(self) -> None:
        """After a failover the store may have less than was remembered, and other events under the same versions."""
        self.states.forget_all()

    async def close(self) -> None:
        await self._store.close()
        await self.states.reader.close()

    async def prepare(self, units: list[Unit]) -> Prepared:
        """Decides, on what is believed or was loaded, and writes out. No two units share a place.

        A unit is decided on what this process remembers, as long as that is so nearly always: the append looks whether
        it is (decision 21). What would be refused or change nothing, and whatever lost a race, is looked up first.
        Raises Unavailable, asyncpg.PostgresError.
        """
        self.states.forget_what_is_old()
        forgotten = self.states.forgotten
        decisions, unsure, missing = self._believed(units)
        if unsure:
            decisions += await self._looked_up(unsure, missing)
        ready, later = _apart([d for d in decisions if not self._nothing_to_write(d)])
        for decision in later:
            decision.unit.also |= decision.after.keys()  # so that it is not decided in vain again and again
        await self.keys.fetch(ready, self.codecs, self.states.reader)
        batch, ready = self._filled(ready)
        return Prepared(ready, batch, [decision.unit for decision in later], forgotten)

    def _believed(self, units: list[Unit]) -> tuple[list[Decision], list[Unit], set[str]]:
        """Decisions that the append can judge, the units that have to be looked up, and what those need to see."""
        worth = {trust for trust in (self._of_known, self._of_new) if trust.worth_it()}
        decisions: list[Decision] = []
        unsure: list[Unit] = []
        missing: set[str] = set()
        for unit in units:
            own = {step.stream_id for step in unit.steps}
            trust = self._of_known if all(map(self.states.find, own)) else self._of_new
            first = not unit.tries and not unit.also and bool(own or unit.gate)
            believed = Believed(self.states, own)
            decision = self._on_belief(unit, believed, trust, missing) if first and trust in worth else None
            if decision is None:
                unsure.append(unit)
                continue
            decision.read = {stream: at for stream, at in believed.read.items() if stream not in decision.before}
            decisions.append(decision)
        return decisions, unsure, missing

    def _on_belief(self, unit: Unit, believed: Believed, trust: Trust, missing: set[str]) -> Decision | None:
        """What follows if all is as it is remembered; None if that is no answer yet."""
        try:
            decision = self._decided(unit, believed)
        except Missing as need:
            missing |= need.streams
            return None
        except Exception:  # noqa: BLE001 - an old state may be the cause, whatever it is: it is decided again on what is
            if trust is self._of_new:
                trust.learn(wrong=True)  # most likely the stream is there
            return None
        decision.trust = trust
        return None if decision.outcome.refused is not None or _leaves_nothing(decision) else decision

    async def _looked_up(self, units: list[Unit], missing: set[str]) -> list[Decision]:
        """Decides on what the store has. Answers at once whose key or gate is known, and who is refused."""
        keys = [unit.key for unit in units if not unit.internal]
        streams = {step.stream_id for unit in units for step in unit.steps} | {s for unit in units for s in unit.also}
        gates = [unit.gate.name for unit in units if unit.gate]
        loaded, entries = await self.states.load(keys, gates, streams | missing)
        decisions: list[Decision] = []
        todo = [unit for unit in units if not self._known(unit, loaded)]
        while todo:
            missing = set()
            waiting: list[Unit] = []
            for unit in todo:
                try:
                    decisions.append(self._decided(unit, entries))
                except Missing as need:
                    missing |= need.streams
                    waiting.append(unit)
                except Exception as refused:  # noqa: BLE001 - Refused, Conflict, or a fault of the domain code: the caller's to see
                    unit.fail(refused)
            if missing:
                entries |= (await self.states.load([], [], missing))[1]
            todo = waiting
        return decisions

    def _known(self, unit: Unit, loaded: Loaded) -> bool:
        """Answers a unit whose key or place at the gate was already used."""
        if unit.key in loaded.commands:
            fingerprint, text = loaded.commands[unit.key]
            try:
                if fingerprint is not None and unit.fingerprint is not None and fingerprint != unit.fingerprint:
                    raise Refused("idempotency-key-reused")
                unit.answer(replay(text))
            except Refused as refused:
                unit.fail(refused)
            return True
        if unit.gate is not None:
            have = loaded.gates.get(unit.gate.name, 0)
            if unit.gate.sequence != have + 1:
                unit.fail(Gap(have) if unit.gate.sequence > have else Behind(have))
                return True
        return False

    def _decided(self, unit: Unit, entries: Entries) -> Decision:
        if unit.guard is not None:
            unit.guard(reading(entries))  # before the version is compared: a stranger learns not even that
        if unit.if_match is not None and unit.steps:
            has = entries[unit.steps[0].stream_id].version
            if has != unit.if_match:
                raise Conflict(unit.if_match, has)
        try:
            decision = decide(unit, entries, self.streams)
        except Refused as refused:
            if unit.gate is None:
                raise
            return _without_effect(unit, refused)
        seen = {stream_id: entries[stream_id] for stream_id in unit.also if stream_id in entries}
        outcome = Outcome(seen | decision.after, tuple(h.event for h in decision.happened))
        decision.outcome = outcome
        reply = unit.reply(outcome) if unit.reply is not None and decision.refused is None else None
        if reply is not None:
            decision.outcome = Outcome(outcome.entries, outcome.events, reply)
        if unit.gate is None:  # a reply is kept for three days, a reaction's key for ever
            decision.reply = stored(reply, decision.refused)
        return decision

    def _nothing_to_write(self, decision: Decision) -> bool:
        """A unit that changed nothing and has no key or gate to mark is answered at once."""
        if _leaves_nothing(decision):
            _settle(decision)
            return True
        return False

    async def append(self, prepared: Prepared) -> list[Status]:
        """Gives the batch to the store; one status per decision. Raises Unavailable, asyncpg.PostgresError.

        Where all was forgotten since (a connection was lost, somebody erased), it is decided anew instead.
        """
        if prepared.forgotten != self.states.forgotten:
            return [Status.READ_ELSEWHERE] * len(prepared.decisions)
        started = time.perf_counter()
        statuses = await self._store.append(prepared.batch, self.clock.stamp())
        APPEND_SECONDS.observe(time.perf_counter() - started)
        APPEND_UNITS.observe(len(statuses))
        self.commits += 1
        return statuses

    async def settle(self, prepared: Prepared, statuses: list[Status]) -> list[Unit]:
        """Remembers the new states, and answers every unit that is through. Raises as `append` does.

        The answer: those that are not, as they lost a race with another process.
        """
        lost = list[Unit]()
        events = 0
        through = [d for d, status in zip(prepared.decisions, statuses, strict=True) if status is Status.DONE]
        erased = set[str]().union(*(decision.erased for decision in through))
        if erased:
            for holder in erased:
                self.keys.destroyed(holder)
            self.states.forget_all()
        same = prepared.forgotten == self.states.forgotten  # else a state may show what was erased, or is not there
        for decision, status in zip(prepared.decisions, statuses, strict=True):
            unit = decision.unit
            if status is Status.DONE:
                for stream_id in decision.written if same else ():
                    self.states.keep(stream_id, decision.after[stream_id])
                for happened in decision.happened:
                    for told in happened.publics:
                        _told_of(cast("type[Event]", type(told.data))).inc()
                events += len(decision.happened)
                _settle(decision)
            elif status is Status.CLAIM_TAKEN:
                if not await self._holder_named(decision):
                    lost.append(unit)
            else:
                self.states.forget(decision.after)
                self.keys.forget(decision)
                lost.append(unit)
            if decision.trust is not None and status is not Status.CLAIM_TAKEN:
                decision.trust.learn(wrong=status is not Status.DONE)
        APPENDED_EVENTS.inc(events)
        return lost

    def _filled(self, ready: list[Decision]) -> tuple[Batch, list[Decision]]:
        """The batch's rows, without the units that turn out not to be storable."""
        batch, storable = Batch(), list[Decision]()
        for decision in ready:
            n = len(storable) + 1
            try:
                fill(decision, n, batch, self)
            except Refused as refused:
                batch.take_back(n)
                if decision.unit.gate is None or refused.code in FAULTS:
                    decision.unit.fail(refused)
                    continue
                decision = _without_effect(decision.unit, refused)  # noqa: PLW2901 - instead of it
                fill(decision, n, batch, self)
            storable.append(decision)
        return batch, storable

    async def _holder_named(self, decision: Decision) -> bool:
        """Tells the caller whose the claim is. False: it was let go in the meantime."""
        for stream_id in decision.written:
            stream = category(stream_id, self.streams)
            held = set(stream.claims(decision.before[stream_id].state))
            for kind, value in sorted(set(stream.claims(decision.after[stream_id].state)) - held):
                holder = await self._store.holder_of(kind, self.vault.hashed(kind, value))
                if holder is not None and holder != stream_id:
                    decision.unit.fail(Taken(kind, value, holder))
                    return True
        return False


@cache
def _told_of(kind: type[Event]) -> Counter:
    return PUBLIC_EVENTS.labels(wire_type(kind))


def _apart(decisions: list[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Those that can share a commit, and those that met another on a stream or claim that only deciding showed."""
    ready: list[Decision] = []
    later: list[Decision] = []
    busy: set[Any] = set()
    for decision in decisions:
        places: set[Any] = set(decision.after)
        for stream_id, stream in {happened.stream_id: happened.stream for happened in decision.happened}.items():
            holds = decision.claims[stream_id] = set(stream.claims(decision.after[stream_id].state))
            places |= holds
        (ready if busy.isdisjoint(places) else later).append(decision)
        busy |= places
    return ready, later


def _leaves_nothing(decision: Decision) -> bool:
    """Whether no event, key, gate or timer is to be written."""
    unit = decision.unit
    return not (decision.happened or unit.gate or unit.fired or (unit.steps and not unit.internal))


def _without_effect(unit: Unit, refused: Refused) -> Decision:
    """A reaction that is refused is handled all the same: its key and gate are marked."""
    decision = Decision(unit)
    decision.outcome = Outcome(refused=refused.code)
    return decision


def _settle(decision: Decision) -> None:
    if decision.refused is not None:
        decision.unit.fail(decision.refused)
    else:
        decision.unit.answer(decision.outcome)
