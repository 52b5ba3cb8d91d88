"""parked: events that a service could not take in. List, look at one, redrive, or pass one over with a reason."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from getpass import getuser
from typing import Annotated, Any

import typer

from conveyor.addresses import SERVICES
from conveyor.commands.options import AsJson
from conveyor.exits import CheckFailed
from conveyor.line import Line
from conveyor.pay_tables import table
from conveyor.screen import console, print_json

OPERATOR = ("operator",)


class Service(StrEnum):
    LEAD_GEN = "lead-gen"
    CONVERSION = "conversion"
    ACCOUNT_MGMT = "account-mgmt"
    COMPENSATION = "compensation"


Of = Annotated[Service | None, typer.Option("--service", help="Only this one's.")]
At = Annotated[Service, typer.Argument(help="The service that holds it.", show_default=False)]
Number = Annotated[int, typer.Argument(min=1, help="Its number, as `parked list` shows it.", show_default=False)]

parked = typer.Typer(no_args_is_help=True, help="Events that a service could not take in, and what to do with them.")


@parked.command("list")
def list_(service: Of = None, as_json: AsJson = False) -> None:
    """What is parked, by service. The first event of a key is the one to look at; the others wait behind it."""
    found = asyncio.run(_items("/v1/parked", service))
    if as_json:
        print_json(found)
        return
    if not found:
        console().print("nothing is parked")
        return
    made = table(
        "Parked", "service", "id", "topic", "key", "sequence", "type", "since", "reason", right=("id", "sequence")
    )
    for one in found:
        kind = (one["type"] or "?").rpartition(".")[2]
        since = one["parked_at"][:19].replace("T", " ")
        made.add_row(
            one["service"],
            str(one["id"]),
            one["topic"],
            one["key"],
            str(one["sequence"]),
            kind,
            since,
            one["reason"][:80],
        )
    console().print(made)


@parked.command("skipped")
def skipped(service: Of = None, as_json: AsJson = False) -> None:
    """What was passed over for good: by whom, when and why."""
    found = asyncio.run(_items("/v1/parked/skipped", service))
    if as_json:
        print_json(found)
        return
    if not found:
        console().print("nothing was ever passed over")
        return
    made = table("Passed over", "service", "topic", "key", "sequence", "by", "when", "because", right=("sequence",))
    for one in found:
        when = one["skipped_at"][:19].replace("T", " ")
        place = one["service"], one["topic"], one["key"], str(one["sequence"])
        made.add_row(*place, one["skipped_by"], when, one["because"])
    console().print(made)


@parked.command("show")
def show(service: At, number: Number, as_json: AsJson = False) -> None:
    """One parked event with all that is in it."""
    found = asyncio.run(_asked(service, f"/v1/parked/{number}"))
    if as_json:
        print_json(found)
        return
    out = console()
    out.print(f"{service} {number}: {found['topic']} {found['key']} {found['sequence']}", markup=False)
    out.print(f"  {found['type'] or 'unreadable'}, parked {found['parked_at']}", markup=False)
    out.print(f"  {found['reason']}", markup=False)
    for name, value in (found["event"] or found["raw"] or {}).items():
        out.print(f"  {name}: {value}", markup=False)


@parked.command("redrive")
def redrive(
    service: Annotated[Service | None, typer.Argument(help="The service that holds it.", show_default=False)] = None,
    number: Annotated[int | None, typer.Argument(min=1, help="Any event of the key.", show_default=False)] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every parked key, of every service or of this one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tries a key's parked events again, in order. Do it when the cause is mended; doing it twice does no harm.

    What nobody can read is thrown away; `skipped` remembers it.
    """
    if everything == (number is not None) or (number is not None and service is None):
        raise typer.BadParameter("name a service and a number, or say --all")
    done = asyncio.run(_redriven(service, number))
    _tell(done, as_json)


@parked.command("skip")
def skip(
    service: At,
    number: Number,
    reason: Annotated[str, typer.Option(help="Why it may be passed over; kept for ever, with your name.")],
    as_json: AsJson = False,
) -> None:
    """Passes over the first parked event of its key for good, and redrives those behind it."""
    done = asyncio.run(_sent(service, number, "skip", {"reason": reason}))
    _tell([done], as_json)


def _tell(done: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(done)
    elif not done:
        console().print("nothing is parked")
    for one in [] if as_json else done:
        why = f": {one['reason']}" if one["reason"] else ""
        console().print(
            f"{one['service']} {one['id']}: {one['handled']} handled, {one['left']} left{why}", markup=False
        )
    left = sum(one["left"] for one in done)
    if left:
        raise CheckFailed(f"{left} events are still parked")


async def _items(path: str, service: Service | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with Line.find() as line:
        for name in SERVICES if service is None else (service.value,):
            items = line.items(name, path, person=getuser(), roles=OPERATOR)
            found += [{"service": name, **item} async for item in items]
    return found


async def _asked(service: Service, path: str) -> dict[str, Any]:
    async with Line.find() as line:
        return await line.get(service.value, path, person=getuser(), roles=OPERATOR)


async def _sent(service: Service, number: int, what: str, body: dict[str, Any]) -> dict[str, Any]:
    async with Line.find() as line:
        path = f"/v1/parked/{number}/{what}"
        done = await line.post(service.value, path, body, person=getuser(), roles=OPERATOR)
    return {"service": service.value, "id": number, **done}


async def _redriven(service: Service | None, number: int | None) -> list[dict[str, Any]]:
    if service is not None and number is not None:
        return [await _sent(service, number, "redrive", {})]
    fronts: dict[tuple[str, str, str], int] = {}
    for item in await _items("/v1/parked", service):
        place = item["service"], item["topic"], f"{item['key']} {item['sequence'] if item['sequence'] < 0 else ''}"
        fronts.setdefault(place, item["id"])
    return [await _sent(Service(place[0]), first, "redrive", {}) for place, first in fronts.items()]
