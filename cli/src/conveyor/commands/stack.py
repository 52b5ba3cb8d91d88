"""up, down, env, token: the services on this machine, where they are, and the keys to their doors."""

from __future__ import annotations

import os
import shlex
import sys
from enum import StrEnum
from typing import Annotated

import typer

from conveyor.addresses import SERVICES, issuer_of, known
from conveyor.commands.options import AsJson, Name
from conveyor.exits import NotRunning
from conveyor.running import Running, address
from conveyor.screen import console, print_json, say

COMMAND = ".venv/bin/conveyor"  # as `make setup` leaves it, seen from the checkout


class Clock(StrEnum):
    SYSTEM = "system"
    DRIVEN = "driven"


def up(
    name: Name = "dev",
    clock: Annotated[Clock, typer.Option(help="driven: stands still until PUT /v1/clock moves it.")] = Clock.SYSTEM,
    as_json: AsJson = False,
) -> None:
    """Starts PostgreSQL, Kafka, the four services, a sign-in and the board; said again, only what is dead."""
    from conveyor.processes import Wish, up

    running, started = up(Wish(name, clock.value, pages=True), lambda step: say(f"[dim]… {step}[/dim]"))
    if as_json:
        services = {service: {"address": running.addresses[service], "pid": process.pid, "log": process.log}
                    for service, process in running.services.items()}  # fmt: skip
        pages = {page: address(process.port) for page, process in running.pages.items()}
        print_json({"name": name, "clock": running.clock, "started": started, "services": services, "pages": pages,
                    "issuer": str(running.issuer)})  # fmt: skip
        return
    out = console()
    out.print(f"started: {', '.join(started)}" if started else "all of it is up already")
    for service in SERVICES:
        out.print(f"  {service:<13} {running.addresses[service]}   log {running.services[service].log}")
    for page, process in running.pages.items():
        out.print(f"  {page:<13} {address(process.port)}   log {process.log}")
    for way in ways_on(running):
        out.print(way)


def ways_on(running: Running) -> list[str]:
    """What to say next to this very stack: whatever is not called `dev` is found by its name alone."""
    named = "" if running.name == "dev" else f" --name {running.name}"
    places = ", ".join([*SERVICES, *running.pages]).upper().replace("-", "_")
    return [
        f"a token: {COMMAND} token{named} --role manager --sub vera; the end: {COMMAND} down{named}",
        f'for curl: eval "$({COMMAND} env{named})" sets {places} and KAFKA',
    ]


def down(
    name: Name = "dev",
    erase: Annotated[bool, typer.Option("--erase", help="Remove the data too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ends the services and their servers. The data stays, unless it is to be erased."""
    from conveyor.processes import down

    ended = down(name, lambda step: say(f"[dim]… {step}[/dim]"), erase=erase)
    if as_json:
        print_json({"name": name, "ended": ended, "erased": erase})
    else:
        console().print(f"ended: {', '.join(ended)}" if ended else "nothing was up")


def env(name: Name = "dev", as_json: AsJson = False) -> None:
    """Prints where everything is, for `eval "$(conveyor env)"`: LEAD_GEN=http://… and so on, and KAFKA=host:port.

    SIGN_IN is the issuer that an application of your own may be given, where the sign-in runs.
    """
    from conveyor_local import Stack
    from conveyor_local.stack import KAFKA_BROKERS

    running = Running.found(name)
    addresses = known(running)
    stack = Stack.find(name)
    ours = stack.kafka.brokers if stack is not None and stack.kafka is not None else ""
    pages = {page: address(process.port) for page, process in running.pages.items()} if running else {}
    places = {place.upper().replace("-", "_"): door for place, door in {**addresses, **pages}.items()}
    places["KAFKA"] = os.environ.get(KAFKA_BROKERS) or ours
    if not places["KAFKA"]:
        raise NotRunning(f"no Kafka is known: run `conveyor up`, or name it in {KAFKA_BROKERS}")
    if as_json:
        print_json(places)
    else:
        sys.stdout.writelines(f"{variable}={shlex.quote(place)}\n" for variable, place in places.items())


def token(
    sub: Annotated[str, typer.Option(help="The person it speaks for.")],
    role: Annotated[list[str] | None, typer.Option(help="A bundle of scopes, such as scout; may be repeated.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A further scope; may be repeated.")] = None,
    hours: Annotated[float, typer.Option(help="How long it holds.", min=0.01, max=720)] = 12,
    name: Name = "dev",
    as_json: AsJson = False,
) -> None:
    """Prints a token of the development issuer, for `Authorization: Bearer …`."""
    from belt.io.http.issuer import DevelopmentIssuer
    from conveyor_events.scopes import UnknownScope

    folder = issuer_of(Running.found(name))
    try:
        made = DevelopmentIssuer(folder).issue(sub, roles=role or (), scopes=scope or (), ttl=hours * 3_600)
    except (LookupError, UnknownScope) as unknown:
        raise typer.BadParameter(str(unknown)) from unknown
    if as_json:
        print_json({"sub": sub, "roles": role or [], "scopes": scope or [], "token": made})
    else:
        sys.stdout.write(made + "\n")
