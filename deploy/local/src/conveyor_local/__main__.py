"""`python -m conveyor_local up | down | status | erase | resolve`: the stack by hand."""

import argparse
import json
import sys
from pathlib import Path

from conveyor_local.admin import catalog_topics
from conveyor_local.home import stack_names
from conveyor_local.jars import resolve
from conveyor_local.kafka import VERSION
from conveyor_local.stack import Stack
from conveyor_local.trouble import LocalStackError

NOT_RUNNING = 3


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 done, 1 trouble (said on stderr), 2 wrong usage, 3 `status` finds a server that does not run."""
    asked = _parser().parse_args(argv)
    try:
        match asked.verb:
            case "up":
                return _up(asked.name, asked.home, as_json=asked.json, fast=asked.fast)
            case "down":
                names = stack_names() if asked.all else [asked.name]
                return _down(names, asked.home, erase=asked.erase, as_json=asked.json)
            case "status":
                return _status(asked.name, asked.home, as_json=asked.json)
            case _:
                print(resolve(asked.version), end="")
                return 0
    except LocalStackError as trouble:
        print(f"conveyor_local: {trouble}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conveyor_local", description="PostgreSQL and Kafka, locally.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    stack = argparse.ArgumentParser(add_help=False)
    stack.add_argument("--name", default="dev", help="which stack; each has its own servers and data (default: dev)")
    stack.add_argument("--home", type=Path, help="folder for its data (default: below /var/tmp/conveyor-<uid>)")
    stack.add_argument("--json", action="store_true", help="print one JSON object")
    up = verbs.add_parser("up", parents=[stack], help="start both servers, or find them running; make all topics")
    up.add_argument("--fast", action="store_true", help="no fsync: a power cut may lose everything")
    down = verbs.add_parser("down", parents=[stack], help="end both servers; their data stays")
    down.add_argument("--erase", action="store_true", help="remove the data too")
    down.add_argument("--all", action="store_true", help="every stack of this checkout")
    verbs.add_parser("status", parents=[stack], help="say what runs, and where")
    jars = verbs.add_parser("resolve", help="print the pinned list of jars (kafka.jars) for a version of Kafka")
    jars.add_argument("version", nargs="?", default=VERSION)
    return parser


def _up(name: str, home: Path | None, *, as_json: bool, fast: bool) -> int:
    stack = Stack.start(home, name, catalog_topics(), fast=fast)
    if as_json:
        print(json.dumps(_facts(stack) | {"reused": stack.reused}))
        return 0
    print(f"{'already up' if stack.reused else 'up'}; for another shell:")
    for variable, value in stack.environment.items():
        print(f"  export {variable}={value}")
    return 0


def _down(names: list[str], home: Path | None, *, erase: bool, as_json: bool) -> int:
    found = {name: stack for name in names if (stack := Stack.find(name, home)) is not None}
    for stack in found.values():
        stack.stop(erase=erase)
    if as_json:
        print(json.dumps({"ended": list(found), "erased": erase}))
    else:
        print(f"ended {', '.join(found)}{', data erased' if erase else ''}" if found else "nothing to end")
    return 0


def _status(name: str, home: Path | None, *, as_json: bool) -> int:
    stack = Stack.find(name, home)
    running = {} if stack is None else stack.running()
    if as_json:
        print(json.dumps({"name": name, "running": {}} if stack is None else _facts(stack)))
    elif stack is None:
        print("never started")
    else:
        for server, runs in running.items():
            print(f"{server:9} {'runs' if runs else 'does not run'}")
        print(f"data      {stack.home}")
    return 0 if running and all(running.values()) else NOT_RUNNING


def _facts(stack: Stack) -> dict[str, object]:
    return {
        "name": stack.name,
        "home": str(stack.home),
        "running": stack.running(),
        "environment": stack.environment,
    }


if __name__ == "__main__":
    sys.exit(main())
