"""Who does it, and when: the same for every command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from belt.io.http.body import BaseBody
from belt.io.http.desk import Desk


@dataclass(frozen=True)
class Acting:
    """`at` is business time, `now` the clock; `manager`: the token may act for lines that `by` manages."""

    by: str
    at: datetime
    now: datetime
    manager: bool


def acting(desk: Desk, request: Request, body: BaseBody) -> Acting:
    subject = desk.subject(request)
    return Acting(
        by=desk.who(subject, body.by),
        at=desk.when(subject, body.occurred_at),
        now=desk.clock.now(),
        manager=subject.may("manager"),
    )
