"""cases: acceptance scenarios as files, run through the pure fold of compensation. No service is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conveyor.commands.options import AsJson
from conveyor.exits import CheckFailed
from conveyor.pay_tables import table
from conveyor.screen import console, print_json


def cases(
    folder: Annotated[Path, typer.Argument(help="A folder with *.yaml files.", exists=True, file_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Runs the case files of a folder: staff, plans, facts, and the statements that must come of them."""
    from compensation.cases import case_files
    from compensation.differences import run_case
    from compensation.documents import FaultyDocument

    files = case_files(folder)
    if not files:
        raise typer.BadParameter(f"no case files (*.yaml) in {folder}", param_hint="FOLDER")
    told = []
    for file in files:
        try:
            result = run_case(file)
        except FaultyDocument as faulty:
            told.append(
                {"file": file.name, "case": "", "ok": False, "checks": 0, "wrong": list(map(str, faulty.faults))}
            )
        else:
            wrong = [str(difference) for difference in result.differences]
            told.append(
                {"file": file.name, "case": result.name, "ok": result.ok, "checks": result.checks, "wrong": wrong}
            )
    if as_json:
        print_json(told)
    else:
        made = table(str(folder), "file", "case", "checks", "result", right=("checks",))
        for case in told:
            wrong = case["wrong"] if isinstance(case["wrong"], list) else []
            verdict = "[green]holds[/green]" if case["ok"] else "[red]" + "\n".join(wrong) + "[/red]"
            made.add_row(str(case["file"]), str(case["case"]), str(case["checks"]), verdict)
        console().print(made)
    failed = [case["file"] for case in told if not case["ok"]]
    if failed:
        raise CheckFailed(f"{len(failed)} of {len(files)} cases do not hold: {', '.join(map(str, failed))}")
