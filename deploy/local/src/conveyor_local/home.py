"""Where local servers keep their data, whom they run as, and on which ports.

The place is short and open to other accounts (`/var/tmp/conveyor-<uid>`), because PostgreSQL refuses to run as root:
started by root it runs as another account, which must be able to reach its binaries and its data.
"""

import fcntl
import hashlib
import os
import pwd
import random
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conveyor_local.trouble import LocalStackError

MEMORY = Path("/dev/shm")  # noqa: S108 (the file system in memory, not a temporary file)
ROOMY = 2 * 1024**3


@dataclass(frozen=True)
class Account:
    """The account a server runs as."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """None for an ordinary user (servers run as the same user); for root an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalStackError("PostgreSQL refuses to run as root, and this machine has no account 'nobody' to run it as")


def root() -> Path:
    """The folder of this user for everything local: downloads and the data of every stack."""
    return _own(Path(os.environ.get("CONVEYOR_HOME") or f"/var/tmp/conveyor-{os.geteuid()}"))  # noqa: S108


def stack_home(name: str) -> Path:
    """The folder of one named stack; each checkout (its virtual environment) has its own."""
    if name in ("", ".", "..") or os.sep in name:
        raise LocalStackError(f"a stack is named by a word, not by a path such as {name!r}")
    return _checkout() / name


def stack_names() -> list[str]:
    """The stacks of this checkout that have a folder."""
    return sorted(path.name for path in _checkout().iterdir() if path.is_dir()) if _checkout().is_dir() else []


def _checkout() -> Path:
    return root() / hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]


def passing_home(name: str) -> Path:
    """A folder for a stack that ends with its caller: in memory where there is room for it."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOMY:
        return _own(MEMORY / f"conveyor-{os.geteuid()}") / name
    return stack_home(name)


def _own(folder: Path) -> Path:
    """Makes the folder, and refuses one that somebody else has put there."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as refused:
        raise LocalStackError(f"{folder} cannot be made ({refused.strerror}); set CONVEYOR_HOME") from refused
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalStackError(f"{folder} is not a folder of this user; remove it or set CONVEYOR_HOME")
    folder.chmod(0o755)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time in this folder; the lock goes with the process."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port nobody listens on and nobody else was given, below the range of outgoing connections."""
    for _ in range(200):
        port = random.randrange(20_000, 32_000)  # noqa: S311 (no secret)
        if port not in _ports.given and is_free(port) and claimed(port):
            return port
    raise LocalStackError("found no free port between 20000 and 32000")


def claimed(port: int) -> bool:
    """Makes a port this process's own as long as it lives; False if another process of this user has it.

    A server takes seconds to bind: until then only this tells others that the port is spoken for.
    """
    try:
        fcntl.lockf(_ports.file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    _ports.given.add(port)
    return True


@dataclass
class _Ports:
    """What this process has claimed: a byte each of one file, locked; the locks go with the process."""

    given: set[int] = field(default_factory=set)
    handle: int | None = None

    def file(self) -> int:
        """Never closed: with it all locks would go."""
        if self.handle is None:
            self.handle = os.open(root() / "ports.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self.handle


_ports = _Ports()


def is_free(port: int) -> bool:
    """Whether a server could listen here."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
