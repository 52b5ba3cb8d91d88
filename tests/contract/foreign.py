"""What programs that are not ours print, line by line."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import IO


@dataclass(frozen=True)
class Said:
    """What a program has printed so far, and what it complained of."""

    lines: Queue[str] = field(default_factory=Queue)
    complaints: list[str] = field(default_factory=list)

    def take(self, count: int, within: float = 90.0) -> list[list[str]]:
        """The next lines, so many of them, as words."""
        found: list[list[str]] = []
        ends = time.monotonic() + within
        while len(found) < count:
            try:
                found.append(self.lines.get(timeout=max(0.01, ends - time.monotonic())).split())
            except Empty:
                late = f"{len(found)} of {count} lines within {within:g} s"
                raise AssertionError("\n".join([late, *self.complaints[-20:]])) from None
        return found


@contextlib.contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Said]:
    """Runs the program for as long as the block lasts."""
    said = Said()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stderr is not None
    ears = [
        threading.Thread(target=_each_line, args=(process.stdout, said.lines.put), daemon=True),
        threading.Thread(target=_each_line, args=(process.stderr, said.complaints.append), daemon=True),
    ]
    for ear in ears:
        ear.start()
    try:
        yield said
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        for ear in ears:
            ear.join(5)
        process.stdout.close()
        process.stderr.close()


def ran(
    command: Sequence[str], environment: Mapping[str, str], within: float = 100
) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=within, check=False)


def _each_line(pipe: IO[str], give: Callable[[str], None]) -> None:
    for line in pipe:
        give(line.rstrip("\n"))
