"""schemathesis at one running service: every operation of its description by itself; and, for themselves, its links."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from http_line import HttpLine

HERE = Path(__file__).parent
CALLERS = {"lead-gen": "ana", "conversion": "ben", "account-mgmt": "eva", "compensation": "max"}
"""Who calls: the people of the examples, so that what the examples say is theirs to do."""
BY_ITSELF = ("--config-file", "schemathesis.toml", "run", "--phases", "examples,coverage,fuzzing")
ALONG = ("--config-file", "schemathesis-links.toml", "run", "--phases", "stateful")
GRACE = 240.0


@dataclass(frozen=True)
class Tried:
    """What came of it."""

    service: str
    ok: bool
    told: str

    @property
    def cases(self) -> int:
        """Requests that were made up and sent."""
        return self._number(r"(\d+) generated")

    @property
    def operations(self) -> int:
        """Operations that were tried."""
        return self._number(r"Tested: (\d+)")

    @property
    def described(self) -> int:
        """Operations that the service describes."""
        return self._number(r"Selected: \d+/(\d+)")

    @property
    def links(self) -> int:
        """Links that were followed."""
        return self._number(r"API Links: +(\d+) covered")

    def _number(self, pattern: str) -> int:
        found = re.search(pattern, self.told)
        return int(found[1]) if found else 0


def tried(line: HttpLine, service: str, seconds: int, seed: int) -> Tried:
    """Tries every operation, for about so long: where time is up too soon, not every one."""
    return _run(line, service, seed, (*BY_ITSELF, "--max-time", str(seconds)), seconds)


def tried_each(line: HttpLine, service: str, times: int, seed: int) -> Tried:
    """Tries every operation so often beside its examples and edges, however long that takes."""
    return _run(line, service, seed, (*BY_ITSELF, "--max-examples", str(times)), 0)


def followed(line: HttpLine, service: str, walks: int, seed: int) -> Tried:
    """Walks so often along the links, however long that takes: time that is up too soon would follow none."""
    return _run(line, service, seed, (*ALONG, "--max-examples", str(walks)), walks * 3)


def _run(line: HttpLine, service: str, seed: int, how: tuple[str, ...], seconds: int) -> Tried:
    token = line.token(CALLERS[service], ttl=seconds + 3_600)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color", *how),
            *(f"{line.address(service)}/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--seed", str(seed), "--warnings", "off"),
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=seconds + GRACE,
        check=False,
    )
    return Tried(service, done.returncode == 0, done.stdout + done.stderr)
