"""Callers over HTTP: so many connections in a process of their own, each with one request on its way.

    python -m bench.load        a JSON line in (a Wave), a JSON line out (a Tally), until the input ends

As little as a caller can do: bytes out, status and length of the answer in. What is sent is the same for every
contestant; those that do not look at a header are spared the work, not the bytes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
LINES = 500  # in one request at the bulk door
KNOWN = 5_000  # streams that a transition goes round


@dataclass(frozen=True)
class Wave:
    """So many clients for so many seconds; or until `count` commands were sent, if that is given."""

    port: int
    kind: str  # register, call, bulk
    clients: int
    seconds: float
    token: str
    name: str  # makes ids and keys of this wave its own
    count: int | None = None


@dataclass(frozen=True)
class Tally:
    """What came back. Latencies in milliseconds; `errors` are answers that are no success."""

    per_second: float
    p50: float
    p99: float
    commands: int
    errors: int
    wrong: str


class Caller(asyncio.Protocol):
    """One connection: sends, waits for the answer, sends again."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._got, self._sent_at = crowd, b"", 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, gap, body = self._got.partition(b"\r\n\r\n")
        if not gap:
            return
        length = LENGTH.search(head)
        whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        if not whole:
            return
        self._got = b""
        self._crowd.answered(head[9:12], body, time.perf_counter() - self._sent_at)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.left()

    def _next(self) -> None:
        request = self._crowd.request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class Crowd:
    """All callers of one wave."""

    def __init__(self, wave: Wave) -> None:
        self._wave, self._number = wave, itertools.count()
        self._began = time.perf_counter()
        self._ends = self._began + wave.seconds
        self.latencies: list[float] = []
        self.errors = self.commands = 0
        self.wrong = b""  # the last answer that was none that was meant
        self._inside = wave.clients
        self.over = asyncio.Event()

    def request(self) -> bytes | None:
        wave = self._wave
        if wave.count is None:
            if time.perf_counter() >= self._ends:
                return None
            number = next(self._number)
        else:
            number = next(self._number)
            if number >= wave.count:
                return None
        if wave.kind == "call":
            path = f"/v1/prospects/known-{number % KNOWN:07d}/calls"
            return _request(wave, number, path, b'{"outcome":"no_answer","duration_s":%d}' % (number // KNOWN))
        if wave.kind == "register":
            return _request(wave, number, "/v1/prospects", prospect(wave.name, number))
        lines = b"\n".join(prospect(wave.name, number * LINES + line) for line in range(LINES))
        return _request(wave, number, "/v1/prospects/bulk", lines, "application/x-ndjson")

    def answered(self, status: bytes, body: bytes, took: float) -> None:
        self.latencies.append(took)
        if self._wave.kind == "bulk":
            done = body.count(b'"status":201')
            self.commands += done
            self.errors += LINES - done
            if done < LINES:
                self.wrong = status + b" " + body[-200:]
        elif status[:1] == b"2":
            self.commands += 1
        else:
            self.errors += 1
            self.wrong = status + b" " + body[:200]

    def left(self) -> None:
        self._inside -= 1
        if not self._inside:
            self.over.set()

    def tally(self) -> Tally:
        took = time.perf_counter() - self._began
        ordered = sorted(self.latencies) or [0.0]
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        p50 = statistics.median(ordered)
        wrong = self.wrong.decode(errors="replace")
        return Tally(self.commands / took, p50 * 1e3, p99 * 1e3, self.commands, self.errors, wrong)


def prospect(name: str, number: int) -> bytes:
    """What is said of a new client."""
    client = f"{name}-{number:07d}".encode()
    said = b'{"client_id":"%b","line":"north","name":"Drillworks Ltd","country":"DE","source":"trade-fair"'
    return said % client + b',"identity_keys":[{"kind":"tax_no","value":"id%b"}]}' % client


def _request(wave: Wave, number: int, path: str, body: bytes, media: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {wave.token}\r\n"
    head += f"idempotency-key: {wave.name}-{number}\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def send(wave: Wave) -> Tally:
    """Sends the wave and waits for every answer."""
    loop, crowd = asyncio.get_running_loop(), Crowd(wave)
    for _ in range(wave.clients):
        await loop.create_connection(lambda: Caller(crowd), "127.0.0.1", wave.port)
    async with asyncio.timeout(wave.seconds + 60):
        await crowd.over.wait()
    return crowd.tally()


class Load:
    """The process that sends waves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, wave: Wave) -> Tally:
        """Sends a wave. Raises RuntimeError where more than one answer in a thousand was none that was meant."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a process without pipes")
        self._process.stdin.write(json.dumps(asdict(wave)) + "\n")
        self._process.stdin.flush()
        tally = Tally(**json.loads(self._process.stdout.readline()))
        if tally.errors > tally.commands / 1_000:
            raise RuntimeError(f"{wave.kind} at port {wave.port}: {tally.errors} of {tally.commands}: {tally.wrong}")
        return tally


@contextmanager
def load() -> Iterator[Load]:
    """A process that sends waves, ended with the block."""
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Load(process)
        process.terminate()


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asdict(uvloop.run(send(Wave(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
