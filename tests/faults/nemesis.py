"""Who disturbs the line: one fault after the other, chosen by a seed, each undone after a while.

The numbers in `FAULTS` are those of docs/promises.md, where each fault is described with what must hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer
from evidence import HEARS
from plant import Member, Plant
from stories import Stories
from talk import Refusal, Talk

CRASH_POINTS = ("after_send", "after_commit", "before_offset", "before_commit", "in_effect")
ENDS_WITHIN = 30.0


@dataclass
class Scene:
    """What a fault may touch."""

    plant: Plant
    talk: Talk
    stories: Stories
    rnd: Random
    seconds: float  # how long the whole run is disturbed
    alone: bool = False  # it is the only kind of this run
    slow_ends: list[str] = field(default_factory=list)  # members that took too long to end, or ended badly

    def member(self, *services: str) -> Member:
        return self.rnd.choice([m for m in self.plant.members if not services or m.service in services])

    def service(self) -> str:
        return self.rnd.choice(self.plant.services)

    async def rest(self, low: float, high: float) -> None:
        await asyncio.sleep(self.rnd.uniform(low, high))


Fault = Callable[[Scene], Awaitable[None]]


# -- processes -------------------------------------------------------------------------------------------------------


async def kill(scene: Scene) -> None:
    scene.member().send(signal.SIGKILL)
    await scene.rest(0.5, 2.0)


async def kill_all(scene: Scene) -> None:
    for member in scene.plant.members:
        member.send(signal.SIGKILL)
    await scene.rest(1.0, 2.0)


def crash(point: str) -> Fault:
    async def crash_there(scene: Scene) -> None:
        victims = scene.plant.twins(scene.service())
        for member in victims:  # one of them relays, and each has its share of the partitions
            member.arm(point)
        await scene.rest(2.0, 4.0)
        for member in victims:
            member.disarm(point)

    return crash_there


async def zombie_relay(scene: Scene) -> None:
    """The leader is frozen and loses its session; another takes over; then the first goes on where it was."""
    service = scene.service()
    frozen = scene.plant.twins(service)
    leader = await _leader(frozen)
    leader.send(signal.SIGSTOP)
    try:
        await _end_sessions(scene.plant.dsn(service), "application_name = 'belt-relay'")
        await scene.rest(1.5, 4.0)
    finally:
        leader.send(signal.SIGCONT)
    await scene.rest(0.5, 1.0)


async def zombie_consumer(scene: Scene) -> None:
    """A member sleeps until the group has given its partitions away, and wakes with a batch in its hands."""
    member = scene.member()
    member.send(signal.SIGSTOP)
    try:
        await scene.rest(11.0, 14.0)
    finally:
        member.send(signal.SIGCONT)
    await scene.rest(0.5, 1.0)


async def ask_to_end(scene: Scene) -> None:
    await _ended(scene, scene.member())


async def roll(scene: Scene) -> None:
    """One after the other, as a rolling deployment does."""
    for member in scene.plant.twins(scene.service()):
        await _ended(scene, member)
        until = time.monotonic() + ENDS_WITHIN
        while not await asyncio.to_thread(member.ready) and time.monotonic() < until:
            await asyncio.sleep(0.1)


async def _ended(scene: Scene, member: Member) -> None:
    process = member.process
    assert process is not None
    begun = time.monotonic()
    member.send(signal.SIGTERM)
    while process.poll() is None and time.monotonic() < begun + ENDS_WITHIN:
        await asyncio.sleep(0.05)
    if process.poll() != 0:
        scene.slow_ends.append(f"{member.name}: {process.poll()} after {time.monotonic() - begun:.1f} s")


async def _leader(twins: Sequence[Member]) -> Member:
    """The twin that relays, as its metrics say; any if that cannot be had."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        for member in twins:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with http.get(f"http://127.0.0.1:{member.port}/metrics") as answer:
                    if "conveyor_relay_active 1.0" in await answer.text():
                        return member
    return twins[0]


# -- Kafka -----------------------------------------------------------------------------------------------------------


async def kafka_kill(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.stop_kafka)
    await asyncio.to_thread(scene.plant.start_kafka)


async def kafka_away(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.stop_kafka)
    try:
        await asyncio.sleep(scene.seconds * 0.85 if scene.alone else scene.rnd.uniform(4.0, 12.0))
    finally:
        await asyncio.to_thread(scene.plant.start_kafka)


async def kafka_away_kill(scene: Scene) -> None:
    """Who has records in hand that Kafka has not acknowledged dies before it comes back."""
    await asyncio.to_thread(scene.plant.stop_kafka)
    try:
        await scene.rest(1.0, 2.0)
        for member in scene.plant.members:
            member.send(signal.SIGKILL)
    finally:
        await asyncio.to_thread(scene.plant.start_kafka)


async def kafka_freeze(scene: Scene) -> None:
    scene.plant.signal_kafka(signal.SIGSTOP)
    try:
        await scene.rest(4.0, 12.0)
    finally:
        scene.plant.signal_kafka(signal.SIGCONT)


async def strangers(scene: Scene) -> None:
    """Others join a service's group and leave it again: its partitions are dealt out anew each time."""
    service = scene.service()
    for _ in range(3):
        guest = AIOKafkaConsumer(
            *HEARS[service], bootstrap_servers=scene.plant.stack.brokers, group_id=service, enable_auto_commit=False
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await guest.start()
                await scene.rest(0.1, 0.8)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await guest.stop()


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


async def postgres_restart(scene: Scene) -> None:
    await asyncio.to_thread(scene.plant.restart_postgres)


async def postgres_freeze(scene: Scene) -> None:
    frozen = scene.plant.postgres_processes()
    for process in frozen:
        with contextlib.suppress(Exception):
            process.suspend()
    try:
        await scene.rest(2.0, 7.0)
    finally:
        for process in frozen:
            with contextlib.suppress(Exception):
                process.resume()


async def sessions_ended(scene: Scene) -> None:
    dsn = scene.plant.dsn(scene.service())
    for _ in range(scene.rnd.randint(1, 4)):
        await _end_sessions(dsn, "true")
        await scene.rest(0.1, 0.6)


async def sessions_used_up(scene: Scene) -> None:
    """Every connection that PostgreSQL has left is taken; who loses his gets none."""
    taken: list[Any] = []
    service = scene.service()
    try:
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            while len(taken) < 300:
                taken.append(await asyncpg.connect(scene.plant.dsn(service), timeout=5))
        if taken:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await taken[0].execute(ENDED.format("application_name like 'belt-%'"))
        await scene.rest(2.0, 4.0)
    finally:
        for one in taken:
            one.terminate()


async def long_transaction(scene: Scene) -> None:
    """Somebody writes and does not commit, here and in another database of the server."""
    open_: list[Any] = []
    try:
        for dsn in (scene.plant.dsn(scene.service()), scene.plant.stack.dsn("postgres")):
            connection = await asyncpg.connect(dsn, timeout=5)
            open_.append(connection)
            await connection.execute("begin; create table if not exists held (n int); insert into held values (1)")
        await scene.rest(3.0, 6.0)
    finally:
        for connection in open_:
            connection.terminate()


ENDED = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
    "where datname = current_database() and pid <> pg_backend_pid() and {}"
)


async def _end_sessions(dsn: str, which: str) -> None:
    with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
        connection = await asyncpg.connect(dsn, timeout=5, command_timeout=5)
        try:
            await connection.execute(ENDED.format(which))
        finally:
            connection.terminate()


# -- the network -----------------------------------------------------------------------------------------------------


async def database_hole(scene: Scene) -> None:
    wire = scene.plant.lines[scene.service()]
    wire.hole = True
    try:
        await scene.rest(3.0, 8.0)
    finally:
        wire.hole = False


async def hole_then_kill(scene: Scene) -> None:
    """A consumer holds what it cannot take in, and dies with it."""
    service = scene.service()
    wire = scene.plant.lines[service]
    wire.hole = True
    try:
        await scene.rest(1.5, 3.0)
        for member in scene.plant.twins(service):
            member.send(signal.SIGKILL)
        await scene.rest(0.2, 0.5)
    finally:
        wire.hole = False


async def database_replies_cut(scene: Scene) -> None:
    """PostgreSQL did it, and nobody hears of it."""
    wire = scene.plant.lines[scene.service()]
    for _ in range(5):
        wire.cut_replies = scene.rnd.randint(1, 3)
        await scene.rest(0.2, 0.8)
    wire.cut_replies = 0


async def database_slow(scene: Scene) -> None:
    wire = scene.plant.lines[scene.service()]
    wire.delay = scene.rnd.choice([0.02, 0.1, 0.3])
    try:
        await scene.rest(2.0, 5.0)
    finally:
        wire.delay = 0.0


async def replies_cut(scene: Scene) -> None:
    wire = scene.plant.doors[scene.service()]
    for _ in range(5):
        wire.cut_replies = scene.rnd.randint(1, 6)
        await scene.rest(0.2, 0.8)
    wire.cut_replies = 0


async def replies_late(scene: Scene) -> None:
    """Later than any caller waits."""
    wire = scene.plant.doors[scene.service()]
    wire.delay = 3.5
    try:
        await scene.rest(3.0, 5.0)
    finally:
        wire.delay = 0.0


async def cut(scene: Scene) -> None:
    for wire in (*scene.plant.doors.values(), *scene.plant.lines.values()):
        scene.plant.wires.cut(wire)
    await scene.rest(0.2, 1.0)


# -- what is in the events, clocks and closes ------------------------------------------------------------------------


async def slow_consumer(scene: Scene) -> None:
    member = scene.member()
    member.arm("slow", "0.8")
    try:
        await scene.rest(4.0, 8.0)
    finally:
        member.disarm("slow")


async def poison(scene: Scene) -> None:
    """One client's events make a station fail: they are parked, the others flow; then it is mended and redriven."""
    stations = [service for service in scene.plant.services if service != "compensation"]
    service = scene.rnd.choice(stations)
    twins = scene.plant.twins(service)
    client = scene.stories.begin()
    for member in twins:
        member.arm("poison", client)
    try:
        await scene.rest(2.0, 5.0)
    finally:
        for member in twins:
            member.disarm("poison")
    await redriven(scene.talk, service)


async def redriven(talk: Talk, service: str, within: float = 20.0) -> None:
    """What an operator does when the cause is mended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        told = await talk.found(service, "/v1/parked?limit=200")
        if not told["items"]:
            return
        for one in {(item["topic"], item["key"]): item["id"] for item in reversed(told["items"])}.values():
            with contextlib.suppress(Refusal):
                await talk.post(service, f"/v1/parked/{one}/redrive", {})
        await asyncio.sleep(0.2)


async def clock_jump(scene: Scene) -> None:
    member = scene.member()
    member.arm("clock", str(scene.rnd.choice([-3600, 3600, -90_000])))
    try:
        await scene.rest(2.0, 5.0)
    finally:
        member.disarm("clock")


async def doubled(scene: Scene) -> None:
    """Everything that Kafka has, sent once more."""
    from again import send_again

    with contextlib.suppress(TimeoutError):
        await send_again(scene.plant.stack.brokers, scene.rnd, most=400)


async def close(scene: Scene) -> None:
    """The month before is closed while money of it still comes in; who closes it may die over it."""
    month = f"{scene.stories.before:%Y-%m}"
    with contextlib.suppress(Refusal):
        await scene.talk.post("compensation", f"/v1/periods/{month}/close", {}, roles=("payroll",), person="payer")
    for member in scene.plant.twins("compensation"):
        await scene.rest(0.0, 0.4)
        member.send(signal.SIGKILL)


FAULTS: dict[str, tuple[tuple[int, ...], Fault]] = {
    "kill": ((2, 37), kill),
    "kill-all": ((2, 37), kill_all),
    "crash-after-send": ((1,), crash("after_send")),
    "crash-after-commit": ((9, 37), crash("after_commit")),
    "crash-before-commit": ((9,), crash("before_commit")),
    "crash-before-offset": ((22,), crash("before_offset")),
    "crash-in-effect": ((23,), crash("in_effect")),
    "zombie-relay": ((3, 11), zombie_relay),
    "zombie-consumer": ((24,), zombie_consumer),
    "sigterm": ((36,), ask_to_end),
    "roll": ((35, 36), roll),
    "kafka-kill": ((4,), kafka_kill),
    "kafka-away": ((6,), kafka_away),
    "kafka-away-kill": ((2, 6), kafka_away_kill),
    "kafka-freeze": ((5,), kafka_freeze),
    "strangers": ((25,), strangers),
    "postgres-restart": ((9,), postgres_restart),
    "postgres-freeze": ((12,), postgres_freeze),
    "sessions-ended": ((11,), sessions_ended),
    "sessions-used-up": ((14,), sessions_used_up),
    "long-transaction": ((16,), long_transaction),
    "database-hole": ((12,), database_hole),
    "hole-then-kill": ((12, 23), hole_then_kill),
    "database-replies-cut": ((13,), database_replies_cut),
    "database-slow": ((14,), database_slow),
    "replies-cut": ((13, 17), replies_cut),
    "replies-late": ((17, 18), replies_late),
    "cut": ((13,), cut),
    "slow-consumer": ((26,), slow_consumer),
    "poison": ((27,), poison),
    "clock-jump": ((30,), clock_jump),
    "doubled": ((19,), doubled),
    "close": ((31,), close),
}


def chosen(only: Sequence[str], services: Sequence[str]) -> list[str]:
    """The kinds of a run. Raises ValueError for a name that is none."""
    unknown = set(only) - FAULTS.keys()
    if unknown:
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    if only:
        return list(only)
    return [name for name in FAULTS if name != "close" or "compensation" in services]


async def disturb(scene: Scene, kinds: Sequence[str], report: Callable[[str, float], None]) -> dict[str, int]:
    """Until the seconds are over: a kind that was used least, a pause, the next. How often each was used."""
    ends = time.monotonic() + scene.seconds
    used = dict.fromkeys(kinds, 0)
    while time.monotonic() < ends:
        least = min(used.values())
        kind = scene.rnd.choice([name for name in kinds if used[name] == least])
        begun = time.monotonic()
        report(kind, ends - begun)
        used[kind] += 1
        await FAULTS[kind][1](scene)
        await scene.rest(0.2, 1.5)
        if scene.alone and kind == "kafka-away":
            break
    return used
