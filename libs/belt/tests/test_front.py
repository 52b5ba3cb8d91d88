"""The short way of commands leads where the router would, and the quick look at a body lets nothing pass."""

import json
from pathlib import Path
from typing import Any

import pytest
from doorways import Place
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from belt.core.decider import Refused
from belt.core.ids import NAMESPACE, derived
from belt.io.http.body import _plainly_strict, strict_json
from belt.io.http.doors import Door, Doors
from belt.io.http.front import Ways


def scope(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}


def by_the_router(doors: list[Door], asked: Scope) -> tuple[str, dict[str, Any]] | None:
    for door in doors:
        match, child = door.matches(asked)
        if match is Match.FULL:
            return door.endpoint.__name__, child["path_params"]
    return None


def by_the_short_way(doors: list[Door], asked: Scope) -> tuple[str, dict[str, Any]] | None:
    return (asked["route"].endpoint.__name__, asked["path_params"]) if Ways(doors).to(asked) is not None else None


def overlapping() -> list[Door]:
    doors = Doors()

    def add(path: str, name: str, method: str = "POST") -> None:
        async def endpoint(**_: str) -> Response:
            return Response()

        async def one(thing: str) -> Response:
            return await endpoint(thing=thing)

        async def none() -> Response:
            return await endpoint()

        made = one if "{thing" in path else none
        made.__name__ = name
        doors.command(path, "deals:write", reply=None, method=method)(made)

    add("/v1/things", "all")
    add("/v1/things/{thing}", "first_by_name")
    add("/v1/things/bulk", "never_reached")
    add("/v1/others/bulk", "bulk_first")
    add("/v1/others/{thing}", "other")
    add("/v1/others/{thing}/turn", "turn")
    add("/v1/others/{thing}/turn", "put", "PUT")
    add("/v1/others/none/turn", "hidden_by_the_one_with_a_name")
    return [door for door in doors.routes if isinstance(door, Door)]


PATHS = (
    *("/v1/things", "/v1/things/", "/v1/things/a", "/v1/things/bulk", "/v1/others/bulk", "/v1/others/a"),
    *("/v1/others/a/turn", "/v1/others/none/turn", "/v1/others//turn", "/v1/others/a/turn/", "/v1/nothing", "/", ""),
)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_of_several_doors_the_short_way_takes_the_one_that_the_router_takes(method: str, path: str) -> None:
    doors = overlapping()
    assert by_the_short_way(doors, scope(method, path)) == by_the_router(doors, scope(method, path))


def test_parts_of_the_path_are_converted_and_what_is_for_looking_is_the_routers(tmp_path: Path) -> None:
    doors: list[Door] = Place(tmp_path).app.doors()  # type: ignore[attr-defined]
    for method, path in (("POST", "/v1/things/a b/turn"), ("POST", "/v1/things/7/bump"), ("POST", "/v1/turns/bulk")):
        assert by_the_short_way(doors, scope(method, path)) == by_the_router(doors, scope(method, path))
    assert by_the_short_way(doors, scope("GET", "/v1/things")) is None
    assert by_the_short_way(doors, {**scope("POST", "/v1/things/7/bump"), "root_path": "/behind"}) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values | st.just({"a": {"a": 1}}))
def test_a_body_that_the_quick_look_lets_pass_is_strict(value: Any) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if _plainly_strict(raw):
        strict_json(raw)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=4))
@example([("a", 1), ("a", 2)])
def test_the_quick_look_misses_no_name_that_is_there_twice(pairs: list[tuple[str, int]]) -> None:
    raw = "{" + ",".join(f'"{name}":{number}' for name, number in pairs) + "}"
    nested = f'{{"x":[{raw}]}}'
    assert _plainly_strict(raw.encode()) == (len(dict(pairs)) == len(pairs))
    assert _plainly_strict(nested.encode()) == (len(dict(pairs)) == len(pairs))


@pytest.mark.parametrize(
    "raw", [b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\xff"}', b'{"a":1} x', b"[" * 33 + b"]" * 33, b""]
)
def test_the_quick_look_leaves_what_is_wrong_to_the_long_one(raw: bytes) -> None:
    assert not _plainly_strict(raw)
    with pytest.raises(Refused):
        strict_json(raw)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_derived_ids_are_those_of_the_standard_library(parts: list[str]) -> None:
    from uuid import uuid5

    try:
        "".join(parts).encode()
    except UnicodeEncodeError:
        return
    assert derived(*parts) == str(uuid5(NAMESPACE, "\x1f".join(parts)))
