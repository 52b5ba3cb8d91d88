"""`python -m checks.asked`: no door of any service is open by oversight.

Each is a door of ours with scopes, or stands in OPEN. What is asked of `authorize` behind the scopes, and of which kind
of thing, stands in each service's `access.py`; that table and the app's doors are the same, and the code behind each of
them reaches what asks (`Sights`). tests/contract/test_two_tokens.py shows that it is asked, and answered so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from starlette.routing import BaseRoute

from belt.io.http.doors import Door
from checks.docs.apps import PACKAGES, app, services
from conveyor_events.scopes import SCOPES

OPEN = frozenset({"GET /livez", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /docs", "GET /docs/{file}"})
BELTS = {
    # The belt's own doors, the same at every service: about the service, not about anybody. The scopes alone decide.
    "GET /v1/clock": ("-", "service"),
    "PUT /v1/clock": ("-", "service"),
    "GET /v1/events": ("-", "service"),
    "GET /v1/audit": ("-", "service"),
    "POST /v1/events/seal": ("-", "service"),
    "GET /v1/parked": ("-", "service"),
    "GET /v1/parked/skipped": ("-", "service"),
    "GET /v1/parked/{parked_id}": ("-", "service"),
    "POST /v1/parked/{parked_id}/redrive": ("-", "service"),
    "POST /v1/parked/{parked_id}/skip": ("-", "service"),
}
NOTHING = "-"
OURS = frozenset({"belt", *PACKAGES})
ASKS = "Sights"
Asked = Mapping[str, tuple[str, str]]


def asked(package: str) -> Asked:
    """What is asked behind each door of a service."""
    own: Asked = import_module(f"{package}.access").ASKED
    return {**own, **BELTS}


def name(route: BaseRoute) -> str:
    """A door's method and path."""
    return f"{min(getattr(route, 'methods', None) or {'GET'})} {getattr(route, 'path', route)}"


def breaches(routes: Iterable[BaseRoute], table: Asked) -> Iterator[str]:
    """What is open, or not as the table says."""
    found = set()
    for route in routes:
        door = name(route)
        found.add(door)
        if door in OPEN:
            continue
        if not isinstance(route, Door):
            yield f"{door}: not a door of ours, nobody is asked for a token"
        elif route.scopes is None:
            yield f"{door}: open to everybody, and not in the list of those that are"
        elif not route.scopes:
            yield f"{door}: any token opens it; which scopes?"
        elif unknown := set(route.scopes) - SCOPES.keys():
            yield f"{door}: no such scope: {', '.join(sorted(unknown))}"
        elif door not in table:
            yield f"{door}: access.py does not say what is asked behind it"
        elif table[door][0] != NOTHING and not reaches(route.endpoint):
            yield f"{door}: the code behind it never asks `authorize`"
    yield from (f"{door}: in access.py, and no door" for door in sorted(table.keys() - found))


def reaches(endpoint: Any) -> bool:
    """Whether the endpoint, or a function of ours that it uses, holds on to what asks."""
    ours = OURS | {_member(endpoint)}
    todo, known = [endpoint], set[int]()
    while todo:
        one = todo.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if type(one).__name__ == ASKS or any(kind.__name__ == ASKS for kind in type(one).__mro__):
            return True
        if isinstance(one, FunctionType) and _member(one) in ours:
            todo += [cell.cell_contents for cell in one.__closure__ or ()]
            todo += [one.__globals__[used] for used in _names(one.__code__) if used in one.__globals__]
        todo += list(one) if isinstance(one, list | tuple) else []
        todo += [one.endpoint] if isinstance(one, Door) else []
    return False


def _member(function: Any) -> str:
    name: str = function.__module__
    return name.partition(".")[0]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def main() -> int:
    """Exit code 1 if a door is open by oversight. `checks.docs` runs it, too: it has the apps put together."""
    found = [
        f"{service.name}: {breach}"
        for service in services()
        for breach in breaches(app(service.name).routes, asked(service.package))
    ]
    if found:
        print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
