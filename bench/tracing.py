"""What tracing costs on the way of a command: none, one request in a hundred, and every one, taken in turns.

    python -m bench.tracing [--rounds 7] [--commands 5000]

Real commands of a real service on a real PostgreSQL, called as the HTTP server calls the app: token, body, decision and
append are all in it. Spans go over OTLP to a receiver in a process of its own. Counted is the CPU time of this process,
to the last span sent; a busy machine disturbs it least. Modes of one round are compared,
and the middle round counts. As many commands go in a round as in a second: so often spans are sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from belt.io import tracing
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.process import collect_seldom
from belt.io.running import running
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from bench.picture import Bars
from bench.report import Figure, Report
from bench.rounds import middle, ratio
from conveyor_local.stack import Stack
from lead_gen.main import SERVICE

MODES = {"none": None, "one in 100": 0.01, "every one": 1.0}
WANTED = 0.97
SIDE_BY_SIDE = 32


class Kept(BatchSpanProcessor):
    """One for all rounds: connecting anew belongs to no round. Its end is the end of the process."""

    def shutdown(self) -> None:
        self.force_flush()


class Caller:
    """Sends commands straight into the app, as the HTTP server does."""

    def __init__(self, app: Any, issuer: DevelopmentIssuer) -> None:
        self._app, self._sent = app, 0
        token = issuer.issue("office", roles=("driver",), ttl=3_600).encode()
        self._headers = [(b"authorization", b"Bearer " + token), (b"content-type", b"application/json")]

    async def post(self, path: str, body: dict[str, Any]) -> int:
        raw = json.dumps(body).encode()
        parts = [{"type": "http.request", "body": raw, "more_body": False}]
        status = 0

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        headers = [*self._headers, (b"content-length", str(len(raw)).encode())]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
        where = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers}
        await self._app({**scope, **where, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}, receive, send)
        return status

    async def register(self, count: int) -> None:
        """Registers so many clients, some at a time."""

        async def some(numbers: range) -> None:
            for number in numbers:
                said = {"client_id": f"c{number}", "line": "north", "name": "Acme", "source": "fair", "by": "ana"}
                status = await self.post("/v1/prospects", said)
                if status != 201:
                    raise RuntimeError(f"a command was answered with {status}")

        first, self._sent = self._sent, self._sent + count
        await asyncio.gather(*(some(range(first + n, first + count, SIDE_BY_SIDE)) for n in range(SIDE_BY_SIDE)))


async def opened(caller: Caller) -> None:
    """A line with somebody at its first station."""
    since = "2026-01-01T00:00:00Z"
    teams = {name: {"team": name, "members": ["ana"]} for name in ("lead-gen", "conversion", "account-mgmt")}
    await caller.post("/v1/staff", {"person": "ana", "hired_on": "2026-01-01"})
    await caller.post("/v1/staff/ana/roles", {"role": "hunter", "since": since})
    staffed = {"variant": "hunter", "since": since, "zone": "UTC", "currency": "EUR", "teams": teams}
    if await caller.post("/v1/lines/north/staffing", staffed) >= 300:
        raise RuntimeError("the line was not staffed")


@contextmanager
def receiver() -> Iterator[str]:
    """A receiver that forgets at once."""
    process = subprocess.Popen([sys.executable, "-m", "bench.tracing", "--receive"], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
    finally:
        process.terminate()
        process.wait(10)


def receive() -> None:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    print(server.server_port, flush=True)
    server.serve_forever()


async def measure(stack: Stack, folder: Path, endpoint: str, rounds: int, commands: int) -> dict[str, list[float]]:
    dsn = await stack.create_database(f"bench_tracing_{int(time.time())}")
    await upgrade(dsn, SERVICE.package)
    key, issuer = folder / "sealing.key", DevelopmentIssuer(folder)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(service=SERVICE.name, port=0, dsn=dsn, jwks=str(issuer.jwks), key_file=key)
    seconds: dict[str, list[float]] = {mode: [] for mode in MODES}
    order, chance = list(MODES), random.Random(1)
    spans = Kept(OTLPSpanExporter(f"{endpoint}/v1/traces"), schedule_delay_millis=tracing.EXPORT_EVERY)
    async with running(SERVICE, settings, role="api") as parts:
        caller = Caller(parts.app, issuer)
        await opened(caller)
        tracing.begin(SERVICE.name, 1.0, processor=spans)
        await caller.register(commands)
        await tracing.end(10.0)
        collect_seldom()  # as a service does when it starts
        for _ in range(rounds):
            chance.shuffle(order)
            for mode in order:
                ratio = MODES[mode]
                if ratio is not None:
                    tracing.begin(SERVICE.name, ratio, processor=spans)
                began = time.process_time()
                await caller.register(commands)
                spans.force_flush()
                seconds[mode].append(time.process_time() - began)
                await tracing.end(10.0)
    return seconds


def main() -> int:
    """Exit code 1 where one in a hundred costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--commands", type=int, default=5_000)
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.receive:
        receive()
        return 0
    stack = Stack.start(name="bench", fast=True, attached=True)
    try:
        with tempfile.TemporaryDirectory() as folder, receiver() as endpoint:
            seconds = asyncio.run(measure(stack, Path(folder), endpoint, asked.rounds, asked.commands))
    finally:
        stack.stop()
    each = {mode: middle(seconds, mode) / asked.commands * 1e6 for mode in MODES}
    kept = {mode: ratio(seconds, "none", mode) for mode in MODES}
    return Report(
        name="tracing",
        title=f"What tracing costs: {asked.rounds} rounds of {asked.commands:,} commands each",
        columns=("traced", "CPU us a command", "ratio to none"),
        rows=[(mode, f"{each[mode]:.0f}", f"{kept[mode]:.3f}") for mode in MODES],
        figures=[Figure("commands of which one in 100 is traced", kept["one in 100"], WANTED, "none traced")],
        chart=Bars(each, ["one in 100"], "processor time of a command, microseconds"),
        details={"rounds": {mode: [round(one, 4) for one in took] for mode, took in seconds.items()}},
    ).publish()


if __name__ == "__main__":
    sys.exit(main())
