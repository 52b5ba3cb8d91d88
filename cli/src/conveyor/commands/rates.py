"""rates: rates of exchange from a CSV file, into compensation."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Annotated

import typer

from conveyor.commands.options import AsJson
from conveyor.exits import CheckFailed, Problem
from conveyor.line import Line
from conveyor.screen import console, print_json

WRITER = "conveyor-cli"
PAYROLL = ("payroll",)
COLUMNS = ("from", "to", "on", "rate")


def rates(
    file: Annotated[Path, typer.Argument(help="CSV with the columns from, to, on, rate.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Enters rates of exchange, one a row: `USD,EUR,2026-03-10,0.9250`. Entered again, nothing new happens."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise typer.BadParameter(f"columns are missing: {', '.join(missing)}", param_hint="FILE")
        rows = [{name: (row[name] or "").strip() for name in COLUMNS} for row in reader]
    told = asyncio.run(_enter(rows))
    wrong = [one for one in told if one["refused"]]
    if as_json:
        print_json(told)
    else:
        console().print(f"{len(told) - len(wrong)} of {len(told)} rates entered")
    if wrong:
        raise CheckFailed("; ".join(f"row {one['row']}: {one['refused']}" for one in wrong[:20]))


async def _enter(rows: list[dict[str, str]]) -> list[dict[str, str | int | None]]:
    told: list[dict[str, str | int | None]] = []
    async with Line.find() as line:
        for number, row in enumerate(rows, 2):  # the first row names the columns
            refused = None
            try:
                await line.post("compensation", "/v1/fx-rates", row, person=WRITER, roles=PAYROLL)
            except Problem as problem:
                refused = str(problem)
            told.append({"row": number, **row, "refused": refused})
    return told
