"""rebuild: read models made anew from the events, while the services run."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import psutil
import typer

from conveyor.addresses import SERVICES
from conveyor.commands.options import AsJson, Name
from conveyor.exits import CheckFailed, NotRunning
from conveyor.processes import package
from conveyor.running import Running
from conveyor.screen import console, print_json, progress

WITHIN = 3_600.0


def rebuild(
    services: Annotated[list[str] | None, typer.Argument(help="Which; default: all four.", show_default=False)] = None,
    name: Name = "dev",
    as_json: AsJson = False,
) -> None:
    """Folds every stream anew and writes its row where the row is older. Safe while the services run.

    On this machine it uses the settings of the running services. Elsewhere it is a job with the service's own settings:
    `python -m SERVICE rebuild`.
    """
    wanted = services or [*SERVICES]
    if unknown := [one for one in wanted if one not in SERVICES]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(SERVICES)}", param_hint="SERVICES")
    running = Running.found(name)
    if running is None:
        raise NotRunning("no services run on this machine; where they run: python -m SERVICE rebuild")
    done: dict[str, dict[str, int]] = {}
    with progress() as bar:
        for service in wanted:
            task = bar.add_task(service, total=None)

            def told(rows: int, of: int, task: Any = task) -> None:
                bar.update(task, completed=rows, total=max(of, rows))

            done[service] = asyncio.run(rebuilt(service, settings_of(running, service), told))
    if as_json:
        print_json(done)
        return
    for service, views in done.items():
        console().print(f"{service}: " + ", ".join(f"{rows:,} of {view}" for view, rows in views.items()))


def settings_of(running: Running, service: str) -> dict[str, str]:
    """The environment of the running service."""
    try:
        return psutil.Process(running.services[service].pid).environ()
    except (KeyError, psutil.Error) as gone:
        raise NotRunning(f"{service} does not run on this machine: conveyor up") from gone


async def rebuilt(service: str, settings: dict[str, str], told: Callable[[int, int], None]) -> dict[str, int]:
    """Runs the service's own rebuild; rows by kind of stream. `told`: rows so far, and of how many."""
    command = [sys.executable, "-m", package(service), "rebuild"]
    process = await asyncio.create_subprocess_exec(*command, env=settings, stdout=asyncio.subprocess.PIPE)
    if process.stdout is None:
        raise CheckFailed(f"{service}: no output")
    found: dict[str, int] = {}
    before, of, last = 0, 0, ""
    async with asyncio.timeout(WITHIN):
        async for raw in process.stdout:
            last = raw.decode(errors="replace").strip()
            said = _read(last)
            if said.get("event") == "rebuild.progress":
                of = max(of, before + said["of"])
                told(before + said["done"], of)
            elif said.get("event") == "rebuild.done":
                before += said["rows"]
                if said["rows"]:
                    found[said["stream"]] = said["rows"]
        code = await process.wait()
    if code != 0:
        raise CheckFailed(f"{service}: rebuild ended with {code}: {last[:300]}")
    return found


def _read(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
