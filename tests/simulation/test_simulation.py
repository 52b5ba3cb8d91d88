"""Some dozens of histories; a seed that plays itself again; five mistakes that a history brings to light."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import structlog
from history import Opening, history, opening
from sessions import StoreModel
from world import Kinds, RelayModel

from belt.io.ids import fresh
from belt.io.intake.consumer import Consumer
from belt.io.intake.parking import Parking
from belt.io.kafka.relay import outgoing
from belt.io.store.calls import Batch, Status, Unavailable

pytestmark = pytest.mark.timeout(180)
FIRST, ENOUGH, TRIES = 1_000, 40, 600


@pytest.fixture(scope="module")
def begun() -> Iterator[Opening]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield opening()
    finally:
        structlog.reset_defaults()


def test_whatever_is_lost_or_dies_a_history_keeps_every_law(begun: Opening) -> None:
    for seed in range(FIRST, FIRST + ENOUGH):
        assert history(seed, begun).broken == {}, f"make simulate SEED={seed}"


def test_a_seed_plays_the_same_history_again(begun: Opening) -> None:
    for seed in (1, 2, 3):
        first, again = history(seed, begun), history(seed, begun)
        assert (first.trace, first.happened, first.seconds) == (again.trace, again.happened, again.seconds)
    assert history(1, begun).trace != history(2, begun).trace


def test_a_slow_machine_plays_the_same_history(begun: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is decided hangs on how long the machine took for it."""
    quick = [history(seed, begun) for seed in (1, 2, 3)]
    real, chance = {name: getattr(time, name) for name in ("monotonic", "perf_counter")}, Random(8)
    for name, clock in real.items():
        monkeypatch.setattr(time, name, lambda clock=clock: clock() + chance.random())
    slow = [history(seed, begun) for seed in (1, 2, 3)]
    assert [one.trace for one in slow] == [one.trace for one in quick]


# -- mistakes --------------------------------------------------------------------------------------------------------


class PublishesFirst(StoreModel):
    """Public events are there before what they come from."""

    async def append(self, batch: Batch, at: Any) -> list[Status]:
        known = {row.event_id for row in self.database.published}
        early = [row for row in batch.published if row[3] not in known]
        self.database.append(
            Batch(units=[(None, None, None)] * len(batch.units), published=early), self.process.world.now()
        )
        batch.published = []
        return await super().append(batch, at)


class ForgetsItsKey(Parking):
    """Each time an event comes it has another key."""

    def key_of(self, arrival: Any) -> str:
        return fresh()


class CommitsFirst(Consumer):
    """A batch counts as taken in when it is read."""

    async def _work(self, partition: Any, share: Any) -> None:
        if share.waiting and self._reader is not None:
            self._done[partition] = share.waiting[-1].offset + 1
            await self._commit(self._reader)
        await super()._work(partition, share)


class TakesNoLock(StoreModel):
    """The place in the log is looked up, and used a moment later."""

    async def append(self, batch: Batch, at: Any) -> list[Status]:
        seen = len(self.database.published)
        await self.process.step("append", Unavailable)
        before = len(self.database.published)
        status = self.database.append(batch, self.process.world.now())
        for row in self.database.published[before:]:
            row.position -= before - seen
        return status


class MovesFirst(RelayModel):
    """The checkpoint moves before Kafka has acknowledged."""

    async def _pass_on(self, course: Any, sender: Any, position: int, records: Any) -> Any:
        reached = position + len(records)
        await course.keep(reached, now=True)
        await sender.send_batches(records)
        return reached, sender.pack(await course.next(reached), outgoing)


MISTAKES = {
    "publish before commit": Kinds(store=PublishesFirst),
    "a reaction without its idempotency key": Kinds(parking=ForgetsItsKey),
    "the offset before the effect": Kinds(consumer=CommitsFirst),
    "positions without the lock": Kinds(store=TakesNoLock),
    "the checkpoint before the acknowledgements": Kinds(relay=MovesFirst),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_history_brings_it_to_light(mistake: str, begun: Opening) -> None:
    for seed in range(FIRST, FIRST + TRIES):
        if history(seed, begun, MISTAKES[mistake]).broken:
            return
    pytest.fail(f"{TRIES} histories are judged well in spite of it: {mistake}")


async def test_time_passes_only_when_everybody_waits() -> None:
    from virtual_loop import NothingWillHappen, VirtualLoop

    def played() -> tuple[float, bool]:
        loop = VirtualLoop()
        try:
            loop.run_until_complete(asyncio.sleep(3_600))
            with pytest.raises(NothingWillHappen):
                loop.run_until_complete(loop.create_future())
            return loop.time(), True
        finally:
            loop.close()

    at, stopped = await asyncio.to_thread(played)
    assert 3_600 <= at < 3_600.1
    assert stopped
