"""whatif: a range of history under another plan, another variant, or another handover policy."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.text import Text

from conveyor.commands.options import AsJson
from conveyor.commands.whatif_picture import picture
from conveyor.exits import CheckFailed
from conveyor.line import Line
from conveyor.pay_tables import money, table
from conveyor.screen import console, print_json, progress
from conveyor_events.words import VARIANTS

ASKER = "conveyor-cli"
PAYROLL = ("payroll",)
LOOK_EVERY = 0.2
WIDTH = 40


def whatif(
    since: Annotated[str, typer.Option("--from", help="The first month, such as 2026-03.")],
    to: Annotated[str, typer.Option(help="The last month.")],
    plan: Annotated[
        list[Path] | None, typer.Option(help="A plan document (YAML or JSON); more than once for more.", exists=True)
    ] = None,
    variant: Annotated[str | None, typer.Option(help=f"Another variant: {', '.join(VARIANTS)}.")] = None,
    accept_within_hours: Annotated[
        int | None, typer.Option(help="How many working hours an offer would have waited.")
    ] = None,
    line: Annotated[str | None, typer.Option(help="Only this line.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Where to draw the differences.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Who would have earned what. The statements are not touched."""
    asked: dict[str, Any] = {"from": since, "to": to, "variant": variant, "accept_within_hours": accept_within_hours}
    asked |= {"line": line, "plans": [{"document": _document(file), "from_start": True} for file in plan or ()]}
    found = asyncio.run(simulated({name: value for name, value in asked.items() if value is not None}))
    if found["stage"] != "done":
        raise CheckFailed(f"whatif: the simulation is {found['stage']}: {found['reason'] or ''}")
    if svg is not None:
        svg.write_text(picture(found["result"]["people"], f"{since} to {to}"), encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        show(found, f"{since} to {to}")


def show(found: dict[str, Any], title: str) -> None:
    """A row a person, with a bar for what would be more or less."""
    sides = ("actual", "simulated", "delta")
    made = table(f"What if: {title}", "person", *sides, "", right=sides)
    people = [one for one in found["result"]["people"] if any(Decimal(one[side]["payable"]) for side in sides)]
    most = max((abs(Decimal(one["delta"]["payable"])) for one in people), default=Decimal(0))
    for one in sorted(people, key=lambda one: Decimal(one["delta"]["payable"])):
        amounts = [f"{money(one[side]['payable'])} {one['currency']}" for side in sides]
        made.add_row(one["person"], *amounts, _bar(Decimal(one["delta"]["payable"]), most))
    console().print(made)
    for said in found["result"]["assumes"]:
        console().print(f"  assumes: {said}", style="dim", markup=False)
    before, after = found["ledger"]
    console().print(f"  ledger: {'unchanged' if before == after else 'closed another month meanwhile'}", style="dim")


def _bar(delta: Decimal, most: Decimal) -> Text:
    length = int(abs(delta) / most * WIDTH) if most else 0
    style = "green" if delta > 0 else "red" if delta else "dim"
    return Text(("━" * length) or ("╸" if delta else "·"), style=style)


def _document(file: Path) -> dict[str, Any]:
    """Numbers stay the text that was written."""
    document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (makes only text)
    if not isinstance(document, dict):
        raise CheckFailed(f"{file}: the document is not a mapping of keys to values")
    return document


async def simulated(asked: dict[str, Any]) -> dict[str, Any]:
    """Asks the running services."""
    async with Line.find() as line:
        return await watched(line, asked)


async def watched(line: Line, asked: dict[str, Any]) -> dict[str, Any]:
    """Asks for a simulation and watches it to its end."""
    begun = await line.post("compensation", "/v1/simulations", asked, person=ASKER, roles=PAYROLL)
    path = f"/v1/simulations/{begun['simulation_id']}"
    with progress() as bars:
        task = bars.add_task("people", total=None)
        try:
            while True:
                found = await line.get("compensation", path, person=ASKER, roles=PAYROLL)
                if found["stage"] not in ("queued", "running"):
                    return found
                if found["progress"]:
                    far = found["progress"]
                    bars.update(task, completed=far["done"], total=far["people"])
                await asyncio.sleep(LOOK_EVERY)
        except asyncio.CancelledError:  # Ctrl-C: nobody waits for it any more
            await line.post("compensation", f"{path}/cancel", {}, person=ASKER, roles=PAYROLL)
            raise
