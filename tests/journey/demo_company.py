"""The company of the demo for tests: everybody who works there, its pay office, and some of its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from board_browser import Browser
from journey_firm import simulated

from conveyor.commands.demo import FLAT
from conveyor.demo.company import APPROVES, DRAFTS, ZONE
from conveyor.demo.opening import departures, open_company
from conveyor.demo.paying import ROLES, SERVICE, office
from conveyor.demo.play import Over, Play, Teller
from conveyor.demo.slots import closing, first_slot_of, opening
from conveyor.demo.stage import Stage
from conveyor.demo.stories import stories
from conveyor.line import Line
from conveyor.processes import Wish, passing
from conveyor.running import Running

SEED = 2026
EVERY = 10  # client: one in so many
OBJECTS, OBJECTED = "ana", "2026-02"
GRANTED = "12.34"


@dataclass
class Company:
    """After three months."""

    running: Running
    line: Line
    simulation: dict[str, Any]
    doors: AsyncExitStack
    sessions: dict[str, Browser] = field(default_factory=dict)
    """Who has signed in at the board."""


@contextmanager
def at_work() -> Iterator[Running]:
    with passing(Wish("figures", "driven", "WARNING", ZONE, pages=True), lambda _: None) as running:
        yield running


async def three_months(running: Running, line: Line, doors: AsyncExitStack) -> Company:
    """Plays them, and asks what would have been."""
    stage = Stage(line, lambda _: None, opening())
    await stage.set(opening())
    await open_company(line)
    await line.drained()
    some = [play for number, (_, play) in enumerate(stories(SEED)) if number % EVERY == 0]
    await stage.run([*departures(SEED), *office(SEED), objection(), *some], closing())
    return Company(running, line, await simulated(line, FLAT), doors)


def objection() -> Play:
    """Somebody objects to a closed month, and is granted a part: an adjustment in the next one."""
    teller = Teller.of(SEED, "objection", first_slot_of(date(2026, 3, 5)))
    about = {"period": OBJECTED, "text": "a prospect of the 9th is missing", "dispute_id": "objection"}
    way = "/v1/disputes/objection"
    try:
        while (yield from teller.ask(OBJECTS, SERVICE, f"/v1/statements/{OBJECTS}/{OBJECTED}"))["stage"] != "published":
            teller.wait(1)
        yield from teller.act(OBJECTS, SERVICE, "/v1/disputes", about, lane="objection")
        teller.wait(1)
        yield from teller.act(DRAFTS, SERVICE, f"{way}/review", {}, lane="objection", roles=ROLES)
        teller.wait(1)
        granted = {"outcome": "partly", "reason": "so it is", "amount": GRANTED, "currency": "EUR"}
        yield from teller.act(APPROVES, SERVICE, f"{way}/decide", granted, lane="objection", roles=ROLES)
    except Over as over:
        raise AssertionError("the objection did not happen") from over
