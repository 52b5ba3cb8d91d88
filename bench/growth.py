"""What the same costs when the store has grown: at ten thousand, a hundred thousand, a million and five million events.

    python -m bench.growth [--sizes 10000,100000,1000000,5000000] [--rounds 9]

For each size two databases stand side by side (`loading.py`): a store of lead generation with so many events of so many
clients, and compensation with so many facts, of a company whose sellers each have as much to do as in the small one.
All of them are served in this process by the real services, and are asked in turns, so that what slows the machine
slows every size:

* command: a call logged on a prospect that nobody touched before (read, decided, appended), one after the other, and 64
  at once, in process;
* list page: the first page of prospects, and one from the middle by its cursor, over the service's door;
* statement: of one person and month over the door, of somebody not asked for before (their facts are read), and again.

Rebuilds (the view of prospects, and all facts of compensation read and indexed) are measured once per size. The ceiling
of every figure is the same product at the smallest size. Runs up to half an hour; it is no part of `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
import yaml

from belt.core.decider import Step
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.http.paging import encode_cursor
from belt.io.process import collect_seldom
from belt.io.running import Running, running
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault
from belt.io.telemetry import configure_logging
from bench.company import facts, people
from bench.disk import on_disk
from bench.loading import Life, client_of, load, load_facts
from bench.picture import Curves
from bench.report import Figure, Report
from compensation import intake
from compensation.assignment import Assign
from compensation.clerk.company import company
from compensation.main import SERVICE as PAY
from conveyor_events import from_json
from conveyor_local import Stack
from lead_gen.main import SERVICE as STATION
from lead_gen.prospect.commands import LogCall

SECRET = "0123456789abcdef0123456789abcdef"
SMALL = 10_000
STAFF = {"scout": 4, "hunter": 4, "farmer": 2}
ROLES = {"scout": "ref-scout", "hunter": "ref-hunter", "farmer": "ref-farmer"}
MONTH = "2025-06"
MOST = 1.3
SIDE_BY_SIDE = 64
COSTS = {
    "command": "command on an existing stream, one client, ms",
    "at 64": "command on an existing stream, 64 at once, ms each",
    "first page": "list, first page, ms",
    "deep page": "list, page from the middle, ms",
    "statement": "statement, facts read, ms",
    "again": "statement, asked again, ms",
}
HELD = ("command", "first page", "deep page", "statement", "again")


@dataclass
class Size:
    """The two services with so many events, and who and what is asked for next."""

    events: int
    station: Running
    pay: Running
    doors: httpx.AsyncClient
    statements: httpx.AsyncClient
    clients: list[int]
    sellers: list[str]
    middle: str
    costs: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COSTS})
    rebuilt: dict[str, float] = field(default_factory=dict)


async def served(
    stack: AsyncExitStack, service: Service, dsn: str, folder: Path, roles: list[str]
) -> tuple[Running, httpx.AsyncClient]:
    """The service's HTTP side in this process, and somebody with a token. Its log says what goes wrong only."""
    configure_logging(service.name, "WARNING", to=sys.stderr)
    key, issuer = folder / "sealing.key", DevelopmentIssuer(folder)
    key.write_text(SECRET)
    settings = Settings(service=service.name, port=0, dsn=dsn, jwks=str(issuer.jwks), key_file=key, rate=0)
    parts = await stack.enter_async_context(running(service, settings, role="api"))
    if parts.app is None:
        raise RuntimeError(f"{service.name} without doors")
    headers = {"authorization": f"Bearer {issuer.issue('bench', roles=roles)}"}
    client = httpx.AsyncClient(transport=httpx.ASGITransport(parts.app), base_url="http://bench", headers=headers)
    return parts, await stack.enter_async_context(client)


async def post(client: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await client.post(path, json=body)
    if answer.status_code >= 300:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")


async def get(client: httpx.AsyncClient, path: str, **asked: str) -> Any:
    answer = await client.get(path, params=asked)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
    return answer.json()


async def a_station(stack: AsyncExitStack, servers: Stack, folder: Path, events: int) -> tuple[Running, Any, int]:
    """Lead generation with so many events; how many clients it has."""
    dsn = await servers.create_database(f"growth_station_{events}")
    await upgrade(dsn, STATION.package)
    parts, client = await served(stack, STATION, dsn, folder, ["integration"])
    since, teams = "2026-01-01T00:00:00Z", ("lead-gen", "conversion", "account-mgmt")
    await post(client, "/v1/staff", {"person": "ana", "hired_on": "2026-01-01"})
    await post(client, "/v1/staff/ana/roles", {"role": "hunter", "since": since})
    staffed = {"variant": "hunter", "since": since, "zone": "UTC", "currency": "EUR"}
    members = {"teams": {name: {"team": name, "members": ["ana"]} for name in teams}}
    await post(client, "/v1/lines/north/staffing", staffed | members)
    first = client_of(10**9)
    said = {"client_id": first, "line": "north", "name": "Acme Tools", "source": "fair", "by": "ana"}
    await post(client, "/v1/prospects", said)
    for _ in range(7):
        await post(client, f"/v1/prospects/{first}/calls", {"outcome": "no_answer", "by": "ana", "note": "busy"})
    connection = await asyncpg.connect(dsn)
    try:
        life = await Life.read(connection, first, "prospects", Vault(SECRET.encode()))
        copies = events // life.events
        await load(connection, life, copies, lambda done: progress(f"station of {events:,}", done, events))
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return parts, client, copies


async def an_office(stack: AsyncExitStack, servers: Stack, folder: Path, events: int) -> tuple[Running, Any, list[str]]:
    """Compensation with so many facts; who is paid."""
    dsn = await servers.create_database(f"growth_pay_{events}")
    await upgrade(dsn, PAY.package)
    copies = max(events // SMALL - 1, 0)
    connection = await asyncpg.connect(dsn)
    try:
        told = [from_json(json.loads(line)) for line in facts(1, SMALL, STAFF)]
        for start in range(0, SMALL, 500):
            async with connection.transaction():
                await intake.take(connection, told[start : start + 500])
        if copies:
            await load_facts(connection, copies, lambda done: progress(f"pay of {events:,}", done, events))
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    parts, client = await served(stack, PAY, dsn, folder, ["payroll"])
    for name in ROLES.values():
        text = files("compensation").joinpath(f"plans/{name}.yaml").read_text(encoding="utf-8")
        document = yaml.load(text, Loader=yaml.BaseLoader) | {"effective_from": "2024-01-01"}
        await post(client, "/v1/plans", document)
        issuer = DevelopmentIssuer(folder)
        approver = {"authorization": f"Bearer {issuer.issue('approver', roles=['driver', 'finance'])}"}
        answer = await client.post(f"/v1/plans/{name}/versions/1/approve", json={}, headers=approver)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
    prefixes = ["", *(f"k{k}-" for k in range(1, copies + 1))]
    sellers = {prefix + person: role for prefix in prefixes for person, role in people(STAFF).items()}
    now, since = datetime.now(UTC), datetime(2024, 1, 1, tzinfo=UTC).date()
    steps = [
        Step("assignment", person, Assign(person, ROLES[role], role, since, "bench", now, None, None))
        for person, role in sellers.items()
    ]
    for start in range(0, len(steps), 200):
        await parts.desk.writer.handle(*steps[start : start + 200])
    return parts, client, [person for person, role in sellers.items() if role == "scout"]


async def a_size(stack: AsyncExitStack, servers: Stack, folder: Path, events: int) -> Size:
    began = time.perf_counter()
    station, doors, clients = await a_station(stack, servers, folder, events)
    pay, statements, sellers = await an_office(stack, servers, folder, events)
    chance = random.Random(events)
    numbers = list(range(clients))
    chance.shuffle(numbers)
    chance.shuffle(sellers)
    progress(f"{events:,} events of each loaded in {time.perf_counter() - began:.0f} s")
    middle = encode_cursor(client_of(clients // 2))
    return Size(events, station, pay, doors, statements, numbers, sellers, middle)


async def once(size: Size, rounds: int) -> None:
    """One turn of a size: everything that is asked of it."""

    async def call(number: int) -> None:
        now = size.station.desk.clock.now()
        said = LogCall("no_answer", now, 5, None, "nobody there", "ana", now)
        await size.station.desk.writer.handle(Step("prospect", client_of(number), said))

    share = len(size.clients) // (rounds + 1)
    alone = [size.clients.pop() for _ in range(min(40, share // 4))]
    crowd = [size.clients.pop() for _ in range(min(640, share // 2))]
    size.costs["command"].append(await each(alone, call))
    began, waiting = time.perf_counter(), iter(crowd)

    async def some() -> None:
        for number in waiting:
            await call(number)

    await asyncio.gather(*(some() for _ in range(SIDE_BY_SIDE)))
    size.costs["at 64"].append((time.perf_counter() - began) * 1_000 / len(crowd))

    async def listed(asked: dict[str, str]) -> None:
        if len((await get(size.doors, "/v1/prospects", limit="50", **asked))["items"]) != 50:
            raise RuntimeError("a short page")

    size.costs["first page"].append(await each([{}] * 15, listed))
    size.costs["deep page"].append(await each([{"cursor": size.middle}] * 15, listed))

    async def stated(person: str) -> None:
        if not (await get(size.statements, f"/v1/statements/{person}/{MONTH}"))["lines"]:
            raise RuntimeError(f"{person} earns nothing")

    asked = [size.sellers[n % len(size.sellers)] for n in range(4)]
    size.sellers = size.sellers[4:] + size.sellers[:4]
    forget(size)
    size.costs["statement"].append(await each(asked, stated))
    size.costs["again"].append(await each(asked * 3, stated))


def forget(size: Size) -> None:
    """Nobody was asked for before: in a small company everybody soon was."""
    books = company(size.pay.desk).books
    books.forget()


async def each(what: Sequence[Any], work: Callable[[Any], Awaitable[None]]) -> float:
    """The middle one of their times, in milliseconds."""
    took = []
    for one in what:
        began = time.perf_counter()
        await work(one)
        took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took)


async def rebuilt(size: Size) -> None:
    """Seconds of each rebuild."""
    began = time.perf_counter()
    stream = STATION.streams["prospect"]
    await rebuild(size.station.desk.settings.dsn, stream, Vault(SECRET.encode()))
    size.rebuilt["the view of prospects"] = time.perf_counter() - began
    began = time.perf_counter()
    everybody = company(size.pay.desk)
    await everybody.history()
    size.rebuilt["all facts read and indexed"] = time.perf_counter() - began
    everybody.let_go()


def progress(*what: Any) -> None:
    print("  " + " ".join(f"{one:,}" if isinstance(one, int) else one for one in what), file=sys.stderr, flush=True)


async def measure(servers: Stack, folder: Path, sizes: list[int], rounds: int, most: int) -> int:
    async with AsyncExitStack() as stack:
        grown = [await a_size(stack, servers, folder, events) for events in sorted(sizes)]
        collect_seldom()  # as a service does when it starts
        chance = random.Random(1)
        for number in range(rounds + 1):  # the first one warms up
            for size in chance.sample(grown, len(grown)):
                await once(size, rounds)
            progress(f"round {number} of {rounds}")
        for size in grown:
            for costs in size.costs.values():
                costs.pop(0)
            if size.events <= most:
                await rebuilt(size)
                progress(f"rebuilt {size.events:,}: {size.rebuilt}")
    return report(grown, rounds)


def report(grown: list[Size], rounds: int) -> int:
    small, large = grown[0], grown[-1]
    middle = {size.events: {name: statistics.median(costs) for name, costs in size.costs.items()} for size in grown}

    def ratio(name: str) -> float:
        pairs = zip(large.costs[name], small.costs[name], strict=True)
        return statistics.median(a / b for a, b in pairs)

    rows = [
        (what, *(f"{middle[s.events][name]:,.2f}" for s in grown), f"{ratio(name):.2f}") for name, what in COSTS.items()
    ]
    for what in small.rebuilt:
        took = [size.rebuilt[what] / size.events * 1e6 for size in grown if size.rebuilt]
        cells = [*(f"{one:,.1f}" for one in took), *[""] * (len(grown) - len(took))]
        rows.append((f"rebuild: {what}, us an event", *cells, f"{took[-1] / took[0]:.2f}"))
    ceiling = f"itself at {small.events:,} events"
    figures = [
        Figure(f"{COSTS[name].removesuffix(', ms')}, at {large.events:,}", ratio(name), MOST, ceiling, at_most=True)
        for name in HELD
    ]
    lines = {what: [middle[s.events][name] / middle[small.events][name] for s in grown] for name, what in COSTS.items()}
    return Report(
        name="growth",
        title=f"Cost by stored events, {rounds} rounds",
        columns=("cost", *(f"{size.events:,}" for size in grown), "largest / smallest"),
        rows=rows,
        figures=figures,
        chart=Curves([size.events for size in grown], lines, "events in the store", "cost / cost at the smallest size"),
        details={
            "each": {str(s.events): s.costs for s in grown},
            "rebuild_seconds": {str(s.events): s.rebuilt for s in grown},
        },
    ).publish()


def main() -> int:
    """Exit code 1 where the cost has grown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="10000,100000,1000000,5000000")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rebuild", type=int, default=5_000_000, help="the largest size that is rebuilt as well")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    with on_disk("growth", databases=2 * len(sizes)) as servers, tempfile.TemporaryDirectory() as folder:
        return uvloop.run(measure(servers, Path(folder), sizes, asked.rounds, asked.rebuild))


if __name__ == "__main__":
    sys.exit(main())
