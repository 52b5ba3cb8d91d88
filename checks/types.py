"""mypy strict over every source and test of the workspace in one go.

Tests of different members may have the same file name (`conftest.py`, `test_api.py`), which mypy by itself refuses; so
each gets a module name made from its path. What tests share beside them (`tests/*.py` that is neither) keeps its name.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from mypy.fscache import FileSystemCache
from mypy.main import process_options, run_build
from mypy.modulefinder import BuildSource

ROOT = Path(__file__).parent.parent
TESTS = ("libs/*/tests", "services/*/tests", "apps/*/tests", "cli/tests", "deploy/*/tests", "tests")
SOURCES = ("libs/*/src/*", "services/*/src/*", "apps/*/src/*", "cli/src/*", "deploy/local/src/*", "checks", "bench")


def main(more: list[str]) -> int:
    """Checks all, and `more` files beside."""
    cache = FileSystemCache()
    packages = [str(path) for pattern in SOURCES for path in sorted(ROOT.glob(pattern)) if path.is_dir()]
    sources, options = process_options(["--config-file", str(ROOT / "pyproject.toml"), *packages], fscache=cache)
    sources += [*_tests(), *(BuildSource(path, Path(path).stem) for path in more)]
    _, messages, _ = run_build(sources, options, cache, 0.0, sys.stdout, sys.stderr)
    errors = [message for message in messages if ": error:" in message]
    print(f"{len(sources)} files, {len(errors)} errors")
    return 1 if messages else 0


def _tests() -> Iterator[BuildSource]:
    for folder in (path for pattern in TESTS for path in sorted(ROOT.glob(pattern))):
        for path in sorted(folder.rglob("*.py")):
            shared = path.name != "conftest.py" and not path.name.startswith("test_")
            yield BuildSource(str(path), path.stem if shared else _module(path))
    yield BuildSource(str(ROOT / "conftest.py"), "workspace_conftest")


def _module(path: Path) -> str:
    return "_".join(path.relative_to(ROOT).with_suffix("").parts).replace("-", "_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
