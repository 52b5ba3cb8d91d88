"""What people open in a browser beside the services: the board and the sign-in before it, with `up` and `down`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from conveyor.exits import StartFailed
from conveyor.running import Running, ServiceProcess, address
from conveyor_local.home import claimed, free_port, is_free
from conveyor_local.process import Server
from conveyor_local.trouble import tail
from conveyor_local.watch import Watch

SIGN_IN, BOARD = "sign-in", "board"
PORTS = {SIGN_IN: 8090, BOARD: 8080}
BACK = "/signin/callback"
READY_SECONDS = 30.0
STOP_SECONDS = 15.0
MIGRATE_SECONDS = 60.0


def open_pages(
    running: Running, shared: Mapping[str, str], report: Callable[[str], None], watch: Watch | None = None
) -> list[str]:
    """Starts what does not run yet, and returns the names of what was started. `shared`: what the board reads.

    Under a watch it is for this process alone, and takes no usual port: another's pages may be about to take it.
    """
    missing = [name for name in PORTS if _alive(running, name) is None]
    taken = {name: _port(running, name) if watch is None else free_port() for name in missing}
    ports = {name: taken.get(name) or running.pages[name].port for name in PORTS}
    board, sign_in = address(ports[BOARD]), address(ports[SIGN_IN])
    if SIGN_IN in missing:
        report(SIGN_IN)
        command = ["--port", str(ports[SIGN_IN]), "--folder", str(running.issuer)]
        command += ["--lead-gen", running.addresses["lead-gen"]]
        command += ["--redirect", board + BACK, "--after-logout", f"{board}/"]
        started = _start(running, SIGN_IN, ports[SIGN_IN], ["conveyor.signin", *command], {})
        _wait(started, running, SIGN_IN, "/.well-known/openid-configuration", watch)
    if BOARD in missing:
        report(BOARD)
        wanted = dict(shared) | {
            "CONVEYOR_PORT": str(ports[BOARD]),
            "CONVEYOR_PUBLIC_ADDRESS": board,
            "CONVEYOR_SIGNIN_ADDRESS": sign_in,
        }
        _migrate(running, wanted)
        started = _start(running, BOARD, ports[BOARD], [BOARD, "all"], wanted)
        _wait(started, running, BOARD, "/readyz", watch)
    return missing


def _migrate(running: Running, wanted: Mapping[str, str]) -> None:
    """The tables of this code, in the board's own database."""
    log = running.logs / f"{BOARD}-migrate.log"
    with log.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", BOARD, "migrate"],
            cwd=running.home,
            env=dict(os.environ) | dict(wanted),
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=MIGRATE_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise StartFailed(f"the board's database could not be brought up to date; {tail(log)}")


def _start(running: Running, name: str, port: int, module: list[str], wanted: Mapping[str, str]) -> Server:
    log = running.logs / f"{name}.log"
    argv = [sys.executable, "-m", *module]
    server = Server.spawn(name, argv, cwd=running.home, log=log, env=dict(os.environ) | dict(wanted), account=None)
    running.pages[name] = ServiceProcess(server.pid, server.born, port, str(log))
    running.write()
    return server


def _wait(server: Server, running: Running, name: str, ready: str, watch: Watch | None) -> None:
    if watch is not None:
        watch.over("server", server.pid)
    server.wait_until(partial(_answers, address(running.pages[name].port) + ready), READY_SECONDS)


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
    if before and is_free(before.port):
        return before.port
    usual = PORTS[name]
    return usual if is_free(usual) and claimed(usual) else free_port()


def _answers(door: str) -> bool:
    try:
        with urlopen(door, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
