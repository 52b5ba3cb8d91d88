"""Which files of a checkout are ours."""

from collections.abc import Iterator
from pathlib import Path

NOT_OURS = {"node_modules", "__pycache__", "build", "dist"}
HIDDEN_BUT_OURS = {".ci", ".importlinter", ".gitignore"}


def files(folder: Path, *patterns: str) -> Iterator[Path]:
    """The files below a folder that are ours: no environment, no cache, nothing generated."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or (path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS):
            continue
        if path.is_dir():
            yield from files(path, *patterns)
        elif any(path.match(pattern) for pattern in patterns):
            yield path
