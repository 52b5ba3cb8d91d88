"""Routes that say who may open them. A command's door is lean: token, body, endpoint, nothing between.

    doors = Doors()

    @doors.command("/v1/things/{thing}/turn", "things:write", reply=ThingReply)
    async def turn(request: Request, thing: str, body: TurnBody) -> Response: ...

    @doors.query("/v1/things", "things:read", reply=ThingList)
    async def things(request: Request, limit: Limit = 50) -> ...: ...

The subject stands in `request.state.subject`. OpenAPI is as complete as with any other route.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, get_type_hints

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.http.auth import Verifier, let_in
from belt.io.http.body import read_body, told, validated
from belt.io.http.headers import bearer, json_response
from belt.io.http.limits import Buckets, Turnstile

BODY_BYTES = 256 * 1024
Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Any]])


class Reception:
    """Lets callers in: a valid token, not too many requests in a second or at once, one of the scopes."""

    def __init__(
        self, verifier: Verifier, buckets: Buckets, body_bytes: int = BODY_BYTES, places: Turnstile | None = None
    ) -> None:
        self.verifier, self.buckets, self.body_bytes, self.places = verifier, buckets, body_bytes, places

    async def admit(self, request: Request, scopes: tuple[str, ...]) -> Subject:
        subject = await self.verifier.verify(bearer(request))
        wait = self.buckets.take(subject.person)
        if wait:
            raise Refused("too-many-requests", retry_after=wait)
        if self.places is not None:
            take_place(request, self.places, subject.person)
        request.scope.setdefault("state", {})["subject"] = let_in(subject, *scopes)  # request.state.subject
        return subject

    def rest(self, request: Request) -> float:
        """For how many more seconds the token that came with the request holds."""
        return self.verifier.rest(bearer(request))


def take_place(request: Request, places: Turnstile, person: str) -> None:
    """A place for this request until it is over (guard.py gives it back); refused if the person holds too many."""
    leaving: list[Callable[[], None]] | None = request.scope.get("leaving")
    if leaving is None:
        return  # a request that no guard watches: a test's own
    if not places.enter(person):
        raise Refused("too-many-requests", detail="too many of this subject are being worked on")
    leaving.append(lambda: places.leave(person))


class Door(APIRoute):
    """A route with the scopes that open it: any one of them. None: open to all. (): any token; the endpoint decides."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        scopes: tuple[str, ...] | None = (),
        body_bytes: int | None = None,
        when_full: bool = False,
        versioned: bool = False,
        keyed: bool = False,
        more_statuses: tuple[int, ...] = (),
        **rest: Any,
    ) -> None:
        self.scopes, self.body_bytes, self.when_full = scopes, body_bytes, when_full
        self.versioned, self.keyed, self.more_statuses = versioned, keyed, more_statuses
        self.call = None if set(rest.get("methods") or {"GET"}) == {"GET"} else Call(path, endpoint)
        super().__init__(path, endpoint, **rest)
        self.allowed = set(self.methods or ())
        if self.call is not None:
            self.app = self.straight

    def get_route_handler(self) -> Callable[[Request], Any]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if self.scopes is not None:
                await request.app.state.reception.admit(request, self.scopes)
            answer: Response = await inner(request)
            return answer

        return handle

    async def straight(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole way of a command: token, body, endpoint, answer. A refusal is an answer, too."""
        request = Request(scope, receive, send)
        try:
            response = await self._command(request, request.app.state)
        except Exception as wrong:
            problem: Response | None = request.app.state.problems.known(wrong, scope.get("request_id"))
            if problem is None:
                raise
            response = problem
        await response(scope, receive, send)

    async def _command(self, request: Request, house: State) -> Response:
        reception: Reception = house.reception
        if self.call is None:
            raise TypeError(f"{self.path} is no command")
        if self.scopes is not None:
            await reception.admit(request, self.scopes)
        if house.full() and not self.when_full:
            raise Refused("storage-low")
        most = reception.body_bytes if self.body_bytes is None else self.body_bytes
        raw = await read_body(request, most) if self.call.body is not None else b""
        answer = await self.call.made(request, raw)
        return answer if isinstance(answer, Response) else json_response(answer, status=self.status_code or 200)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whoever may look with GET may ask with HEAD: the answer is the same, guard.py keeps its body back."""
        match, child = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL and self._asked_for_head(scope) else match), child

    def _asked_for_head(self, scope: Scope) -> bool:
        return scope["method"] == "HEAD" and "GET" in (self.methods or ())

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._asked_for_head(scope):
            scope = {**scope, "method": "GET"}
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(405, headers={"allow": ", ".join(sorted(self._at(scope).allowed))})
        await super().handle(scope, receive, send)

    def _at(self, scope: Scope) -> Door:
        """Whose address this is: /things/bulk is the address of many things, and none of a thing called bulk."""
        doors = [one for one in scope["app"].router.routes if isinstance(one, Door)]
        named = [one for one in doors if one.path_regex.match(scope["path"])]
        return min(named, key=lambda one: len(one.param_convertors), default=self)


class Call:
    """How a command's endpoint is called: parts of the path, at most one body, and the request."""

    def __init__(self, path: str, endpoint: Callable[..., Any]) -> None:
        self._endpoint = endpoint
        self._name = ""
        self.body: type[BaseModel] | None = None
        self._requests: list[str] = []
        self._parts: dict[str, TypeAdapter[Any]] = {}
        in_path = set(compile_path(path)[2])
        for name, hint in _hints(endpoint).items():
            plain = getattr(hint, "__origin__", hint)
            if name in in_path:
                if hint is not str:
                    self._parts[name] = TypeAdapter(hint)
            elif plain is Request:
                self._requests.append(name)
            elif isinstance(plain, type) and issubclass(plain, BaseModel) and self.body is None:
                self._name, self.body = name, plain
            else:
                raise TypeError(f"{path}: a command takes parts of the path, one body and the request, not {name!r}")
        if not inspect.iscoroutinefunction(endpoint):
            raise TypeError(f"{path}: an endpoint is a coroutine function")

    async def made(self, request: Request, raw: bytes) -> Any:
        """Calls the endpoint. `raw` is the body as it came."""
        given: dict[str, Any] = dict(request.path_params)
        try:
            given |= {name: part.validate_python(given[name]) for name, part in self._parts.items()}
        except ValidationError as wrong:
            raise Refused("invalid-parameter", errors=told(wrong.errors(include_url=False))) from None
        if self.body is not None:
            given[self._name] = validated(self.body, raw)
        for name in self._requests:
            given[name] = request
        return await self._endpoint(**given)


def as_door(route: BaseRoute) -> Door:
    """The same route as a door: callers need a valid token, bodies are strict; the endpoint itself asks for scopes."""
    if isinstance(route, Door):
        return route
    if not isinstance(route, APIRoute):
        raise TypeError(f"{getattr(route, 'path', route)} is not a door")
    kept = ("response_model", "status_code", "tags", "summary", "description", "responses", "name", "methods")
    more = ("operation_id", "openapi_extra", "response_class", "dependencies", "include_in_schema", "deprecated")
    return Door(route.path, route.endpoint, scopes=(), **{name: getattr(route, name) for name in (*kept, *more)})


def acquainted(doors: Iterable[Door]) -> None:
    """Doors of one address know of each other: whoever comes with another method is told all of theirs."""
    by_address: defaultdict[str, list[Door]] = defaultdict(list)
    for door in doors:
        by_address[door.path_format].append(door)
    for some in by_address.values():
        together = {method for door in some for method in door.methods or ()}
        together |= {"HEAD"} if "GET" in together else set()
        for door in some:
            door.allowed = together


class Doors(APIRouter):
    """The routes of a service, each with a word on who may open it."""

    def room(self, module: str) -> Doors:
        """Doors among these that stand together under the last part of this name."""
        room = Doors(prefix=self.prefix, tags=[module.rpartition(".")[2]])
        room.routes = self.routes
        return room

    def command(
        self,
        path: str,
        *scopes: str,
        reply: Any,
        status: int = 200,
        method: str = "POST",
        body_bytes: int | None = None,
        line: dict[str, Any] | None = None,
        when_full: bool = False,
        versioned: bool = True,
        **rest: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """A door for one command. The endpoint takes the path's parts, one body and, if it wants, the request.

        `line`: OpenAPI's description of a body that the endpoint reads by itself (bulk.py).
        `when_full`: open even when there is too little room for commands (storage.py).
        `versioned`: goes through Desk.do: knows Idempotency-Key and If-Match, and answers with an ETag.
        """
        if line is not None:
            rest["openapi_extra"] = {"requestBody": line}
        keyed = method == "POST" and (versioned or line is not None)
        rest |= {"when_full": when_full, "versioned": versioned, "keyed": keyed, "body_bytes": body_bytes}
        return self._add(path, scopes, {method}, reply, status, rest)

    def query(
        self, path: str, *scopes: str, reply: Any, versioned: bool = False, **rest: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """A door for looking: any endpoint that FastAPI takes. `versioned`: it answers with an ETag."""
        return self._add(path, scopes, {"GET"}, reply, 200, rest | {"versioned": versioned})

    def open(self, path: str, *, reply: Any = None, **rest: Any) -> Callable[[Endpoint], Endpoint]:
        """A door for everybody, and for looking only."""
        return self._add(path, None, {"GET"}, reply, 200, rest)

    def _add(
        self,
        path: str,
        scopes: tuple[str, ...] | None,
        methods: set[str],
        reply: Any,
        status: int,
        rest: dict[str, Any],
    ) -> Callable[[Endpoint], Endpoint]:
        if scopes is not None and not scopes:
            raise ValueError(f"{path}: which scopes open this door?")

        def add(endpoint: Endpoint) -> Endpoint:
            self.routes.append(
                Door(
                    self.prefix + path,
                    endpoint,
                    scopes=scopes,
                    methods=methods,
                    response_model=reply,
                    status_code=status,
                    tags=[*self.tags],
                    **rest,
                )
            )
            return endpoint

        return add


def _hints(endpoint: Callable[..., Any]) -> dict[str, Any]:
    hints = get_type_hints(endpoint, include_extras=True)
    hints.pop("return", None)
    return hints
