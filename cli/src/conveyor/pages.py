"""What people open in a browser beside the services: started with `up`, ended with `down`. The sign-in, for now."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from conveyor.running import Running, ServiceProcess, address
from conveyor_local.home import free_port, is_free
from conveyor_local.process import Server

SIGN_IN = "sign-in"
PORTS = {SIGN_IN: 8090}
BOARD = "http://127.0.0.1:8005"
BOARD_REDIRECT, BOARD_AFTER = f"{BOARD}/signin/callback", f"{BOARD}/"
READY_SECONDS = 30.0
STOP_SECONDS = 10.0


def open_pages(running: Running, report: Callable[[str], None]) -> list[str]:
    """Starts what does not run yet, and returns the names of what was started."""
    if _alive(running, SIGN_IN) is not None:
        return []
    report(SIGN_IN)
    port = _port(running, SIGN_IN)
    command = ["conveyor.signin", "--port", str(port), "--folder", str(running.issuer)]
    command += [
        "--lead-gen",
        running.addresses["lead-gen"],
        "--redirect",
        BOARD_REDIRECT,
        "--after-logout",
        BOARD_AFTER,
    ]
    log = running.logs / f"{SIGN_IN}.log"
    argv = [sys.executable, "-m", *command]
    server = Server.spawn(SIGN_IN, argv, cwd=running.home, log=log, env=dict(os.environ), account=None)
    running.pages[SIGN_IN] = ServiceProcess(server.pid, server.born, port, str(log))
    running.write()
    server.wait_until(partial(_answers, f"{address(port)}/.well-known/openid-configuration"), READY_SECONDS)
    return [SIGN_IN]


def close_pages(running: Running) -> list[str]:
    """Asks all of them to end; insists where one does not."""
    ended = []
    for name in running.pages:
        server = _alive(running, name)
        if server is not None:
            server.stop(signal.SIGTERM, STOP_SECONDS)
            ended.append(name)
    return ended


def _alive(running: Running, name: str) -> Server | None:
    known = running.pages.get(name)
    if known is None:
        return None
    found = Server(name, known.pid, known.born, Path(known.log))
    return found if found.alive() else None


def _port(running: Running, name: str) -> int:
    """The port it had, else its usual one, else any that is free."""
    before = running.pages.get(name)
    for port in ([before.port] if before else []) + [PORTS[name]]:
        if is_free(port):
            return port
    return free_port()


def _answers(door: str) -> bool:
    try:
        with urlopen(door, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
