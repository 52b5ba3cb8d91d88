"""How a command ends: the exit codes of `conveyor`, and the errors that lead to them."""

from __future__ import annotations

from typing import Any, TypeVar

OK = 0
FAILED = 1  # a check found something wrong: a law of the demo, a case, an import that does not add up
USAGE = 2  # wrong arguments (the framework's own code)
UNREACHABLE = 3  # a service does not answer, or nothing has been started
REFUSED = 4  # a service answered, and said no
LOCAL = 5  # a local server or service did not start or did not end
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


class Problem(Trouble):
    """A service refused: problem+json (RFC 9457) as an exception."""

    exit_code = REFUSED

    def __init__(self, status: int, code: str, detail: str, body: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.body = body or {}


def first_of(kind: type[E], error: Exception) -> E | None:
    """The first error of this kind: the error itself, or one inside of a group, however deep."""
    if isinstance(error, kind):
        return error
    inside = error.exceptions if isinstance(error, ExceptionGroup) else ()
    return next((found for one in inside if (found := first_of(kind, one)) is not None), None)
