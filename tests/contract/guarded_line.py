"""The whole line as it should run: each service let in to Kafka by name, each role of its database with its rights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from guarded import Guarded, started

from belt.io.http.issuer import DevelopmentIssuer
from checks.access.__main__ import table
from checks.docs.apps import services
from conveyor.line import Line
from conveyor.tokens import Tokens
from conveyor_events.catalog import TOPICS
from conveyor_local import Stack
from conveyor_local.admin import create_role, drop_role
from conveyor_local.home import free_port
from conveyor_local.process import Server

KINDS = ("owner", "service", "relay", "reader")
READY_WITHIN, STOP_WITHIN, MIGRATE_WITHIN = 60.0, 25.0, 60.0


@dataclass
class GuardedLine:
    """Four services as processes, with exactly what the tables give them."""

    broker: Guarded
    folder: Path
    issuer: DevelopmentIssuer
    ports: dict[str, int]
    dsns: dict[str, dict[str, str]]  # by service, by kind of role
    roles: dict[str, dict[str, str]]
    servers: dict[str, Server] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        addresses = {service: f"http://127.0.0.1:{port}" for service, port in self.ports.items()}
        return Line(addresses, Tokens(self.folder))

    def settings(self, service: str, kind: str = "service") -> dict[str, str]:
        """The environment of a service's process, or of its migration (`owner`)."""
        mine, named = self.dsns[service], self.roles[service]
        return self.broker.environment(service) | {
            "CONVEYOR_PORT": str(self.ports[service]),
            "CONVEYOR_DSN": mine[kind],
            "CONVEYOR_RELAY_DSN": mine["relay"],
            "CONVEYOR_ROLE_SERVICE": named["service"],
            "CONVEYOR_ROLE_RELAY": named["relay"],
            "CONVEYOR_ROLE_READER": named["reader"],
            "CONVEYOR_CLOCK": "driven",
            "CONVEYOR_ZONE": "Europe/Berlin",
            "CONVEYOR_JWKS": str(self.issuer.jwks),
            "CONVEYOR_KEY_FILE": str(self.folder / "sealing.key"),
            "CONVEYOR_PUBLISHERS": json.dumps({name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}),
            "CONVEYOR_FEED_TOKEN_FILE": str(self.folder / "feed.token"),
        }

    def migrate(self) -> None:
        """Tables and rights, as the owner."""
        wanted = {name.replace("-", "_"): self.settings(name, "owner") for name in self.ports}
        done = subprocess.run(
            [sys.executable, "-m", "conveyor.migrating"],
            input=json.dumps(wanted),
            cwd=self.folder,
            text=True,
            timeout=MIGRATE_WITHIN,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        assert done.stdout.count("migrate.granted") == len(wanted)

    def start(self, service: str, **more: str) -> None:
        self.servers[service] = Server.spawn(
            service,
            [sys.executable, "-m", service.replace("-", "_"), "all"],
            cwd=self.folder,
            log=self.folder / f"{service}.log",
            env=dict(os.environ) | self.settings(service) | more,
            account=None,
        )

    def wait(self, service: str) -> None:
        self.servers[service].wait_until(partial(self.ready, service), READY_WITHIN)

    def ready(self, service: str) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[service]}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def stop(self, service: str) -> None:
        self.servers.pop(service).stop(signal.SIGTERM, STOP_WITHIN)

    def log(self, service: str) -> list[dict[str, Any]]:
        """What it has logged, ours and that of libraries."""
        text = (self.folder / f"{service}.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@asynccontextmanager
async def running(stack: Stack, folder: Path) -> AsyncIterator[GuardedLine]:
    """Everything, from nothing, and away again."""
    names = [service.name for service in services()]
    mark = uuid4().hex[:8]
    databases = {name: f"{name.replace('-', '_')}_{mark}" for name in names}
    roles = {name: {kind: f"{databases[name]}_{kind}" for kind in KINDS} for name in names}
    dsns: dict[str, dict[str, str]] = {}
    for name, database in databases.items():
        dsn = await stack.create_database(database)
        owns = {"owner": database}
        dsns[name] = {kind: await create_role(dsn, roles[name][kind], owns=owns.get(kind)) for kind in KINDS}
    issuer = DevelopmentIssuer(folder)
    (folder / "sealing.key").write_text("0123456789abcdef0123456789abcdef")
    (folder / "feed.token").write_text(issuer.issue("conveyor-services", scopes=("events:read",), ttl=3600))
    broker = started(folder)
    line = GuardedLine(broker, folder, issuer, {name: free_port() for name in names}, dsns, roles)
    try:
        broker.make_topics({name: topic.partitions for name, topic in TOPICS.items()})
        broker.admit({name: f"password of {name}" for name in names})
        broker.allow(table())
        line.migrate()
        for name in names:
            line.start(name)
        for name in names:
            line.wait(name)
        yield line
    finally:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(line.stop, list(line.servers)))
        broker.kafka.stop()
        for database in databases.values():
            await stack.drop_database(database)
        for kinds in roles.values():
            for role in kinds.values():
                await drop_role(stack.dsn(), role)
