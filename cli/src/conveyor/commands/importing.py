"""import: data of other systems, fed through the stations' own doors."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from conveyor.commands.options import AsJson
from conveyor.exits import Unreachable, first_of
from conveyor.line import Line
from conveyor.screen import json_text, print_json, progress

importer = typer.Typer(help="Feeds data of other systems through the stations.", no_args_is_help=True)


@importer.command()
def olist(
    folder: Annotated[
        Path, typer.Argument(help="The folder with the funnel's CSV files.", exists=True, file_okay=False)
    ],
    patience: Annotated[float, typer.Option(help="Seconds to wait for a service that is away.", min=1)] = 120,
    as_json: AsJson = False,
) -> None:
    """The Olist marketing funnel: leads, deals with scout and hunter, sales. A second run changes nothing twice."""
    from conveyor.olist.feed import NotHeard
    from conveyor.olist.files import NotOlist

    begun = time.monotonic()
    try:
        result = asyncio.run(_run(folder, patience))
    except NotOlist as wrong:
        raise typer.BadParameter(str(wrong), param_hint="FOLDER") from wrong
    except (NotHeard, ExceptionGroup) as error:
        late = first_of(NotHeard, error)
        if late is None:
            raise
        raise Unreachable(str(late)) from error
    result["seconds"] = round(time.monotonic() - begun, 1)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"import: ok {json_text(result)}")


async def _run(folder: Path, patience: float) -> dict[str, Any]:
    from conveyor.olist.feed import run

    with progress() as bar:
        task = bar.add_task("olist", total=None)
        async with Line.find(patience=patience) as line:
            return await run(folder, line, lambda done, total: bar.update(task, completed=done, total=total))
