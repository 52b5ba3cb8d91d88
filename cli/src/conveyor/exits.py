"""How a command ends: the exit codes of `conveyor`, and the errors that lead to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from conveyor_local.trouble import LocalStackError

OK = 0
FAILED = 1  # a check found something wrong: a law of the demo, a case, an import that does not add up
USAGE = 2  # wrong arguments (the framework's own code)
UNREACHABLE = 3  # a service does not answer, or nothing has been started
REFUSED = 4  # a service answered, and said no
LOCAL = 5  # something on this machine: a server did not start or end, a file or a setting cannot be used
INTERRUPTED = 130


E = TypeVar("E", bound=Exception)


class Trouble(Exception):
    """Something a person can act on. `exit_code` says what kind of trouble it is."""

    exit_code = FAILED


class CheckFailed(Trouble):
    """What was found is not what must hold."""


class Unreachable(Trouble):
    """A service did not answer within the patience of the caller."""

    exit_code = UNREACHABLE


class NotRunning(Unreachable):
    """No addresses: `conveyor up` has not been run, and the environment names none."""


class StartFailed(Trouble):
    """A process did not come up; the message ends with the tail of its log."""

    exit_code = LOCAL


class Unusable(Trouble):
    """A file or a setting of this machine cannot be used."""

    exit_code = LOCAL


class Problem(Trouble):
    """A service refused: problem+json (RFC 9457) as an exception."""

    exit_code = REFUSED

    def __init__(self, status: int, code: str, detail: str, body: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.body = body or {}


def trouble_of(error: Exception) -> Trouble | None:
    """What a person can act on in this error; None: it is a fault of ours, and its trace is needed."""
    if (trouble := first_of(Trouble, error)) is not None:
        return trouble
    if (local := first_of(LocalStackError, error)) is not None:
        return StartFailed(str(local))
    file = first_of(OSError, error)
    if file is not None and isinstance(file.filename, str | Path):
        return Unusable(f"{file.filename}: {file.strerror}")
    return None


def first_of(kind: type[E], error: Exception) -> E | None:
    """The first error of this kind: the error itself, or one inside of a group, however deep."""
    if isinstance(error, kind):
        return error
    inside = error.exceptions if isinstance(error, ExceptionGroup) else ()
    return next((found for one in inside if (found := first_of(kind, one)) is not None), None)
