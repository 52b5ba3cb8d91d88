"""What in a new OpenAPI document breaks those who rely on the released one: one line for each break.

Additions are free: doors, optional fields and parameters, fields in answers, further scopes that open a door, codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.openapi.schemas import Comparison

Document = Mapping[str, Any]
Operation = Mapping[str, Any]


def breaks(released: Document, current: Document) -> Iterator[str]:
    """Compares two whole documents."""
    compare = Comparison(_schemas(released), _schemas(current))
    for path, methods in released["paths"].items():
        for method, was in methods.items():
            at = f"{method.upper()} {path}"
            is_now = current["paths"].get(path, {}).get(method)
            if is_now is None:
                yield f"{at}: is gone"
                continue
            if was["operationId"] != is_now["operationId"]:
                yield f"{at}: operationId was {was['operationId']}, is {is_now['operationId']}"
            yield from _scopes(was, is_now, at)
            yield from _parameters(was, is_now, compare, at)
            yield from _body(was, is_now, compare, at)
            yield from _answers(was, is_now, compare, at)
    problem = _schemas(released).get("Problem")
    if problem is not None:
        yield from compare.breaks(problem, _schemas(current).get("Problem", {}), "answer", "problems")


def _schemas(document: Document) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
    return found


def _scopes(was: Operation, is_now: Operation, at: str) -> Iterator[str]:
    """Whoever could open the door still can."""
    asks = [_needs(one) for one in is_now["security"]]
    if not asks:
        return
    if not was["security"]:
        yield f"{at}: needs a token now"
    for one in was["security"]:
        if not any(needed <= _needs(one) for needed in asks):
            yield f"{at}: {' and '.join(sorted(map(str, _needs(one))))} no longer opens it"


def _needs(requirement: Mapping[str, list[str]]) -> set[str]:
    return {scope for scopes in requirement.values() for scope in scopes}


def _parameters(was: Operation, is_now: Operation, compare: Comparison, at: str) -> Iterator[str]:
    before, after = _by_place(was), _by_place(is_now)
    yield from (f"{at}: {name} in {place} is gone" for place, name in sorted(before.keys() - after.keys()))
    for (place, name), told in after.items():
        old = before.get((place, name))
        if told.get("required") and not (old or {}).get("required"):
            yield f"{at}: {name} in {place} must be given now"
        if old is not None:
            yield from compare.breaks(old["schema"], told["schema"], "request", f"{at}: {name} in {place}")


def _by_place(operation: Operation) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(one["in"], one["name"].lower()): one for one in operation.get("parameters", ())}


def _body(was: Operation, is_now: Operation, compare: Comparison, at: str) -> Iterator[str]:
    before, after = was.get("requestBody", {}), is_now.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield f"{at}: a body must be given now"
    taken, takes = before.get("content", {}), after.get("content", {})
    for media, told in taken.items():
        if media not in takes:
            yield f"{at}: {media} is no longer taken"
        else:
            yield from compare.breaks(told["schema"], takes[media]["schema"], "request", f"{at}: body")


def _answers(was: Operation, is_now: Operation, compare: Comparison, at: str) -> Iterator[str]:
    for status, old in was["responses"].items():
        if not status.startswith("2"):
            continue
        new = is_now["responses"].get(status)
        if new is None:
            yield f"{at}: answers {status} no more"
            continue
        headers = old.get("headers", {}).keys() - new.get("headers", {}).keys()
        yield from (f"{at}: {status} has no {name} any more" for name in sorted(headers))
        for media, told in old.get("content", {}).items():
            now = new.get("content", {}).get(media)
            if now is None:
                yield f"{at}: {status} has no {media} any more"
            else:
                yield from compare.breaks(told["schema"], now["schema"], "answer", f"{at}: {status}")
