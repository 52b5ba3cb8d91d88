"""One history: the world of a seed is disturbed, left alone, and judged by the verdict of the fault suite."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from broker_model import Broker, told
from database_model import Database
from evidence import Evidence, Record, Rows
from lives import Lives, opened
from verdict import violations
from virtual_loop import VirtualLoop
from world import BEGINNING, SERVICES, Kinds, World

from belt.io.store.calls import Unavailable
from compensation.history import History
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, parse
from compensation.reading import fact
from compensation.statement import statements
from conveyor_events.envelope import from_json

CLIENTS = 2
DISTURBED = 14.0
REST_WITHIN = 180.0
PLANS: dict[str, dict[str, Any]] = {
    "scout": {"id": "S1", "kind": "bounty", "on": ["LeadAccepted", "LeadOfferExpired"], "seat": "sourced_by",
              "once_per": ["client", "need"], "amount": "20.00"},
    "hunter": {"id": "H1", "kind": "commission", "sales": "first", "percent": "6", "release": "as_paid"},
}  # fmt: skip
PAID = {"ana": "scout", "abe": "scout", "boris": "hunter", "bea": "hunter"}
MONTH = Month(2026, 3)


@dataclass
class Told:
    """How a history went. `trace` is the same whenever the same seed is played."""

    seed: int
    broken: dict[str, list[str]]
    happened: Counter[str]
    seconds: float
    events: int
    commands: int
    trace: str


@dataclass
class Opening:
    """The company as it stands before every history."""

    databases: dict[str, Database] = field(default_factory=dict)
    broker: Broker | None = None


def opening() -> Opening:
    made = Opening()

    async def open_() -> None:
        databases = {name: Database(relayed=0) for name in SERVICES}
        world = World(0, databases, Broker())
        world.start()
        await opened(world)
        made.databases, made.broker = databases, world.broker

    _played(open_)
    return made


def history(seed: int, begun: Opening, kinds: Kinds | None = None) -> Told:
    """Plays the history of a seed."""
    found: list[Told] = []

    async def play() -> None:
        assert begun.broker is not None
        databases = {name: database.copied() for name, database in begun.databases.items()}
        world = World(seed, databases, begun.broker.copied(), kinds or Kinds())
        world.start()
        lives = Lives(world)
        living = [asyncio.create_task(lives.life(f"c{n}")) for n in range(CLIENTS)]
        await _disturb(world)
        mending = asyncio.create_task(world.redriven())
        _, left = await asyncio.wait(living, timeout=REST_WITHIN)
        at_rest = await world.drained(REST_WITHIN)
        mending.cancel()
        evidence = _gathered(world, lives)
        if at_rest and not left:
            await _asked_again(world, lives, evidence)
        broken = violations(evidence)
        if left or not at_rest:
            broken["it_comes_to_rest"] = [f"{len(left)} lives hang, at rest: {at_rest}"]
        if world.broken:
            broken["the_checkpoint_follows_the_acks"] = world.broken
        events = sum(len(rows) for database in databases.values() for rows in database.events.values())
        trace = "".join(database.trace() for database in databases.values())
        digest = hashlib.sha256(trace.encode()).hexdigest()
        found.append(Told(seed, broken, world.happened, world.time(), events, len(lives.history), digest))

    _played(play)
    return found[0]


def _played(play: Callable[[], Any]) -> None:
    """On a loop of its own; what still runs at the end is dropped."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(play())
        while left := asyncio.all_tasks(loop):  # who is cancelled may take leave of others first
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


# -- what goes wrong -------------------------------------------------------------------------------------------------


async def _disturb(world: World) -> None:
    """One trouble after the other, and some at once."""
    ends = world.time() + DISTURBED
    world.loses = world.rnd.choice([0.0, 0.01, 0.05])
    troubles = [_crash, _freeze, _session, _away, _loses, _feeds, _poison, _deal, _double, _all_die]
    helpers = []
    while world.time() < ends:
        trouble = world.rnd.choice(troubles)
        world.happened[trouble.__name__.strip("_")] += 1
        helpers.append(asyncio.create_task(trouble(world)))
        await asyncio.sleep(world.rnd.uniform(0.2, 4.0))
    await asyncio.wait(helpers)
    world.loses = 0.0


async def _crash(world: World) -> None:
    alive = world.alive()
    if alive:
        world.crash(world.rnd.choice(alive))


async def _all_die(world: World) -> None:
    for process in world.alive():
        world.crash(process)


async def _freeze(world: World) -> None:
    alive = world.alive()
    if alive:
        world.rnd.choice(alive).freeze(world.rnd.choice([0.5, 3.0, 15.0]))


async def _session(world: World) -> None:
    for process in world.alive(world.rnd.choice(list(SERVICES))):
        for session in process.sessions:
            session.end()


async def _away(world: World) -> None:
    world.broker.away = True
    await asyncio.sleep(world.rnd.choice([0.5, 4.0, 20.0]))
    world.broker.away = False


async def _loses(world: World) -> None:
    before, world.loses = world.loses, 0.3
    await asyncio.sleep(world.rnd.uniform(0.5, 4.0))
    world.loses = min(before, 0.05)


async def _feeds(world: World) -> None:
    world.feeds_away = True
    await asyncio.sleep(world.rnd.uniform(1.0, 6.0))
    world.feeds_away = False


async def _poison(world: World) -> None:
    world.poisoned = f"c{world.rnd.randrange(CLIENTS)}"
    await asyncio.sleep(world.rnd.uniform(1.0, 6.0))
    world.poisoned = None


async def _deal(world: World) -> None:
    for group, members in world.broker.groups.items():
        world.rnd.shuffle(members)
        world.broker.deal(group)


async def _double(world: World) -> None:
    """Some records are in the log once more, behind all others."""
    for place, log in world.broker.logs.items():
        for record in world.rnd.sample(log, min(3, len(log))):
            log.append(record._replace(offset=len(log)))
        assert [record.offset for record in log] == [*range(len(log))], place


# -- what is found ---------------------------------------------------------------------------------------------------


def _gathered(world: World, lives: Lives) -> Evidence:
    rows = {}
    for name, database in world.databases.items():
        events: list[Any] = [event for stream in database.events.values() for event in stream]
        gates = {(topic, key): at for (who, topic, key), at in database.gates.items() if who == name}
        facts = [*database.facts] if name == "compensation" else None
        published: list[Any] = [_with_epoch(row) for row in database.published]
        rows[name] = Rows(events, published, [], gates, len(database.parked), database.relayed or 0, facts)
    records = []
    for place, log in sorted(world.broker.logs.items()):
        for raw in log:
            head, value = told(raw), (raw.value or b"").decode()
            key = (raw.key or b"").decode()
            where = place.number, raw.offset
            records.append(
                Record(raw.topic, key, head["ce_id"], int(head["ce_sequence"]), head["ce_type"], value, where)
            )
    found = Evidence(rows, records, lives.history)
    found.statements = _statements(world.databases["compensation"])
    return found


def _with_epoch(row: Any) -> dict[str, Any]:
    return {**vars(row), "epoch": str(row.recorded_at.timestamp())}


def _statements(pay: Database) -> dict[tuple[str, str], Any]:
    """Everybody's statement, by the real fold of the facts that have come."""
    known = History((fact(from_json(json.loads(text))) for text in pay.facts.values()), zone="UTC")
    plans, assigned = _agreed()
    made: dict[tuple[str, str], Any] = {}
    for person in PAID:
        statement = statements(known, plans, assigned, person, [MONTH])[MONTH]
        made[person, str(MONTH)] = statement.to_json()
    return made


def _agreed() -> tuple[Sequence[PlanVersion], Sequence[Assignment]]:
    plans = []
    for role, rule in PLANS.items():
        document = {"plan": f"plan-{role}", "version": "1", "role": role, "currency": "EUR", "salary": "100.00",
                    "effective_from": "2026-01-01", "rules": [rule]}  # fmt: skip
        plans.append(PlanVersion(parse(document), BEGINNING))
    return plans, [_assigned(person, role) for person, role in PAID.items()]


def _assigned(person: str, role: str) -> Assignment:
    return Assignment(
        person=person, plan=f"plan-{role}", role=role, line=None, since=date(2026, 1, 1), until=None,
        recorded_at=BEGINNING,
    )  # fmt: skip


async def _asked_again(world: World, lives: Lives, found: Evidence) -> None:
    """Every accepted command once more: the same reply, and not a row more."""
    found.counts_before = _counts(world)
    for asked in [one for one in lives.history if one.outcome == "ok"]:
        step = lives.steps[asked.number]
        reply = None
        while reply is None:
            await asyncio.sleep(0.01)
            with contextlib.suppress(Unavailable, TimeoutError):  # who was frozen or dead may still be
                reply = await lives.once(asked, *step)
        found.answered_again.append((asked, asked.status, reply))
    found.counts_after = _counts(world)


def _counts(world: World) -> dict[str, int]:
    found = {}
    for name, database in world.databases.items():
        found[f"{name}.events"] = sum(len(rows) for rows in database.events.values())
        found[f"{name}.published"] = len(database.published)
    return found
