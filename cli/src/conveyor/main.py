"""The command line: `conveyor COMMAND`. Exit codes are in exits.py and README.md."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from conveyor.commands import (
    casefiles,
    importing,
    linting,
    parking,
    rates,
    reading,
    rebuilding,
    simulating,
    stack,
    verifying,
)
from conveyor.commands import demo as demonstration
from conveyor.exits import INTERRUPTED, Trouble, trouble_of
from conveyor.screen import console
from conveyor_local import LocalStackError


class Group(TyperGroup):
    """Says what went wrong on stderr, in one breath, and ends with the code of that kind of trouble."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Trouble, LocalStackError, OSError, ExceptionGroup) as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            console(stderr=True).print(f"conveyor: {trouble}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(trouble.exit_code) from trouble
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Group,
    name="conveyor",
    help="Sales as a production line, and pay computed from its events.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    stack.up,
    stack.down,
    demonstration.demo,
    stack.env,
    stack.token,
    reading.people,
    reading.statement,
    reading.explain,
    reading.journey,
    casefiles.cases,
    linting.lint,
    rates.rates,
    verifying.verify,
    rebuilding.rebuild,
    simulating.whatif,
):
    app.command()(command)
app.add_typer(importing.importer, name="import")
app.add_typer(parking.parked, name="parked")
