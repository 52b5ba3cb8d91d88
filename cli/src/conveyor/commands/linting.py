"""lint: pay plans looked at together, before anybody is paid by them. No service is needed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from conveyor.commands.options import AsJson
from conveyor.exits import CheckFailed
from conveyor.pay_tables import table
from conveyor.screen import console, print_json
from conveyor_events.words import VARIANTS


def lint(
    files: Annotated[list[Path], typer.Argument(help="Plan documents (YAML or JSON).", exists=True, dir_okay=False)],
    variant: Annotated[str, typer.Option(help=f"How the line is staffed: {', '.join(VARIANTS)}.")] = next(
        iter(VARIANTS)
    ),
    as_json: AsJson = False,
) -> None:
    """Finds what in pay plans sets the roles of a line against each other. Ends with 1 where something blocks."""
    from compensation.documents import FaultyDocument
    from compensation.lint import lint as look
    from compensation.plan import parse

    if variant not in VARIANTS:
        raise typer.BadParameter(f"there is no variant {variant!r}", param_hint="--variant")
    plans = []
    for file in files:
        try:
            plans.append(parse(file.read_text(encoding="utf-8")))
        except FaultyDocument as faulty:
            raise CheckFailed(f"{file}: " + "; ".join(map(str, faulty.faults))) from faulty
    found = look(plans, variant)
    if as_json:
        print_json([asdict(finding) for finding in found])
    elif found:
        made = table(variant, "finding", "level", "plan", "rule", "between", "what", "in money")
        for one in found:
            colour = "red" if one.level == "block" else "yellow"
            level, between = f"[{colour}]{one.level}[/{colour}]", " / ".join(one.between)
            made.add_row(one.code, level, one.plan, one.rule or "", between, one.message, one.example)
        console().print(made)
    else:
        console().print(f"{len(plans)} plans, {variant}: nothing sets one role against another")
    blocking = sorted({finding.code for finding in found if finding.level == "block"})
    if blocking:
        raise CheckFailed(f"not to be approved: {', '.join(blocking)}")
