"""Sign-in, sign-out, the language, and the files that pages use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from board.signin import MINUTES, WAY, SignInFailed, local, named
from board.visit import (
    ERRAND_COOKIE,
    LANGUAGE_COOKIE,
    Guest,
    Visit,
    check_origin,
    file_address,
    guest,
    read_form,
    static,
    visit,
)
from board.words import LANGUAGES

KINDS = {
    "board.css": "text/css; charset=utf-8",
    "board.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "sse.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
YEAR = 365 * 86_400
IMMUTABLE = f"public, max-age={YEAR}, immutable"
Then = Annotated[str, Query(max_length=500)]

routes = APIRouter()


@routes.get("/sign-in")
async def sign_in(who: Annotated[Guest, Depends(guest)], then: Then = "/") -> Response:
    """Sends the browser to the issuer."""
    try:
        address, name, errand = await who.hall.sign_in.begin(local(then))
    except SignInFailed as failed:
        return who.page("sign_in.html", 503, why=failed.why, then=local(then))
    answer = RedirectResponse(address, 303)
    _cookie(answer, who, f"{ERRAND_COOKIE}-{name}", errand.hex(), MINUTES * 60, WAY)
    return answer


@routes.get(WAY)
async def back(request: Request, who: Annotated[Guest, Depends(guest)]) -> Response:
    """The browser comes back from the issuer, with a code."""
    hall, errand = who.hall, f"{ERRAND_COOKIE}-{named(request.query_params.get('state', ''))}"
    try:
        sealed = bytes.fromhex(request.cookies.get(errand, ""))
        done = await hall.sign_in.finish(sealed, dict(request.query_params))
    except (SignInFailed, ValueError) as failed:
        why = failed.why if isinstance(failed, SignInFailed) else "late"
        page = who.page("sign_in.html", 400, why=why, then="/")
        page.delete_cookie(errand, WAY)
        return page
    proof, before = None, request.cookies.get(hall.session_cookie)
    if before:
        earlier = await hall.sessions.find(before)
        if earlier is not None and earlier.person == done.subject.person:
            proof = earlier.proof  # what they have open in other windows goes on
        await hall.sessions.end(before)
    name = await hall.sessions.begin(
        done.subject.person, done.name, done.token, done.subject.scopes, done.seconds, proof
    )
    answer = RedirectResponse(done.then, 303)
    answer.delete_cookie(errand, WAY)
    _cookie(answer, who, hall.session_cookie, name, int(done.seconds))
    return answer


@routes.post("/sign-out")
async def sign_out(request: Request, who: Annotated[Visit, Depends(visit)]) -> Response:
    """Ends the session, here and in the database."""
    await who.form()
    await who.hall.sessions.end(request.cookies[who.hall.session_cookie])
    await who.announce(who.person)  # pages that are open in other windows
    answer = RedirectResponse("/signed-out", 303)
    answer.delete_cookie(who.hall.session_cookie, secure=who.hall.settings.secure, httponly=True, samesite="lax")
    return answer


@routes.get("/signed-out")
async def signed_out(who: Annotated[Guest, Depends(guest)]) -> Response:
    return who.page("sign_in.html", why="signed_out", then="/")


@routes.post("/language")
async def language(request: Request, who: Annotated[Guest, Depends(guest)]) -> Response:
    """Remembers the language. It is nobody's secret, so it needs no session; only a page of ours may set it."""
    given = await read_form(request)
    check_origin(request, who.hall.settings.public_address)
    answer = RedirectResponse(local(given.get("then", "/")), 303)
    if given.get("language") in LANGUAGES:
        _cookie(answer, who, LANGUAGE_COOKIE, given["language"], YEAR)
    return answer


@routes.get("/static/{name}")
async def part(name: str, v: str = "") -> Response:
    """A file that pages use; the address changes with what is in it, so it may be kept for ever."""
    if name not in KINDS:
        return Response(status_code=404)
    kept = IMMUTABLE if file_address(name).endswith(f"?v={v}") and v else "no-cache"
    return Response(static(name), media_type=KINDS[name], headers={"cache-control": kept})


def _cookie(answer: Response, who: Guest, name: str, value: str, seconds: int, path: str = "/") -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path=path, secure=who.hall.settings.secure, httponly=True, samesite="lax"
    )
