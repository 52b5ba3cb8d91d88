"""Statements to print and to calculate with: the same rights as for the statement itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from compensation.api.sheets import kept
from compensation.api.shown import SUMS
from compensation.api.sight import Sights
from compensation.api.statements import KnownAt, seen
from compensation.clerk.books import Books
from compensation.paper import Language, pdf, sheet

AT_ONCE = 2
WAITING = 16
SECONDS = 10.0
MOST_LINES = 5_000
T = TypeVar("T")


class Pdf(Response):
    media_type = "application/pdf"


class Csv(Response):
    media_type = "text/csv"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters")
    return text


Called = Annotated[
    str | None,
    Query(max_length=200, description="the person's name as printed; kept nowhere"),
    AfterValidator(_printable),
]
In = Annotated[Language, Query(description="the language of the page")]


class Press:
    """Few hands print, a short queue waits, and nobody waits longer than the deadline."""

    def __init__(self) -> None:
        self._hands = ThreadPoolExecutor(AT_ONCE, "press")
        self._taken = 0

    async def make(self, work: Callable[[], T]) -> T:
        """Beside the event loop. A page that is being set cannot be stopped: it keeps its hand until it is done."""
        if self._taken >= AT_ONCE + WAITING:
            raise Refused("overloaded")
        self._taken += 1
        printing = self._hands.submit(work)
        loop = asyncio.get_running_loop()
        printing.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(printing), SECONDS)
        except TimeoutError:
            raise Refused("deadline-exceeded") from None

    @property
    def busy(self) -> bool:
        return self._taken > 0

    def _free(self) -> None:
        self._taken -= 1


def add(doors: Doors, desk: Desk, books: Books, sights: Sights) -> None:
    press = Press()

    @doors.query("/v1/statements/{person}/{period}.pdf", *SUMS, reply=None, response_class=Pdf, responses=_file(Pdf))
    async def printed(
        request: Request,
        person: str,
        period: str,
        known_at: KnownAt = None,
        lang: In = Language.EN,
        name: Called = None,
    ) -> Response:
        """The statement to print, in English or Russian; the same statement gives the same bytes."""
        found = await seen(request, books, sights, person, period, known_at)
        if len(found.lines) + len(found.related) > MOST_LINES:
            raise Refused("statement.too-long", lines=len(found.lines), most=MOST_LINES)
        frozen = await kept(desk, person, period) if known_at is None else None
        digest = frozen["digest"] if frozen is not None else None
        work = partial(pdf, found, books.zone, lang, name=name, digest=digest)
        return Pdf(await press.make(work), headers=_named(f"{period}.pdf"))

    @doors.query("/v1/statements/{person}/{period}.csv", *SUMS, reply=None, response_class=Csv, responses=_file(Csv))
    async def tabled(request: Request, person: str, period: str, known_at: KnownAt = None) -> Response:
        """The lines of the statement as CSV; texts that look like formulas are made harmless."""
        found = await seen(request, books, sights, person, period, known_at)
        return Csv(await press.make(partial(sheet, found)), headers=_named(f"{period}.csv"))


def _file(kind: type[Response]) -> dict[int | str, Any]:
    schema = {"type": "string", "format": "binary"} if kind is Pdf else {"type": "string"}
    return {200: {"description": "The file", "content": {str(kind.media_type): {"schema": schema}}}}


def _named(file: str) -> dict[str, str]:
    """The name to save it under: a month that was read, and nothing that anybody typed."""
    return {"content-disposition": f'attachment; filename="statement-{file}"', "cache-control": "no-store"}
