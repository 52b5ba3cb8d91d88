"""`python -m checks.openapi [--release]`: lints docs/openapi, finds breaks and endless lists; `--release`: anew."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.node import node_program
from checks.openapi.breaks import breaks
from checks.openapi.lists import unpaged

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CURRENT, RELEASED = ROOT / "docs/openapi", HERE / "released"
DEADLINE = 100


def linted(documents: Sequence[Path]) -> Iterator[str]:
    """What Redocly finds in the documents, by redocly.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            command = node_program(Path(folder), (HERE / "lint.mjs").read_text(encoding="utf-8"))
        except LookupError as missing:
            yield str(missing)
            return
        command += [str(HERE / "redocly.yaml"), *map(str, documents)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)
    found = done.stdout.splitlines()
    yield from found or ([done.stderr] if done.returncode else [])


def broken(released: Path, current: Path) -> Iterator[str]:
    """What of the released documents no longer holds."""
    for path in sorted(released.glob("*.json")):
        now = current / path.name
        if not now.is_file():
            yield f"{path.stem}: the whole service is gone"
            continue
        documents = [json.loads(one.read_text(encoding="utf-8")) for one in (path, now)]
        yield from (f"{path.stem}: {line}" for line in breaks(*documents))
    yield from (
        f"{path.stem}: was never released; python -m checks.openapi --release"
        for path in sorted(current.glob("*.json"))
        if not (released / path.name).is_file()
    )


def endless(documents: Sequence[Path]) -> Iterator[str]:
    """Lists in the documents that do not come in pages."""
    for path in documents:
        yield from (f"{path.stem}: {line}" for line in unpaged(json.loads(path.read_text(encoding="utf-8"))))


def release() -> None:
    """From now on the current documents are what callers rely on."""
    RELEASED.mkdir(exist_ok=True)
    for path in CURRENT.glob("*.json"):
        shutil.copyfile(path, RELEASED / path.name)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m checks.openapi", description=__doc__)
    parser.add_argument("--release", action="store_true", help="with a release: the current documents are the promise")
    if parser.parse_args(arguments).release:
        release()
    documents = sorted(CURRENT.glob("*.json"))
    found = [*linted(documents), *broken(RELEASED, CURRENT), *endless(documents)]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
