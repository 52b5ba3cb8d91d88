"""No door is open by oversight: each way to forget it is found."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import Route

from belt.io.http.doors import Doors, as_door
from belt.io.http.sight import Sights
from checks.asked import BELTS, NOTHING, asked, breaches, name, reaches
from checks.docs.apps import app, services

SIGHTS: Sights[Any] = Sights(None, lambda *_: False, lambda _read: None)  # type: ignore[arg-type, return-value]


def doors(*, asking: bool = True, scope: str = "deals:read") -> Doors:
    """One door, behind which `authorize` is asked, or not."""
    made, sights = Doors(), SIGHTS if asking else None

    def helped() -> object:
        return sights

    @made.query("/v1/things", scope, reply=None)
    async def things(request: Request) -> dict[str, object]:
        return {"seen": helped() is not None}

    return made


THINGS = {"GET /v1/things": ("see", "things")}


def test_a_door_that_asks_and_says_so_is_no_breach() -> None:
    assert not [*breaches(doors().routes, THINGS)]


def test_a_plain_route_that_slipped_in_is_found() -> None:
    router = APIRouter()

    @router.get("/v1/things")
    async def things() -> dict[str, str]:
        return {}

    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert [*breaches([route], THINGS)] == ["GET /v1/things: not a door of ours, nobody is asked for a token"]
    # The app makes a door of it, with a token and without scopes: that is found as well.
    assert [*breaches([as_door(route)], THINGS)] == ["GET /v1/things: any token opens it; which scopes?"]


def test_a_route_below_the_framework_is_found() -> None:
    async def things(request: Request) -> Any:
        return request

    assert "not a door of ours" in next(breaches([Route("/v1/things", things)], THINGS))


def test_a_door_open_to_everybody_is_found() -> None:
    made = Doors()

    @made.open("/v1/things")
    async def things() -> dict[str, str]:
        return {}

    assert [*breaches(made.routes, THINGS)] == [
        "GET /v1/things: open to everybody, and not in the list of those that are"
    ]


def test_a_scope_that_nobody_can_hold_is_found() -> None:
    assert "no such scope: things:read" in next(breaches(doors(scope="things:read").routes, THINGS))


def test_a_door_that_never_asks_is_found() -> None:
    assert [*breaches(doors(asking=False).routes, THINGS)] == [
        "GET /v1/things: the code behind it never asks `authorize`"
    ]


def test_a_door_of_which_nothing_is_said_is_found_and_so_is_a_word_on_no_door() -> None:
    assert [*breaches(doors().routes, {"GET /v1/others": ("see", "others")})] == [
        "GET /v1/things: access.py does not say what is asked behind it",
        "GET /v1/others: in access.py, and no door",
    ]


@pytest.mark.parametrize("service", services(), ids=lambda one: one.name)
def test_every_service_passes_and_would_not_if_it_stopped_asking(service: Any) -> None:
    table, routes = asked(service.package), app(service.name).routes
    assert not [*breaches(routes, table)]
    some = next(door for door, (action, _) in table.items() if action != NOTHING)
    assert [*breaches([route for route in routes if name(route) != some], table)] == [
        f"{some}: in access.py, and no door"
    ]
    own = [route for route in routes if table.get(name(route), (NOTHING,))[0] == NOTHING and name(route) in BELTS]
    assert not any(reaches(route.endpoint) for route in own), "what asks nothing holds nothing that asks"  # type: ignore[attr-defined]
