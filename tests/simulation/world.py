"""The world of one history: two stations and pay as the real code runs them, on a virtual clock, out of one seed.

The real writer, relay, consumer, reactions, facts and ticker run the real services' streams. Only what lies outside is
a model: databases, Kafka, the feeds, time. At every await of theirs a process may wait, lose the answer, stand still or
die.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from broker_model import SESSION, Broker, ReaderModel, SenderModel
from database_model import Database
from sessions import EngineModel, PoolModel, RelayConnection, StoreModel

from belt.core.decider import Step
from belt.io.intake import consumer as consumers
from belt.io.intake.consumer import Consumer
from belt.io.intake.facts import Facts
from belt.io.intake.missing import PublisherAway
from belt.io.intake.parking import Parking
from belt.io.intake.reactions import Reactions
from belt.io.intake.taking import OUT_OF_REACH, Intake
from belt.io.kafka.relay import Relay, outgoing
from belt.io.service import Service
from belt.io.store import commit
from belt.io.store.codec import Codec
from belt.io.store.handle import Writer
from belt.io.store.seal import Vault
from belt.io.store.timers import Ticker
from compensation import intake
from compensation.main import SERVICE as PAY
from conversion.main import SERVICE as CONVERSION
from conveyor_events.catalog import TOPICS
from conveyor_events.envelope import Envelope, from_kafka
from lead_gen.main import SERVICE as LEAD_GEN

SERVICES: dict[str, Service] = {service.name: service for service in (LEAD_GEN, CONVERSION, PAY)}
TWINS = {"lead-gen": 2, "conversion": 2, "compensation": 1}
BEGINNING = datetime(2026, 3, 2, 10, tzinfo=UTC)
VAULT = Vault(b"a secret for a simulation, 32 bytes")
LEAST, MOST = 0.0005, 0.02  # seconds that a step of the outside takes
consumers.POLL = 4.0  # nobody has to hurry where looking costs no time
_codecs: dict[int, Codec] = {}


def _codec(stream: Any) -> Codec:
    """A stream's codec, made once: in a history processes are born by the dozen."""
    if id(stream) not in _codecs:
        _codecs[id(stream)] = Codec(stream)
    return _codecs[id(stream)]


setattr(commit, "Codec", _codec)  # noqa: B010 (mypy knows no such assignment)


class Clock:
    driven = False

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.now()

    def stamp(self) -> None:
        return None


class Process:
    """One process of a service. `step` is every place where it meets the outside."""

    def __init__(self, world: World, service: Service, number: int) -> None:
        self.world, self.service, self.number = world, service, number
        self.dead = False
        self.frozen_until = 0.0
        self.sessions: list[RelayConnection] = []
        self.readers: list[ReaderModel] = []
        database = world.databases[service.name]
        wake = asyncio.Event()
        source = f"/conveyor/{service.name}"
        self.writer = Writer("", service.streams, VAULT, Clock(world), source, wake=wake, tick=world.time)
        self.writer._committer._store = world.kinds.store(self, database)
        self.writer._committer.states.reader = world.kinds.store(self, database)
        pool: Any = PoolModel(self, database)
        parking = world.kinds.parking(service.name, pool)
        self.intake: Intake
        if service.react is not None:
            self.intake = Reactions(self.writer, self._react, parking, self._fetch)
        else:
            self.intake = Facts(intake.take, parking, pool, self._fetch)
        self.relay = world.kinds.relay(self, wake)
        self.consumer = world.kinds.consumer(self._reader, self.intake, self._stuck, commit_every=2.0, watch_every=20.0)
        self.ticker = Ticker(self.writer, EngineModel(self, database), Clock(world), every=4.0)  # type: ignore[arg-type]

    def start(self) -> None:
        self.writer.start()
        self.relay.start()
        self.consumer.start()
        self.ticking = asyncio.create_task(self.ticker.run())

    async def step(self, what: str, lost: type[Exception] | None = None) -> None:
        """It takes a while; then it goes on, unless it was lost, or the process is frozen or dead by then."""
        world = self.world
        await asyncio.sleep(world.rnd.uniform(LEAST, MOST))
        while self.frozen_until > world.time():  # noqa: ASYNC110 (it may be frozen again meanwhile)
            await asyncio.sleep(max(self.frozen_until - world.time(), 0.001))  # less may not move the clock
        if self.dead:
            await asyncio.get_running_loop().create_future()
        if lost is not None and world.rnd.random() < world.loses:
            world.happened[f"lost {what}"] += 1
            raise lost(what)

    def crash(self) -> None:
        """It is gone at once; the group notices later."""
        self.dead = True
        for session in self.sessions:
            session.end()
        for reader in self.readers:
            asyncio.get_running_loop().call_later(SESSION, reader.leave)

    def freeze(self, seconds: float) -> None:
        """It stands still; meanwhile the group may give its partitions away, and the database end its session."""
        self.frozen_until = self.world.time() + seconds
        loop = asyncio.get_running_loop()
        if seconds > SESSION:
            for reader in self.readers:
                loop.call_later(SESSION, reader.leave)
        if self.world.rnd.random() < 0.5:
            for session in self.sessions:
                loop.call_later(seconds / 2, session.end)

    def _reader(self) -> Any:
        self.readers.append(ReaderModel(self, self.world.broker, self.service.name, self.world.topics(self.service)))
        return self.readers[-1]

    def _stuck(self, why: str) -> None:
        self.world.happened["stuck"] += 1

    def _react(self, event: Any, envelope: Envelope) -> Any:
        assert self.service.react is not None
        if envelope.subject == self.world.poisoned:
            raise RuntimeError("a fault in a reaction")
        return self.service.react(event, envelope)

    async def _fetch(self, topic: str, key: str, after: int, upto: int) -> list[Envelope]:
        await self.step("feed", PublisherAway)
        if self.world.feeds_away:
            raise PublisherAway("away")
        publisher = self.world.databases.get(TOPICS[topic].publisher, Database())
        rows = publisher.of_key(topic, key, after, upto)[:200]
        return [from_kafka(o.key, o.value, o.headers) for o in map(outgoing, rows)]


class RelayModel(Relay):
    """The real one, on a connection of ours."""

    def __init__(self, process: Process, wake: asyncio.Event) -> None:
        self._process = process
        sender: Any = lambda: SenderModel(process, process.world.broker)  # noqa: E731
        super().__init__("", sender, wake=wake, idle=3.0, standby=3.0, batch=50)

    async def _connect(self) -> Any:
        await self._process.step("relay connect", OSError)
        return RelayConnection(self._process, self._process.world.databases[self._process.service.name])


@dataclass
class Kinds:
    """What a process is made of; a test puts a faulty part in."""

    store: Any = StoreModel
    relay: Any = RelayModel
    consumer: Any = Consumer
    parking: Any = Parking


@dataclass
class World:
    seed: int
    databases: dict[str, Database]
    broker: Broker
    kinds: Kinds = field(default_factory=Kinds)
    rnd: Random = field(init=False)
    processes: list[Process] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    loses: float = 0.0
    feeds_away: bool = False
    poisoned: str | None = None
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rnd = Random(f"world {self.seed}")

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.time())

    def topics(self, service: Service) -> tuple[str, ...]:
        return tuple(topic for topic in service.topics if TOPICS[topic].publisher in SERVICES)

    def start(self) -> None:
        for name, count in TWINS.items():
            for number in range(count):
                self.launch(name, number)

    def launch(self, name: str, number: int) -> None:
        process = Process(self, SERVICES[name], number)
        self.processes.append(process)
        process.start()

    def alive(self, *names: str) -> list[Process]:
        return [p for p in self.processes if not p.dead and (not names or p.service.name in names)]

    def crash(self, process: Process) -> None:
        """Dead, and started again a moment later."""
        process.crash()
        after = self.rnd.uniform(0.1, 3.0)
        asyncio.get_running_loop().call_later(after, self.launch, process.service.name, process.number)

    def acknowledged(self, database: Database, before: int, after: int) -> None:
        """The relay says that Kafka has these: it must."""
        for row in database.published[before:after]:
            if row.event_id not in self.broker.ids:
                self.broken.append(f"the checkpoint passes position {row.position}, which Kafka does not have")

    async def drained(self, within: float) -> bool:
        """Whether everything has been carried and taken in; waits for it at most so long."""
        until = self.time() + within
        while self.time() < until:
            await asyncio.sleep(1.0)
            if self._still():
                return True
        return False

    async def redriven(self) -> None:
        """An operator who redrives what is parked, again and again."""
        while True:
            await asyncio.sleep(1.0)
            for process in self.alive():
                rows = self.databases[process.service.name].parked
                if rows:
                    with contextlib.suppress(*OUT_OF_REACH):
                        await process.intake.redrive(rows[0].id)

    def _still(self) -> bool:
        for name, database in self.databases.items():
            if database.parked or (database.relayed or 0) != len(database.published):
                return False
            for topic in self.topics(SERVICES[name]):
                for (heard, key), head in self.databases[TOPICS[topic].publisher].sequences.items():
                    if heard == topic and database.gates.get((name, topic, key), 0) != head:
                        return False
            soon = self.now() + timedelta(seconds=30)
            if any(due <= soon for due in database.timers.values()):
                return False
        return True


async def done(world: World, service: str, key: str, *steps: Step) -> Any:
    """A command of the opening, which nobody disturbs."""
    return await world.alive(service)[0].writer.handle(*steps, key=key, reply=lambda _: {"done": True})
