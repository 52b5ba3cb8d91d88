"""The app of a service: FastAPI, but a command goes from the guard straight to its door.

On the way through FastAPI a request passes six wrappers and every route before its own; at load that is most of what a
command costs. A command's door needs none of them: it reads its body and writes its problems itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from belt.io.http.doors import Door
from belt.io.http.guard import Guard


class Front(FastAPI):
    """Every request passes the guard; commands then take the short way, all others FastAPI's."""

    def __init__(self, guard: Guard, **rest: Any) -> None:
        super().__init__(**rest)
        self._guard = guard
        self._ways: Ways | None = None

    def doors(self) -> list[Door]:
        """All doors, in their order."""
        return [route for route in self.router.routes if isinstance(route, Door)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self._ways is None:
            self._ways = Ways(self.doors())
        scope["app"] = self
        await self._guard.watch(self._ways.to(scope) or self._through, scope, receive, send)

    async def _through(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Without the outermost wrapper: what nobody catches is the guard's."""
        return super().build_middleware_stack().app  # type: ignore[attr-defined, no-any-return]


class Ways:
    """Finds the door of a command by its address, as the router would: of several that fit, the first."""

    def __init__(self, doors: Sequence[Door]) -> None:
        commands = [door for door in doors if door.call is not None]
        self._some: dict[tuple[str, int, str], list[Door]] = {}
        self._other: dict[tuple[str, int], list[Door]] = {}
        for method in {method for door in commands for method in door.methods or ()}:
            mine = [door for door in commands if method in (door.methods or ())]
            for many in {_parts(door) for door in mine}:
                level = [door for door in mine if _parts(door) == many]
                self._other[method, many] = [door for door in level if _last(door) is None]
                for last in {_last(door) for door in level} - {None}:
                    self._some[method, many, f"{last}"] = [door for door in level if _last(door) in (last, None)]

    def to(self, scope: Scope) -> ASGIApp | None:
        """The door's own way, its route and the parts of its path put into the scope; None where the router decides."""
        path: str = scope["path"]
        if scope.get("root_path"):
            return None
        parts = path.split("/")
        method, many = scope["method"], len(parts)
        for door in self._some.get((method, many, parts[-1])) or self._other.get((method, many)) or []:
            found = door.path_regex.match(path)
            if found is not None:
                given = found.groupdict()
                scope["path_params"] = {name: door.param_convertors[name].convert(part) for name, part in given.items()}
                scope["route"] = door
                return door.straight
        return None


def _parts(door: Door) -> int:
    return len(door.path_format.split("/"))


def _last(door: Door) -> str | None:
    """The last part of the path, if it is always the same."""
    last = door.path_format.rpartition("/")[2]
    return None if "{" in last else last
