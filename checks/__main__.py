"""`python -m checks [NAME ...]`: runs the checks side by side and prints one line for each."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(sys.executable).parent
PYTHON = sys.executable

# The longest first: two run at a time.
CHECKS: dict[str, list[str]] = {
    "types": [PYTHON, "-m", "checks.types"],
    "arrows": [str(SCRIPTS / "lint-imports"), "--no-cache", "--no-logo"],
    "docs": [PYTHON, "-m", "checks.docs"],
    "events": [PYTHON, "-m", "conveyor_events.generate", "--check"],
    "access": [PYTHON, "-m", "checks.access"],
    "compat": [PYTHON, "-m", "checks.compatible"],
    "openapi": [PYTHON, "-m", "checks.openapi"],
    "guards": [PYTHON, "-m", "checks.guards"],
    "licences": [PYTHON, "-m", "checks.supply", "licences"],
    "lint": [str(SCRIPTS / "ruff"), "check", "--quiet", "--output-format=concise", "."],
    "images": [PYTHON, "-m", "checks.images"],
    "format": [str(SCRIPTS / "ruff"), "format", "--check", "--output-format=concise", "."],
}
DEADLINE = 300


def main(names: list[str]) -> int:
    """Exit code 1 if any check fails; the output of those that fail is printed."""
    unknown = set(names) - set(CHECKS)
    if unknown:
        print(f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(_run, names or CHECKS))
    print(f"{'ok' if all(passed) else 'FAILED'}: {sum(passed)} of {len(passed)} in {time.monotonic() - begun:.1f} s")
    return 0 if all(passed) else 1


def _run(name: str) -> bool:
    begun = time.monotonic()
    ended = subprocess.run(CHECKS[name], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)
    passed = ended.returncode == 0
    lines = [f"{'ok    ' if passed else 'FAILED'} {name:8} {time.monotonic() - begun:5.1f} s"]
    if not passed:
        lines.append((ended.stdout + ended.stderr).rstrip())
    print("\n".join(lines), flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
