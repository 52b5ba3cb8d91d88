"""What two hundred open live pages cost the line: how long an offer is on its way to the next station, in turns.

    python -m bench.pages [--pages 200] [--rounds 3] [--offers 20]

The whole line and the board run as processes of their own. Each page is a stream of the board that takes what is sent,
as a browser does. Timed is from the answer to the offer until the next station has it; the rounds without and with open
pages take turns, and the middle of their ratios counts.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
from contextlib import AsyncExitStack
from time import perf_counter

import httpx2

from bench.picture import Bars
from bench.report import Figure, Report
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.pages import BOARD
from conveyor.processes import Wish, passing
from conveyor.running import Running, address
from conveyor_events.words import Station

WANTED = 1.2
LOOK = 0.002
PACE = 0.2  # between two offers
MANAGERS = 20


async def staffed(line: Line) -> None:
    """One line, with many who lead it: each is a viewer."""
    people = {"ana": "scout", "boris": "hunter", "clara": "farmer", **{f"lead-{n}": "manager" for n in range(MANAGERS)}}
    for person, role in people.items():
        await line.post("lead-gen", "/v1/staff", {"person": person, "hired_on": "2026-01-01"})
        granted = {"role": role, "since": "2026-01-01T00:00:00Z"}
        await line.post("lead-gen", f"/v1/staff/{person}/roles", granted)
    teams = dict(zip(Station, (["ana"], ["boris"], ["clara"]), strict=True))
    await line.post(
        "lead-gen",
        "/v1/lines/tools/staffing",
        {
            "variant": "scout-hunter-farmer",
            "since": "2026-01-01T00:00:00Z",
            "zone": "Europe/Berlin",
            "currency": "EUR",
            "managers": [f"lead-{n}" for n in range(MANAGERS)],
            "teams": {station: {"team": str(station), "members": members} for station, members in teams.items()},
        },
    )


async def offered(line: Line, number: int) -> float:
    """A lead that is found and offered; milliseconds until the next station has the offer."""
    client, said = f"client-{number}", {"by": "ana"}
    at = f"/v1/prospects/{client}"
    found = {"client_id": client, "line": "tools", "name": client, "source": "fair"}
    await line.post("lead-gen", "/v1/prospects", found | said)
    await line.post("lead-gen", f"{at}/calls", {"outcome": "reached", **said})
    met = {"person": "Udo Kern", "position": "buyer", "channel": "phone", "influence": "decides"}
    await line.post("lead-gen", f"{at}/contacts", met | said)
    need = {"category": "tools", "statement": "they wear out", "evidence": ["said so"]}
    await line.post("lead-gen", f"{at}/needs", need | said)
    await line.post("lead-gen", f"{at}/offer", {"offer_id": f"offer-{number}", **said})
    begun = perf_counter()
    while True:
        try:
            await line.get("conversion", f"/v1/offers/offer-{number}")
        except Problem as problem:
            if problem.status != 404:
                raise
            await asyncio.sleep(LOOK)
        else:
            return (perf_counter() - begun) * 1_000


async def viewer(board: str, number: int) -> httpx2.AsyncClient:
    """Somebody who leads the line, signed in."""
    http = httpx2.AsyncClient(
        base_url=board, follow_redirects=True, timeout=60, limits=httpx2.Limits(max_connections=50)
    )
    asked = await http.get("/sign-in?then=/")
    ticket = re.findall(r'name="ticket" value="([^"]+)"', asked.text)[0]
    picked = {"ticket": ticket, "name": f"lead-{number}", "role": "manager"}
    home = await http.post(str(asked.url.join("/pick")), data=picked)
    home.raise_for_status()
    return http


async def page(http: httpx2.AsyncClient, opened: asyncio.Semaphore) -> None:
    """An open page: takes what comes until it is closed."""
    async with http.stream("GET", "/line/moves") as stream:
        opened.release()
        async for _ in stream.aiter_raw():
            pass


async def measured(running: Running, pages: int, rounds: int, offers: int) -> Report:
    board = address(running.pages[BOARD].port)
    numbers = iter(range(1_000_000))
    alone: list[float] = []
    beside: list[float] = []
    async with Line.of(running) as line, AsyncExitStack() as stack:
        await staffed(line)
        await offered(line, next(numbers))
        viewers = [await viewer(board, n) for n in range(MANAGERS)]
        for one in viewers:
            stack.push_async_callback(one.aclose)

        async def round_of() -> float:
            took = []
            for _ in range(offers):
                took.append(await offered(line, next(numbers)))
                await asyncio.sleep(PACE)
            return statistics.median(took)

        await round_of()
        for _ in range(rounds):
            alone.append(await round_of())
            opened = asyncio.Semaphore(0)
            tasks = [asyncio.create_task(page(viewers[n % MANAGERS], opened)) for n in range(pages)]
            for _ in tasks:
                await opened.acquire()
            beside.append(await round_of())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    found = {f"{pages} pages open": beside, "no page open": alone}
    slower = statistics.median(with_pages / without for without, with_pages in zip(alone, beside, strict=True))
    what = f"commit to the next station's effect beside {pages} open pages"
    values = {name: statistics.median(took) for name, took in found.items()}
    return Report(
        name="pages",
        title=f"From an offer to the next station, {rounds} rounds of {offers}",
        columns=("while", "p50, ms"),
        rows=[(name, f"{value:.1f}") for name, value in values.items()],
        figures=[Figure(what, slower, WANTED, "the same without a page", at_most=True)],
        chart=Bars(values, [f"{pages} pages open"], "milliseconds, the middle one"),
        details={"pages": pages, "rounds": {name: [round(one, 2) for one in took] for name, took in found.items()}},
    )


def main() -> int:
    """Exit code 1 where they cost more than they may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--offers", type=int, default=20)
    given = parser.parse_args()
    with passing(Wish("pages", log_level="WARNING", pages=True), print) as running:
        report = asyncio.run(measured(running, given.pages, given.rounds, given.offers))
    return report.publish()


if __name__ == "__main__":
    sys.exit(main())
