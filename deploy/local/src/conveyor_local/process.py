"""One server process: started in a session of its own, found again by id and birth, stopped for certain."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from conveyor_local.home import Account
from conveyor_local.trouble import LocalStackError, tail

POLL = 0.03
SAME_BIRTH = 3.0
"""Seconds. Births count from the boot, which Linux tells in whole seconds and corrects as its clock drifts."""

_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass
class Server:
    """A process by its id and its time of birth: an id alone may by now belong to a stranger."""

    name: str
    pid: int
    born: float
    log: Path

    @classmethod
    def spawn(
        cls, name: str, argv: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str], account: Account | None
    ) -> "Server":
        """Starts it. Its own session keeps a Ctrl-C meant for the caller away from it."""
        with log.open("ab") as out:
            child = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_account(account),
            )
        _children[child.pid] = child
        return cls(name, child.pid, psutil.Process(child.pid).create_time(), log)

    def alive(self) -> bool:
        """Whether this very process still runs."""
        child = _children.get(self.pid)
        if child is not None:
            return child.poll() is None  # and takes leave of a dead child, which otherwise stays on as a zombie
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.born) < SAME_BIRTH and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Returns when `ready()` says so; a server that ends or takes too long is an error with its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise LocalStackError(f"{self.name} ended while it started; {tail(self.log)}")
            if time.monotonic() > deadline:
                raise LocalStackError(f"{self.name} was not ready within {seconds:.0f} s; {tail(self.log)}")
            time.sleep(POLL)

    def stop(self, gently: signal.Signals, seconds: float) -> None:
        """Asks it to end, insists after a while, and returns when it is gone."""
        for sign, patience in ((gently, seconds), (signal.SIGKILL, 10.0)):
            if not self.alive():
                return
            try:
                os.killpg(self.pid, sign)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + patience
            while self.alive() and time.monotonic() < deadline:
                time.sleep(POLL)
        if self.alive():
            raise LocalStackError(f"{self.name} (process {self.pid}) does not end; {tail(self.log)}")


def launched(server: Server | None) -> Server:
    """The server, which the caller has launched before."""
    if server is None:
        raise LocalStackError("this server has not been launched")
    return server


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments for subprocess that run the child as this account and no group of ours."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": ()}


def plain_environment(prefixes: Sequence[str], **more: str) -> dict[str, str]:
    """Our environment without the variables that would bend a server (PGPORT, KAFKA_OPTS, JAVA_TOOL_OPTIONS …)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(tuple(prefixes))}
    return kept | more
