"""A line to be provoked: four services, the board and some doors more, each a process with settings of its own.

Each can be ended, killed, frozen and started again, and there is a way past them to PostgreSQL and Kafka.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg

from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.tokens import Tokens
from conveyor_local import Stack
from conveyor_local.admin import catalog_topics
from conveyor_local.home import free_port
from conveyor_local.process import Server
from conveyor_local.watch import Watch

ARMED = Path(__file__).parents[1] / "faults/armed.py"
READY_WITHIN, STOP_WITHIN, MIGRATED_WITHIN = 60.0, 25.0, 120.0
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "lead-gen": {"CONVEYOR_DATABASE_LIMIT_BYTES": str(1024**3)},
    "conversion": {"CONVEYOR_REQUEST_DEADLINE": "4"},
    "account-mgmt": {"CONVEYOR_POOL": "1"},
    "compensation": {"CONVEYOR_REQUEST_DEADLINE": "2"},
}
"""What each is given beside the usual, so that its limits are near."""
IMPATIENT = """
from functools import partial
import belt.io.http.discovery as parts
from conversion.main import SERVICE
from belt.io.service import run
parts.KeySet = partial(parts.KeySet, min_interval=1.0)
run(SERVICE)
"""
"""Conversion as it is, but that it asks for the issuer's keys again after a second; else it waits for thirty."""
DOORS: Mapping[str, tuple[str, Sequence[str], Mapping[str, str]]] = {
    "conversion-door": (
        "conversion",
        ("-c", IMPATIENT, "api"),
        {"CONVEYOR_JWKS": "http://127.0.0.1:9/keys", "CONVEYOR_ISSUER": "http://127.0.0.1:9"},
    ),
    "account-mgmt-door": (
        "account-mgmt",
        ("-m", "account_mgmt", "api"),
        {"CONVEYOR_DATABASE_LIMIT_BYTES": "1000000", "CONVEYOR_RATE": "2", "CONVEYOR_BURST": "2"},
    ),
}
"""Further doors: whose issuer is away, and whose limits have been reached."""


@dataclass
class Process:
    """One process, as Prometheus knows it: a pod of a service."""

    pod: str
    service: str
    port: int
    argv: Sequence[str]
    environment: Mapping[str, str]
    home: Path
    server: Server | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / f"{self.pod}.log"

    def start(self, watch: Watch) -> None:
        command = [sys.executable, *self.argv]
        self.server = Server.spawn(
            self.pod, command, cwd=self.home, log=self.log, env=self.environment, account=None
        )  # fmt: skip
        watch.over("server", self.server.pid)

    async def ready(self) -> None:
        assert self.server is not None
        await asyncio.to_thread(self.server.wait_until, self._answers, READY_WITHIN)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.address}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def send(self, sign: signal.Signals) -> None:
        assert self.server is not None
        os.killpg(self.server.pid, sign)

    async def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        assert self.server is not None
        await asyncio.to_thread(self.server.stop, sign, STOP_WITHIN)


@dataclass
class Watched:
    """Everything. `targets`: the processes that Prometheus knows of; `beside`: doors that it will know of."""

    stack: Stack
    watch: Watch
    line: Line
    faults: Path
    targets: dict[str, Process] = field(default_factory=dict)
    beside: dict[str, Process] = field(default_factory=dict)

    def dsn(self, service: str) -> str:
        return self.stack.dsn(service.replace("-", "_"))

    async def execute(self, service: str, *statements: str) -> None:
        db = await asyncpg.connect(self.dsn(service), timeout=10, command_timeout=30)
        try:
            for statement in statements:
                await db.execute(statement)
        finally:
            await db.close(timeout=10)

    @asynccontextmanager
    async def locked(self, service: str, *tables: str) -> AsyncIterator[None]:
        """Somebody's transaction holds these tables."""
        db = await asyncpg.connect(self.dsn(service), timeout=10, command_timeout=30)
        try:
            await db.execute(f"begin; lock table {', '.join(tables)} in access exclusive mode")
            yield
        finally:
            await db.close(timeout=10)

    def set_clock(self, seconds: float) -> None:
        """Compensation's clock is so far ahead of the machine's."""
        partial = self.faults / ".clock"
        partial.write_text(str(seconds))
        partial.replace(self.faults / "clock")


def _settings(stack: Stack, line: Line, home: Path) -> dict[str, dict[str, str]]:
    key, token = home / "sealing.key", home / "feed.token"
    assert isinstance(line.tokens, Tokens)
    key.write_text(secrets.token_hex(32))
    token.write_text(line.tokens.issuer.issue("services", scopes=("events:read",)))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CONVEYOR_", "PYTHON"))}
    shared = plain | {
        "CONVEYOR_BROKERS": stack.brokers,
        "CONVEYOR_JWKS": str(line.tokens.issuer.jwks),
        "CONVEYOR_KEY_FILE": str(key),
        "CONVEYOR_FEED_TOKEN_FILE": str(token),
        "CONVEYOR_FAULTS": str(home / "faults"),
        "CONVEYOR_WATCH_EVERY": "1",
        "CONVEYOR_PUBLISHERS": json.dumps(line.addresses),
    }
    board = f"http://127.0.0.1:{free_port()}"
    pages = {"CONVEYOR_PUBLIC_ADDRESS": board, "CONVEYOR_SIGNIN_ADDRESS": "http://127.0.0.1:9"}
    return {
        service: {**shared, **SETTINGS.get(service, pages)} | {
            "CONVEYOR_DSN": stack.dsn(service.replace("-", "_")),
            "CONVEYOR_PORT": address.rpartition(":")[2],
        }
        for service, address in (*line.addresses.items(), ("board", board))
    }  # fmt: skip


def _migrate(settings: Mapping[str, Mapping[str, str]], home: Path) -> None:
    wanted = {
        service.replace("-", "_"): {k: v for k, v in mine.items() if k.startswith("CONVEYOR_")}
        for service, mine in settings.items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "conveyor.migrating"],
        cwd=home, input=json.dumps(wanted), capture_output=True, text=True, timeout=MIGRATED_WITHIN, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """Four services and the board at work, and away again."""
    watch = Watch()
    stack = await asyncio.to_thread(
        lambda: Stack.start(None, "alerts", catalog_topics(), fast=True, attached=True)
    )  # fmt: skip
    home = stack.home
    (home / "faults").mkdir()
    addresses = {service: f"http://127.0.0.1:{free_port()}" for service in SERVICES}
    line = Line(addresses, Tokens(home / "issuer"))
    made = Watched(stack, watch, line, home / "faults")
    try:
        settings = _settings(stack, line, home)
        await asyncio.gather(*(stack.create_database(service.replace("-", "_")) for service in settings))
        await asyncio.to_thread(_migrate, settings, home)
        for service, mine in settings.items():
            package = service.replace("-", "_")
            argv = [str(ARMED), package, "all"] if service == "compensation" else ["-m", package, "all"]
            made.targets[service] = Process(service, service, int(mine["CONVEYOR_PORT"]), argv, mine, home)
            made.targets[service].start(watch)
        for pod, (service, command, more) in DOORS.items():
            port = free_port()
            mine = {**settings[service], **more, "CONVEYOR_PORT": str(port)}
            made.beside[pod] = Process(pod, service, port, command, mine, home)
            made.beside[pod].start(watch)
        await asyncio.gather(*(process.ready() for process in made.targets.values()))
        async with line:
            yield made
    finally:
        started = [one for one in (*made.targets.values(), *made.beside.values()) if one.server is not None]
        for process in started:
            if process.server is not None and process.server.alive():
                process.send(signal.SIGCONT)
                process.send(signal.SIGKILL)
        await asyncio.gather(*(process.end(signal.SIGKILL) for process in started))
        await asyncio.to_thread(stack.stop)
        watch.done()


async def until(holds: object, what: str, within: float = 40.0) -> None:
    """Looks until it holds; `holds` answers, or answers something to wait for."""
    assert callable(holds)
    begun = time.monotonic()
    while True:
        found = holds()
        if await found if asyncio.iscoroutine(found) else found:
            return
        assert time.monotonic() < begun + within, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.1)
