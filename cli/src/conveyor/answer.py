"""What a service answered: a document, a refusal, or when to come again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conveyor.exits import Problem


@dataclass(frozen=True)
class Answer:
    """What a service said."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def checked(answer: Answer) -> Answer:
    """The same, if it is a yes. Raises Problem."""
    if 200 <= answer.status < 300:
        return answer
    raise problem(answer)


def problem(answer: Answer) -> Problem:
    """A refusal as the service said it; an answer that is no problem+json is shown as it came."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "code" not in body:
        return Problem(answer.status, "no-problem-json", answer.content[:200].decode(errors="replace"))
    detail = str(body.get("detail") or body.get("title") or "")
    wrong = [f"{one.get('pointer') or '/'}: {one.get('detail')}" for one in body.get("errors") or ()]
    return Problem(answer.status, str(body["code"]), f"{detail} ({'; '.join(wrong)})" if wrong else detail, body)


def document(answer: Answer) -> dict[str, Any]:
    """The one object that it is. Raises Problem."""
    found = answer.json()
    if not isinstance(found, dict):
        raise Problem(answer.status, "no-object", "the answer is not an object")
    return found


def retry_after(answer: Answer) -> float | None:
    """In how many seconds it wants to be asked again, if it says so."""
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdigit() else None
