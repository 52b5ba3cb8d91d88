"""`python -m checks.access [--write]`: the users of Kafka in the manifests are those of the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from checks.access.kafka import Rule, rules
from checks.access.users import manifest
from checks.docs.apps import deployed

ROOT = Path(__file__).parents[2]
PLACE = "deploy/k8s/components/strimzi/users.yaml"


def table() -> list[Rule]:
    """The table for the services as they are."""
    return rules({service.name: service.topics for service in deployed()})


def difference(root: Path) -> str | None:
    """What is wrong with the manifest of a checkout."""
    path = root / PLACE
    if not path.is_file():
        return f"{PLACE}: missing"
    return None if path.read_text(encoding="utf-8") == manifest(table()) else f"{PLACE}: differs from the table"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 if the manifest was not up to date."""
    parser = argparse.ArgumentParser(prog="python -m checks.access", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it")
    if parser.parse_args(arguments).write:
        (ROOT / PLACE).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / PLACE).write_text(manifest(table()), encoding="utf-8")
        return 0
    wrong = difference(ROOT)
    if wrong is not None:
        print(f"{wrong}; write it with: python -m checks.access --write", file=sys.stderr)
    return 0 if wrong is None else 1


if __name__ == "__main__":
    sys.exit(main())
