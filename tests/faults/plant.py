"""The line as it runs in production, on this machine: two processes of each service, PostgreSQL and Kafka.

Callers and services reach each other through wires (wires.py), so that the network may fail as well. Every process can
be killed, frozen, asked to end, armed (armed.py) and started again; a keeper starts again what has died, as Kubernetes
would.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from wires import Wire, Wires

from belt.io.http.issuer import DevelopmentIssuer
from conveyor_local import Stack
from conveyor_local.admin import catalog_topics
from conveyor_local.home import free_port
from conveyor_local.trouble import tail
from conveyor_local.watch import Watch

SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation")
TWINS = 2
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEEP_EVERY = 0.3
READY_WITHIN = 60.0


@dataclass(eq=False)
class Member:
    """One process of a service."""

    service: str
    number: int
    port: int
    faults: Path
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    kept: bool = True  # the keeper starts it again
    ends: list[int] = field(default_factory=list)  # how its processes ended

    @property
    def name(self) -> str:
        return f"{self.service}/{self.number}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, sign: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)

    def arm(self, point: str, text: str = "armed") -> None:
        """See armed.py. A whole file appears at once."""
        partial = self.faults / f".{point}"
        partial.write_text(text)
        partial.replace(self.faults / point)

    def disarm(self, point: str) -> bool:
        """Whether it was still armed."""
        with suppress(FileNotFoundError):
            (self.faults / point).unlink()
            return True
        return False

    def ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Plant:
    """Everything that runs. `code`: a checkout of ours whose services run instead of this one's."""

    def __init__(self, stack: Stack, services: Iterable[str], code: Path | None, watch: Watch) -> None:
        self.stack, self.services, self.code, self.watch = stack, tuple(services), code, watch
        self.home = stack.home
        self.wires = Wires()
        self.members: list[Member] = []
        self.doors: dict[str, Wire] = {}
        self.lines: dict[str, Wire] = {}  # to the databases
        self.kafka_away = False
        self.issuer = DevelopmentIssuer(self.home / "issuer")
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._lock = threading.Lock()

    # -- up and down -------------------------------------------------------------------------------------------

    def start(self) -> None:
        for service in self.services:
            ports = [free_port() for _ in range(TWINS)]
            self.doors[service] = self.wires.new(f"{service} door", ports)
            self.lines[service] = self.wires.new(f"{service} database", [self._postgres_port()])
        for service in self.services:
            settings = self._settings(service)
            for number, port in enumerate(self.doors[service].ends):
                folder = self.home / "members" / f"{service}-{number}"
                folder.mkdir(parents=True)
                mine = settings | {"CONVEYOR_PORT": str(port), "CONVEYOR_FAULTS": str(folder)}
                self.members.append(Member(service, number, port, folder, self.home / f"{service}-{number}.log", mine))
        self._migrate()
        for member in self.members:
            self.launch(member)
        self.wait_ready()
        self._keeper.start()

    def close(self) -> None:
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join(10)
        for member in self.members:
            member.send(signal.SIGKILL)
        for member in self.members:
            if member.process is not None:
                member.process.wait(10)
        self.wires.close()

    def launch(self, member: Member) -> None:
        with member.log.open("ab") as out:
            member.process = subprocess.Popen(
                [sys.executable, str(HERE / "armed.py"), package(member.service), "all"],
                cwd=self.home,
                env=member.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        member.starts += 1
        self.watch.over("server", member.process.pid)

    def wait_ready(self, within: float = READY_WITHIN) -> None:
        until = time.monotonic() + within
        for member in self.members:
            while not member.ready():
                if time.monotonic() > until:
                    raise TimeoutError(f"{member.name} is not ready; {tail(member.log)}")
                time.sleep(0.05)

    def _keep(self) -> None:
        while not self._over.wait(KEEP_EVERY):
            for member in self.members:
                if member.kept and not member.alive and member.process is not None:
                    member.ends.append(member.process.returncode)
                    self.launch(member)

    # -- what may be done to it --------------------------------------------------------------------------------

    def twins(self, service: str) -> list[Member]:
        return [member for member in self.members if member.service == service]

    def restart_postgres(self) -> None:
        """Ends PostgreSQL at once, as a crash does, and starts it again."""
        postgres = self.stack.postgres
        assert postgres is not None
        before = postgres.port
        assert postgres.server is not None
        postgres.server.stop(signal.SIGQUIT, 10)
        postgres.launch()
        self.watch.over("server", postgres.server.pid)
        assert postgres.port == before, "PostgreSQL came back on another port"
        postgres.wait()

    def postgres_processes(self) -> list[psutil.Process]:
        assert self.stack.postgres is not None
        assert self.stack.postgres.server is not None
        main = psutil.Process(self.stack.postgres.server.pid)
        return [main, *main.children(recursive=True)]

    def signal_kafka(self, sign: signal.Signals) -> None:
        assert self.stack.kafka is not None
        assert self.stack.kafka.server is not None
        os.killpg(self.stack.kafka.server.pid, sign)

    def stop_kafka(self) -> None:
        self.kafka_away = True
        assert self.stack.kafka is not None
        assert self.stack.kafka.server is not None
        self.stack.kafka.server.stop(signal.SIGKILL, 10)

    def start_kafka(self) -> None:
        kafka = self.stack.kafka
        assert kafka is not None
        before = kafka.port
        kafka.launch()
        assert kafka.server is not None
        self.watch.over("server", kafka.server.pid)
        assert kafka.port == before, "Kafka came back on another port"
        kafka.wait()
        self.kafka_away = False

    def dsn(self, service: str) -> str:
        """Straight to the database, past the wire."""
        return self.stack.dsn(f"faults_{package(service)}")

    # -- settings ----------------------------------------------------------------------------------------------

    def _postgres_port(self) -> int:
        assert self.stack.postgres is not None
        return self.stack.postgres.port

    def _settings(self, service: str) -> dict[str, str]:
        through = self.dsn(service).replace(f":{self._postgres_port()}/", f":{self.lines[service].port}/")
        publishers = {name: f"http://127.0.0.1:{wire.port}" for name, wire in self.doors.items()}
        key, token = self.home / "sealing.key", self.home / "feed.token"
        if not key.exists():
            key.write_text(secrets.token_hex(32))
            token.write_text(self.issuer.issue("services", scopes=("events:read",), ttl=86_400.0))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("CONVEYOR_", "PYTHON"))}
        return environment | self._code() | {
            "CONVEYOR_DSN": through,
            "CONVEYOR_BROKERS": self.stack.brokers,
            "CONVEYOR_JWKS": str(self.issuer.jwks),
            "CONVEYOR_KEY_FILE": str(key),
            "CONVEYOR_LOG_LEVEL": "INFO",
            "CONVEYOR_ZONE": "Europe/Berlin",
            "CONVEYOR_PUBLISHERS": json.dumps(publishers),
            "CONVEYOR_FEED_TOKEN_FILE": str(token),
        }  # fmt: skip

    def _code(self) -> dict[str, str]:
        """Where the services' code is taken from: before what is installed."""
        if self.code is None:
            return {}
        parts = [self.code / "libs/events/src", self.code / "libs/belt/src"]
        parts += [self.code / "services" / service / "src" for service in SERVICES]
        return {"PYTHONPATH": os.pathsep.join(map(str, parts))}

    def _migrate(self) -> None:
        import asyncio

        wanted = {}
        for service in self.services:
            asyncio.run(self.stack.create_database(f"faults_{package(service)}"))
            plain = {k: v for k, v in self.twins(service)[0].environment.items() if k.startswith("CONVEYOR_")}
            wanted[package(service)] = plain | {"CONVEYOR_DSN": self.dsn(service)}
        done = subprocess.run(
            [sys.executable, "-m", "conveyor.migrating"],
            cwd=self.home,
            env={k: v for k, v in os.environ.items() if not k.startswith(("CONVEYOR_", "PYTHON"))} | self._code(),
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the databases could not be made: {done.stderr[-2000:]}")


def package(service: str) -> str:
    return service.replace("-", "_")


@contextmanager
def plant(
    services: Iterable[str] = SERVICES, *, code: Path | None = None, keep_logs: Path | None = None
) -> Iterator[Plant]:
    """A plant that ends with its owner, however it ends. Its logs go to `keep_logs` if that is wanted."""
    watch = Watch()
    stack = Stack.start(None, "faults", catalog_topics(), fast=True, attached=True)
    made = Plant(stack, services, code, watch)
    try:
        made.start()
        yield made
    finally:
        made.close()
        if keep_logs is not None:
            keep_logs.mkdir(parents=True, exist_ok=True)
            for member in made.members:
                shutil.copy(member.log, keep_logs)
        for process in made.postgres_processes() if stack.postgres and stack.postgres.runs() else []:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        stack.stop()
        watch.done()
