"""PostgreSQL and Kafka together: started side by side, remembered, used again, ended.

Given servers win: with CONVEYOR_POSTGRES_DSN or CONVEYOR_KAFKA_BROKERS in the environment those are used, and neither
started nor ended here.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from conveyor_local import admin
from conveyor_local.home import locked, passing_home, stack_home
from conveyor_local.kafka import Kafka
from conveyor_local.postgres import Postgres
from conveyor_local.trouble import LocalStackError
from conveyor_local.watch import Watch

POSTGRES_DSN = "CONVEYOR_POSTGRES_DSN"
KAFKA_BROKERS = "CONVEYOR_KAFKA_BROKERS"
RECORD = "stack.json"


@dataclass
class Stack:
    """A PostgreSQL and a Kafka, ours or given."""

    name: str
    home: Path
    postgres: Postgres | None = None
    kafka: Kafka | None = None
    attached: bool = False
    reused: bool = False
    _watch: Watch | None = None

    @classmethod
    def start(
        cls,
        home: Path | None = None,
        name: str = "dev",
        topics: Mapping[str, int] | None = None,
        *,
        fast: bool = False,
        attached: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> "Stack":
        """Brings both servers up and returns when they answer; what runs already is used as it is.

        `attached`: the stack belongs to this process alone, ends with it however it ends, and leaves nothing behind.
        Otherwise it runs on until `stop` (of any process), and the next start finds its data.
        `fast`: no fsync; for tests and demonstrations.
        `settings`: of PostgreSQL, where it is made anew.
        `topics`: made once the broker answers (name -> partitions).
        """
        if attached:
            name = f"{name}-{os.getpid()}"
        home = home or (passing_home(name) if attached else stack_home(name))
        with locked(home):
            stack = cls._recall(home) or cls(name, home)
            stack.attached = attached
            if os.environ.get(POSTGRES_DSN):
                stack.postgres = None
            elif stack.postgres is None:
                stack.postgres = Postgres.new(home / Postgres.KEY, fast=fast, settings=settings)
            if os.environ.get(KAFKA_BROKERS):
                stack.kafka = None
            elif stack.kafka is None:
                stack.kafka = Kafka.new(home / Kafka.KEY, fast=fast)
            stack._bring_up()
        if topics:
            _finish(admin.create_topics(stack.brokers, topics))
        return stack

    @classmethod
    def find(cls, name: str = "dev", home: Path | None = None) -> "Stack | None":
        """Our own servers as an earlier start has left them, running or not; None if there was none."""
        return cls._recall(home or stack_home(name))

    @classmethod
    def _recall(cls, home: Path) -> "Stack | None":
        path = home / RECORD
        if not path.exists():
            return None
        record = json.loads(path.read_text())
        return cls(
            record["name"],
            home,
            Postgres.recalled(home / Postgres.KEY, record[Postgres.KEY]) if Postgres.KEY in record else None,
            Kafka.recalled(home / Kafka.KEY, record[Kafka.KEY]) if Kafka.KEY in record else None,
        )

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database."""
        if self.postgres is not None:
            return self.postgres.dsn(database)
        return urlunsplit(urlsplit(os.environ[POSTGRES_DSN])._replace(path="/" + quote(database)))

    @property
    def brokers(self) -> str:
        """The address of Kafka for clients."""
        return self.kafka.brokers if self.kafka is not None else os.environ[KAFKA_BROKERS]

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which another process uses this very stack."""
        own = {POSTGRES_DSN: self.postgres and self.dsn(), KAFKA_BROKERS: self.kafka and self.brokers}
        return {name: value for name, mine in own.items() if (value := mine or os.environ.get(name))}

    @property
    def data_directories(self) -> list[Path]:
        """Where our own servers keep their files."""
        return [server.data for server in self._servers()]

    def running(self) -> dict[str, bool]:
        """Which of our own servers runs and answers."""
        return {server.KEY: server.runs() and server.answers() for server in self._servers()}

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Makes a database (see admin.create_database) where there is none, and returns its address."""
        await admin.create_database(self.dsn(), name, template)
        return self.dsn(name)

    async def drop_database(self, name: str) -> None:
        """Removes a database, whoever is still connected."""
        await admin.drop_database(self.dsn(), name)

    async def create_topics(self, topics: Mapping[str, int] | None = None) -> None:
        """Makes topics (name -> partitions); without an argument all of the catalog."""
        await admin.create_topics(self.brokers, admin.catalog_topics() if topics is None else topics)

    async def delete_topics(self, *topics: str) -> None:
        """Removes topics."""
        await admin.delete_topics(self.brokers, topics)

    def stop(self, *, erase: bool = False) -> None:
        """Ends our own servers; given ones stay. An attached stack's data goes, another's only with `erase`."""
        with locked(self.home), ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda server: server.stop(), self._servers()))
        if self.attached or erase:
            shutil.rmtree(self.home)
        if self._watch is not None:
            self._watch.done()
            self._watch = None

    def _servers(self) -> list[Postgres | Kafka]:
        return [server for server in (self.postgres, self.kafka) if server is not None]

    def _bring_up(self) -> None:
        """Launches what is not there, both at once; if one fails, what was launched here ends."""
        missing = [server for server in self._servers() if not _in_use(server)]
        self.reused = not missing
        if self.attached:
            self._watch = Watch()
            self._watch.over("folder", self.home)
        try:
            with ThreadPoolExecutor(2) as pool:
                for launched in pool.map(lambda server: server.launch(), missing):
                    if self._watch is not None:
                        self._watch.over("server", launched.pid)
            self._remember()
            for server in missing:
                server.wait()
        except BaseException:
            for server in missing:
                server.stop()
            if self._watch is not None:
                self._watch.done()
            raise

    def _remember(self) -> None:
        """Writes down what runs, for `find` and the next start. The file holds a password."""
        path = self.home / RECORD
        record = json.loads(path.read_text()) if path.exists() else {}
        record |= {"name": self.name} | {server.KEY: server.record() for server in self._servers()}
        partial = self.home / f"{RECORD}.partial"
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(record, indent=2) + "\n")
        partial.replace(path)


def _in_use(server: Postgres | Kafka) -> bool:
    """Whether a server that was written down still serves; one that hangs is ended."""
    if not server.runs():
        return False
    try:
        server.wait(15)
    except LocalStackError:
        server.stop()
        return False
    return True


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine to its end, also when the caller is inside an event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
