"""Ends servers whose owner has died, however it died.

Runs as a process of its own and reads from the owner's pipe: `server <pid>` and `folder <path>` for each thing to end
or erase, and `done` when the owner has cleared up itself. When the pipe closes without that, the owner is gone.
Standard library only, so that it starts in an instant.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class Watch:
    """The owner's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            cwd="/",
        )

    def over(self, kind: str, what: object) -> None:
        """Puts a `server` (by process id) or a `folder` under the watch."""
        self._say(f"{kind} {what}")

    def done(self) -> None:
        """The owner has cleared up; nothing is left to watch."""
        self._say("done")
        self._process.communicate(timeout=10)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 (a pipe was asked for above)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def watch(pipe: TextIO) -> None:
    """Reads until the owner says `done` or dies; in the second case ends and erases everything named."""
    servers: list[int] = []
    folders: list[Path] = []
    for line in pipe:
        kind, _, what = line.strip().partition(" ")
        if kind == "server":
            servers.append(int(what))
        elif kind == "folder":
            folders.append(Path(what))
        elif kind == "done":
            return
    for sign in (signal.SIGQUIT, signal.SIGKILL):  # at the first PostgreSQL ends at once and frees its memory
        for pid in servers:
            with suppress(ProcessLookupError):
                os.killpg(pid, sign)
        time.sleep(0.5)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    watch(sys.stdin)
