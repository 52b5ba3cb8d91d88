"""What goes wrong with a local server, said so that a person can act on it."""

from pathlib import Path


class LocalStackError(Exception):
    """A server could not be started, reached or stopped; the message ends with the tail of its log."""


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, or a word on why there are none."""
    if not log.exists():
        return f"(no log at {log})"
    text = log.read_text(errors="replace").splitlines()[-lines:]
    return f"last lines of {log}:\n" + "\n".join(f"  {line}" for line in text)
