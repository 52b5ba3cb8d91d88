"""demo: a seeded company works three months through the four services and is paid; the laws of pay are checked."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress

from conveyor.commands.options import AsJson
from conveyor.commands.simulating import show, watched
from conveyor.demo.audit import Audit, audit
from conveyor.demo.company import MONTHS, ZONE
from conveyor.demo.stage import Stage
from conveyor.exits import CheckFailed
from conveyor.line import Line
from conveyor.running import Running
from conveyor.screen import console, json_text, print_json, progress, say

FLAT: dict[str, Any] = {
    "from": MONTHS[0],
    "to": MONTHS[-1],
    "plans": [
        {
            "from_start": True,
            "document": {
                "plan": "flat-hunter",
                "version": "1",
                "role": "hunter",
                "currency": "EUR",
                "effective_from": "2026-01-01",
                "salary": "500.00",
                "rules": [
                    {"id": "H1", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"},
                    {"id": "H2", "kind": "commission", "sales": "repeat", "percent": "1.5", "release": "as_paid"},
                ],
            },
        }
    ],
}
"""What the demo asks at its end: what if every hunter were paid a flat share?"""


def demo(
    seed: Annotated[int, typer.Option(help="Another seed tells other stories; the same one always the same.")] = 2026,
    as_json: AsJson = False,
) -> None:
    """Three months of a company with four lines, one for each variant, on servers of its own that end with it."""
    from conveyor.processes import Wish, passing

    begun = time.monotonic()
    wish = Wish("demo", "driven", "WARNING", ZONE)
    with passing(wish, lambda step: say(f"[dim]… {step}[/dim]")) as running:
        stage, found, explained, tried = asyncio.run(_work(seed, running))
    seconds = round(time.monotonic() - begun, 1)
    summary = {
        "seed": seed,
        "clients": found.clients,
        "events": found.events_per_topic,
        "people": len({statement.person for statement in found.books.statements}),
        "lines": len(found.books.lines),
        "total": f"{found.total:f}",
        "seconds": seconds,
    }
    if as_json:
        print_json(summary | {"laws": {law: list(broken) for law, broken in found.broken.items()}})
    else:
        _show(stage, found, explained, tried)
    if not found.ok:
        raise CheckFailed(f"demo: a law does not hold {json_text(summary)}")
    if not as_json:
        typer.echo(f"demo: ok {json_text(summary)}")


async def _work(seed: int, running: Running) -> tuple[Stage, Audit, Any, dict[str, Any]]:
    from conveyor.demo.opening import departures, open_company
    from conveyor.demo.paying import office
    from conveyor.demo.slots import closing, opening
    from conveyor.demo.stories import stories
    from conveyor.explaining import in_the_feeds

    async with Line.of(running) as line:
        with progress() as bars:
            stage = Stage(line, _teller(bars, opening(), closing()), opening())
            await stage.set(opening())
            await open_company(line)
            await line.drained()
            plays = [play for _, play in stories(seed)]
            await stage.run([*departures(seed), *office(seed), *plays], closing())
        say("[dim]… statements, feeds and laws[/dim]")
        found = await audit(line)
        tried = await watched(line, FLAT)
        line_id = found.telling_line()
        shown = await line.get("compensation", f"/v1/lines/{line_id}", person="quentin", roles=("payroll",))
        return stage, found, (shown, await in_the_feeds(line, shown["events"])), tried


def _teller(bars: Progress, since: datetime, until: datetime) -> Any:
    """A bar that grows with the calendar."""
    days = (until - since).days
    task = bars.add_task("", total=days)

    def tell(at: datetime) -> None:
        local = at.astimezone(ZoneInfo(ZONE))
        bars.update(task, completed=(at - since).days, description=f"{local:%a %d %b %H:%M}")

    return tell


def _show(stage: Stage, found: Audit, explained: Any, tried: dict[str, Any]) -> None:
    from conveyor.demo.picture import bars, by_group, earnings_table, events_table, office_table
    from conveyor.pay_tables import line_tree

    out = console()
    happened = {"commands": stage.acts, "of them refused, as told": stage.refusals, "clock moves": stage.moves}
    out.print(events_table(found.events_per_topic, found.clients, happened))
    out.print(earnings_table(found.books.statements))
    out.print(bars(by_group(found.books.statements)))
    out.print(office_table(found.office))
    show(tried, f"every hunter at a flat 7 %, {tried['scenario']['from']} to {tried['scenario']['to']}")
    out.print("\n[bold]One line, down to its events[/bold]")
    out.print(line_tree(*explained))
    out.print("\n[bold]Laws[/bold]")
    for law, broken in found.broken.items():
        out.print(f"  [red]✗[/red] {law}" if broken else f"  [green]✓[/green] {law}")
        for what in broken[:5]:
            out.print(f"      {what}", style="red", markup=False)
    out.print()
