"""One request of one viewer: who it is, in which language, what may be asked, and how a page is made of it.

Every form carries the session's proof, and must come from a page of ours: another site can neither know nor forge it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from belt.io.store.public_log import Pool
from board.apis import Apis, Asked
from board.kept import Kept
from board.now import Now
from board.projection import announce
from board.pulse import Pulse
from board.reading import Picture
from board.sessions import Sessions, Viewer
from board.settings import BoardSettings
from board.sight import Seen, Sight
from board.signin import SignIn, local
from board.waiting import Looks
from board.words import LANGUAGES, Words, preferred

MOST_FORM = 64 * 1024
LANGUAGE_COOKIE = "language"
ERRAND_COOKIE = "errand"
FORM = "application/x-www-form-urlencoded"
WRITTEN = ("text", "reason", "document")
"""Fields of forms that hold somebody's own words."""


@cache
def static(name: str) -> bytes:
    """A file of ours that browsers are given."""
    return files("board").joinpath("static", name).read_bytes()


@cache
def file_address(name: str) -> str:
    """Its address, which changes with what is in it."""
    return f"/static/{name}?v={hashlib.sha256(static(name)).hexdigest()[:12]}"


@cache
def environment() -> Environment:
    """The templates: everything is escaped, and a name that is not given is a fault."""
    made = Environment(
        loader=PackageLoader("board"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["file"] = file_address
    made.globals["languages"] = LANGUAGES
    return made


@dataclass(frozen=True)
class Hall:
    """What every page stands on. One per process."""

    settings: BoardSettings
    pool: Pool
    apis: Apis
    sight: Sight
    sessions: Sessions
    sign_in: SignIn
    pulse: Pulse
    now: Now
    looks: Looks
    pictures: Kept[Picture] = field(default_factory=Kept)
    parts: Kept[str] = field(default_factory=Kept)
    pages: Environment = field(default_factory=environment)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.zone)

    @property
    def session_cookie(self) -> str:
        return "__Host-board" if self.settings.secure else "board"


class SignInNeeded(Exception):
    """Nobody is signed in; afterwards they go to `then`."""

    def __init__(self, then: str) -> None:
        super().__init__(then)
        self.then = then


class Forged(Exception):
    """A form that was not sent from a page of ours by this viewer."""


class Outdated(Forged):
    """A form of a page that an earlier session was shown; `given` is what was filled in."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__("the form does not carry the session's proof")
        self.given = given


@dataclass(frozen=True)
class Guest:
    """Somebody who may not be signed in: a language and nothing else."""

    hall: Hall
    request: Request

    @property
    def words(self) -> Words:
        chosen = self.request.cookies.get(LANGUAGE_COOKIE, "")
        language = chosen if chosen in LANGUAGES else preferred(self.request.headers.get("accept-language", ""))
        return Words(language, self.hall.zone)

    def page(self, template: str, status: int = 200, **given: Any) -> Response:
        """The page; `t` writes its texts and figures."""
        words = self.words
        shown = self.hall.pages.get_template(template).render(
            t=words, viewer=None, here=self.request.url.path, address=self._address(), **given
        )
        headers = {"content-language": words.language, "vary": "cookie, accept-language"}
        return HTMLResponse(shown, status, headers)

    def _address(self) -> str:
        """Where this page is to be had again."""
        if self.request.method != "GET":
            return came_from(self.request)
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Visit(Guest):
    """Somebody who is signed in."""

    viewer: Viewer

    @property
    def person(self) -> str:
        return self.viewer.person

    @property
    def asked(self) -> Asked:
        """The services, with the viewer's own token."""
        return self.hall.apis.by(self.viewer.token)

    async def seen(self) -> Seen:
        """What of the board's own picture this viewer may see."""
        return await self.hall.sight.of(self.person, self.viewer.token, self.asked)

    async def still_here(self) -> bool:
        """Whether the session goes on: it may have been ended in another window."""
        return await self.hall.sessions.find(self.request.cookies[self.hall.session_cookie]) is not None

    async def now(self) -> datetime:
        return await self.hall.now()

    async def announce(self, *people: str) -> None:
        """What this viewer has just done concerns these people: their open pages are told."""
        await announce(self.hall.pool, (), people)

    def text(self, template: str, **given: Any) -> str:
        """What the template makes of it, in the viewer's language."""
        return self.hall.pages.get_template(template).render(
            t=self.words, viewer=self.viewer, here=self.request.url.path, address=self._address(), **given
        )

    def page(self, template: str, status: int = 200, **given: Any) -> Response:
        words, shown = self.words, self.text(template, **given)
        headers = {"content-language": words.language, "vary": "cookie, accept-language"}
        return HTMLResponse(shown, status, headers)

    async def form(self) -> Mapping[str, str]:
        """What the viewer sent from a page of ours. Raises Forged."""
        given = await read_form(self.request)
        check_origin(self.request, self.hall.settings.public_address)
        if not secrets.compare_digest(given.get("proof", "").encode(), self.viewer.proof.encode()):
            raise Outdated(given)
        return given

    def unsent(self, given: Mapping[str, str], why: str, status: int) -> Response:
        """What was filled in, to be sent again; by the same key, so that what was done after all is done once."""
        kept = {name: value for name, value in given.items() if name != "proof"}
        return self.page("kept.html", status, why=why, given=kept, written=WRITTEN, then=came_from(self.request))


def wrote(given: Mapping[str, str]) -> bool:
    """Whether somebody has put words into the form, which they would have to find again."""
    return any(given.get(name, "").strip() for name in WRITTEN)


def came_from(request: Request) -> str:
    """The page on which a form stood, or a part that is asked for by itself; the landing page if nobody says."""
    told = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer") or "/")
    return local(f"{told.path or '/'}{'?' if told.query else ''}{told.query}")


def check_origin(request: Request, ours: str) -> None:
    """Browsers say where a form comes from; where they say it, it must be here. Raises Forged."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None and origin != ours:
        raise Forged("the form was sent from another site")
    if site not in (None, "same-origin", "none"):
        raise Forged("the form was sent from another site")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, of a modest size. Raises Forged."""
    if request.headers.get("content-type", "").partition(";")[0] != FORM:
        raise Forged("not a form of ours")
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_FORM:
            raise Forged("too large for a form of ours")
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


async def visit(request: Request) -> Visit:
    """Who is asking (a dependency of every page). Raises SignInNeeded."""
    hall: Hall = request.app.state.hall
    name = request.cookies.get(hall.session_cookie)
    viewer = await hall.sessions.find(name) if name else None
    if viewer is None:
        query = request.url.query
        raise SignInNeeded(request.url.path + (f"?{query}" if query else ""))
    return Visit(hall, request, viewer)


def guest(request: Request) -> Guest:
    return Guest(request.app.state.hall, request)


async def to_sign_in(request: Request, needed: SignInNeeded) -> Response:
    """To the issuer and back to the page; a part of it that is asked for by itself sends the whole page there.

    A stream sends nobody anywhere: it would begin an errand that no browser goes on. And who wrote something keeps it.
    """
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=401)
    part = bool(request.headers.get("hx-request"))
    then = came_from(request) if part or request.method != "GET" else needed.then
    way = f"/sign-in?then={quote(then)}"
    if part:
        return Response(status_code=401, headers={"hx-redirect": way})
    if request.method == "POST" and request.headers.get("content-type", "").partition(";")[0] == FORM:
        given, who = await read_form(request), guest(request)
        check_origin(request, who.hall.settings.public_address)
        if wrote(given):
            return who.page("kept.html", 401, why="ended", given=given, written=WRITTEN, then=then)
    return RedirectResponse(way, 303)
