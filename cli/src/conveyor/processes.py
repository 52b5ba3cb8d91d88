"""Brings up PostgreSQL, Kafka and the four services on this machine, and ends them again.

What runs already stays as it is: a second `up` starts only what is dead. Each service is one process
(`python -m SERVICE all`) with a log of its own; all that is needed to find them again stands in one file (running.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.addresses import SERVICES
from conveyor.exits import StartFailed
from conveyor.pages import BOARD, close_pages, open_pages
from conveyor.running import Running, ServiceProcess, address
from conveyor_local import LocalStackError, Stack
from conveyor_local.admin import catalog_topics
from conveyor_local.home import claimed, free_port, is_free, locked, stack_home
from conveyor_local.process import Server
from conveyor_local.trouble import tail
from conveyor_local.watch import Watch

PORTS = {"lead-gen": 8001, "conversion": 8002, "account-mgmt": 8003, "compensation": 8004}
READY_SECONDS = 60.0
STOP_SECONDS = 25.0
MIGRATE_SECONDS = 120.0
DYING_SECONDS = 0.3
KEY_FILE = "sealing.key"
TOKEN_FILE = "feed.token"  # noqa: S105 (the name of a file)
TOKEN_SECONDS = 365 * 24 * 3_600.0
GIVEN = ("CONVEYOR_POSTGRES_DSN", "CONVEYOR_KAFKA_BROKERS")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """How the services are to run."""

    name: str = "dev"
    clock: str = "system"
    log_level: str = "INFO"
    zone: str | None = None
    pages: bool = False  # what people open in a browser, too


def up(wish: Wish, report: Report) -> tuple[Running, list[str]]:
    """Starts what does not run; returns everything, and the names of what was started."""
    home = stack_home(wish.name)
    with locked(home / "services"), _local_trouble():
        report("PostgreSQL and Kafka")
        stack = Stack.start(home, wish.name, catalog_topics())
        started = [] if stack.reused else ["PostgreSQL and Kafka"]
        running = Running.found(wish.name) or Running(wish.name, home)
        alive = [service for service in SERVICES if _lives(running, service)]
        if alive and running.clock != wish.clock:
            raise StartFailed(f"services run on a {running.clock} clock; `conveyor down` first")
        running.clock = wish.clock
        missing = [service for service in SERVICES if service not in alive]
        ports = {service: _port(running, service) for service in missing}
        launch(running, stack, ports, wish, report)
        return running, [*started, *missing, *(_pages(running, stack, wish, report) if wish.pages else ())]


def _pages(running: Running, stack: Stack, wish: Wish, report: Report, watch: Watch | None = None) -> list[str]:
    """The board is one more consumer: a database of its own, and the environment of the others."""
    asyncio.run(stack.create_database(database(BOARD)))
    wanted = _shared(stack, running, {}, wish) | {"CONVEYOR_DSN": stack.dsn(database(BOARD))}
    return open_pages(running, wanted, report, watch)


@contextmanager
def passing(wish: Wish, report: Report) -> Iterator[Running]:
    """A stack and services of this process alone: they end with it, however it ends, and leave nothing behind."""
    for variable in GIVEN:
        os.environ.pop(variable, None)  # servers of somebody else are no place for invented data
    watch = Watch()
    with _local_trouble():
        report("PostgreSQL and Kafka")
        stack = Stack.start(None, wish.name, catalog_topics(), fast=True, attached=True)
        running = Running(wish.name, stack.home, wish.clock)
        try:
            ports = {service: free_port() for service in SERVICES}
            launch(running, stack, ports, wish, report, watch)
            if wish.pages:
                _pages(running, stack, wish, report, watch)
            yield running
        finally:
            close_pages(running)
            stop_services(running)
            stack.stop()
            watch.done()


def down(name: str, report: Report, *, erase: bool = False) -> list[str]:
    """Ends services and servers of this name; returns what was ended."""
    home = stack_home(name)
    with locked(home / "services"), _local_trouble():
        ended: list[str] = []
        running = Running.found(name)
        if running is not None:
            report("services")
            ended += close_pages(running) + stop_services(running)
            running.forget()
        stack = Stack.find(name)
        if stack is not None and any(stack.running().values()):
            report("PostgreSQL and Kafka")
            ended.append("PostgreSQL and Kafka")
        if stack is not None:
            stack.stop(erase=erase)
        return ended


def stop_services(running: Running) -> list[str]:
    """Asks all services to end, at once; insists where one does not."""
    alive = {service: found for service in SERVICES if (found := _process(running, service)) is not None}
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        list(pool.map(lambda process: process.stop(signal.SIGTERM, STOP_SECONDS), alive.values()))
    return list(alive)


def launch(
    running: Running, stack: Stack, ports: Mapping[str, int], wish: Wish, report: Report, watch: Watch | None = None
) -> None:
    """Makes the databases, brings their tables up to date, starts a process each, and waits until all are ready."""
    running.logs.mkdir(parents=True, exist_ok=True)
    shared = _shared(stack, running, ports, wish)
    settings = {
        service: shared | {"CONVEYOR_PORT": str(port), "CONVEYOR_DSN": stack.dsn(database(service))}
        for service, port in ports.items()
    }
    if settings:
        report("databases")
        _prepare(stack, running, settings)
    started: dict[str, Server] = {}
    for service, port in ports.items():
        report(service)
        log = running.logs / f"{service}.log"
        server = Server.spawn(
            service,
            [sys.executable, "-m", package(service), "all"],
            cwd=running.home,
            log=log,
            env=dict(os.environ) | settings[service],
            account=None,
        )
        if watch is not None:
            watch.over("server", server.pid)
        started[service] = server
        running.services[service] = ServiceProcess(server.pid, server.born, port, str(log))
    running.services = {service: running.services[service] for service in SERVICES}
    running.write()
    for service, door in running.addresses.items():
        report(f"{service} to be ready")
        server = started.get(service) or _server(running, service)
        server.wait_until(partial(_ready, door), READY_SECONDS)


def package(service: str) -> str:
    return service.replace("-", "_")


def database(service: str) -> str:
    return f"conveyor_{package(service)}"


def _prepare(stack: Stack, running: Running, settings: Mapping[str, Mapping[str, str]]) -> None:
    """A database for each service, with the tables of this code."""
    with ThreadPoolExecutor(len(settings)) as pool:
        list(pool.map(lambda service: asyncio.run(stack.create_database(database(service))), settings))
    log = running.logs / "migrate.log"
    with log.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "conveyor.migrating"],
            cwd=running.home,
            input=json.dumps({package(service): dict(wanted) for service, wanted in settings.items()}),
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MIGRATE_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise StartFailed(f"the databases could not be brought up to date{_fault(log)}; {tail(log)}")


def _fault(log: Path) -> str:
    """The error in a log, where one is named: it may stand far above the last lines."""
    named = [
        line for line in log.read_text(errors="replace").splitlines() if re.match(r"[\w.]+(Error|Exception)\b", line)
    ]
    return f" ({named[-1][:300]})" if named else ""


def _shared(stack: Stack, running: Running, ports: Mapping[str, int], wish: Wish) -> dict[str, str]:
    """What every service reads from its environment: where the others are, and the keys."""
    issuer = DevelopmentIssuer(running.issuer)
    token = running.home / TOKEN_FILE
    token.touch(mode=0o600)
    token.write_text(issuer.issue("conveyor-services", scopes=("events:read",), ttl=TOKEN_SECONDS))
    everywhere = {service: process.port for service, process in running.services.items()} | dict(ports)
    wanted = {
        "CONVEYOR_ENVIRONMENT": "development",
        "CONVEYOR_BROKERS": stack.brokers,
        "CONVEYOR_CLOCK": wish.clock,
        "CONVEYOR_JWKS": str(issuer.jwks),
        "CONVEYOR_KEY_FILE": str(_sealing_key(running.home)),
        "CONVEYOR_LOG_LEVEL": wish.log_level,
        "CONVEYOR_PUBLISHERS": json.dumps({service: address(port) for service, port in everywhere.items()}),
        "CONVEYOR_FEED_TOKEN_FILE": str(token),
    }
    return wanted | ({"CONVEYOR_ZONE": wish.zone} if wish.zone else {})


def _sealing_key(home: Path) -> Path:
    """The key that seals personal data of this stack; made once, readable by its owner only."""
    path = home / KEY_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path


def _port(running: Running, service: str) -> int:
    """The port the service had, else its usual one, else any that is free."""
    before = running.services.get(service)
    if before and is_free(before.port):
        return before.port
    usual = PORTS[service]
    return usual if is_free(usual) and claimed(usual) else free_port()


def _server(running: Running, service: str) -> Server:
    known = running.services[service]
    return Server(service, known.pid, known.born, Path(known.log))


def _process(running: Running, service: str) -> Server | None:
    """The service's process, if it is still there."""
    if service not in running.services:
        return None
    found = _server(running, service)
    return found if found.alive() else None


def _lives(running: Running, service: str) -> bool:
    """Whether the service runs. One that does not answer may have been killed this very moment: look again."""
    found = _process(running, service)
    if found is None or _ready(running.addresses[service]):
        return found is not None
    time.sleep(DYING_SECONDS)
    return found.alive()


def _ready(door: str) -> bool:
    try:
        with urlopen(f"{door}/readyz", timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def _local_trouble() -> Iterator[None]:
    """What goes wrong with a local server is said the way this command line says it."""
    try:
        yield
    except LocalStackError as trouble:
        raise StartFailed(str(trouble)) from trouble
