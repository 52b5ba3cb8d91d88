"""Runs `python -m SERVICE migrate` for several services in one process: what they share is imported once.

Started by processes.py as a process of its own; reads {package: environment} as JSON from stdin.
"""

from __future__ import annotations

import json
import os
import runpy
import sys


def main() -> None:
    """One after the other; the first that fails ends it."""
    environments: dict[str, dict[str, str]] = json.load(sys.stdin)
    for package, environment in environments.items():
        os.environ.update(environment)
        sys.argv = [package, "migrate"]
        runpy.run_module(package, run_name="__main__", alter_sys=True)
        sys.stderr.write(f"{package}: up to date\n")


if __name__ == "__main__":
    main()
