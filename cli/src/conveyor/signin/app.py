"""The doors of the sign-in: discovery, keys, authorize and pick, token, userinfo, logout.

Small enough to be our own: one flow, no secrets, no storage. Each way to misuse it has a test (test_signin.py).
Only this machine is answered, under its own names: a page elsewhere that resolves to us is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from conveyor.exits import Trouble
from conveyor.signin import page
from conveyor.signin.asking import SCOPES, Asked, Faulty, Pairs, Unanswerable, answer, asked, wished
from conveyor.signin.clients import LOOPBACK, Client
from conveyor.signin.exchange import Grant, granted
from conveyor.signin.once import Once
from conveyor.signin.people import OFFICE, Person
from conveyor_events.scopes import scopes_of

PICK_SECONDS, CODE_SECONDS, ID_SECONDS = 600.0, 60.0, 600
TOKEN_SECONDS = 12 * 3_600
MAX_BODY = 16 * 1024
FORM = "application/x-www-form-urlencoded"
UNSTORED = {"cache-control": "no-store", "pragma": "no-cache"}
GUARDS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "

People = Callable[[], Awaitable[list[Person]]]


@dataclass(frozen=True)
class Begun:
    """A sign-in that waits for somebody to pick, and who was shown."""

    asked: Asked
    shown: Mapping[str, Person]


class SignIn:
    """One sign-in server: its name, its key, who may ask, and who can be picked."""

    def __init__(
        self,
        address: str,
        issuer: DevelopmentIssuer,
        clients: Mapping[str, Client],
        people: People,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address, self.issuer, self.clients, self.people = address, issuer, clients, people
        self._begun: Once[Begun] = Once(PICK_SECONDS, now=now)
        self._codes: Once[Grant] = Once(CODE_SECONDS, now=now)

    def app(self) -> Starlette:
        routes = [
            Route("/", self.about),
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/jwks", self.jwks),
            Route("/authorize", self.authorize),
            Route(page.PICK_PATH, self.pick, methods=["POST"]),
            Route(page.STYLE_PATH, self.style),
            Route("/token", self.token, methods=["POST"]),
            Route("/userinfo", self.userinfo, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["GET", "POST"]),
        ]
        return Starlette(
            routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=sorted(LOOPBACK - {"::1"}))]
        )

    async def about(self, _request: Request) -> Response:
        return _page(page.told("Sign-in of a development machine", "Open the application: it leads here and back."))

    async def style(self, _request: Request) -> Response:
        return Response(page.STYLE, media_type="text/css", headers=GUARDS | {"cache-control": "public, max-age=3600"})

    async def discovery(self, _request: Request) -> Response:
        """OpenID Connect Discovery 1.0."""
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "userinfo_endpoint": f"{self.address}/userinfo",
                "jwks_uri": f"{self.address}/jwks",
                "end_session_endpoint": f"{self.address}/logout",
                "scopes_supported": list(SCOPES),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA"],
                "token_endpoint_auth_methods_supported": ["none"],
                "code_challenge_methods_supported": ["S256"],
                "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "roles"],
                "authorization_response_iss_parameter_supported": True,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
            }
        )

    async def jwks(self, _request: Request) -> Response:
        return Response(self.issuer.jwks.read_bytes(), media_type="application/jwk-set+json")

    async def authorize(self, request: Request) -> Response:
        """Shows who can be picked, to whoever was sent here by an application with a request in order."""
        pairs = request.query_params.multi_items()
        try:
            wish = wished(pairs, self.clients)
        except Unanswerable as why:
            return _page(page.told("This sign-in cannot go on", f"{why}."), status=400)
        try:
            return await self._shown(asked(pairs, wish))
        except Faulty as fault:
            to = answer(wish, self.address, error=fault.error, error_description=fault.why)
            return RedirectResponse(to, status_code=303, headers=GUARDS | UNSTORED)

    async def pick(self, request: Request) -> Response:
        """Somebody was picked: back to the application, with a code. Only a page that we have shown leads here."""
        pairs = await _form(request)
        begun = self._begun.take(_one(pairs, "ticket") or "") if pairs is not None else None
        if pairs is None or begun is None:
            why = "It was used already, or begun too long ago. Begin again at the application."
            return _page(page.told("This sign-in cannot go on", why), status=400)
        try:
            person = _picked(pairs, begun.shown)
        except ValueError as wrong:
            return await self._shown(begun.asked, str(wrong), status=400)
        code = self._codes.put(Grant(begun.asked, person, int(time.time())))
        return RedirectResponse(
            answer(begun.asked.wish, self.address, code=code), status_code=303, headers=GUARDS | UNSTORED
        )

    async def token(self, request: Request) -> Response:
        """A code for an access token, which opens the services' doors, and an ID token, which says who was picked."""
        basic = {"www-authenticate": "Basic"} if "authorization" in request.headers else {}
        try:
            if basic:
                raise Faulty("invalid_client", "clients here have no secret")
            pairs = await _form(request)
            if pairs is None:
                raise Faulty("invalid_request", f"a body of type {FORM} is needed, of at most {MAX_BODY} bytes")
            grant = granted(pairs, self.clients, self._codes.take)
        except Faulty as fault:
            status = 401 if fault.error == "invalid_client" else 400
            told = {"error": fault.error, "error_description": fault.why}
            return JSONResponse(told, status_code=status, headers=UNSTORED | basic)
        return JSONResponse(self._tokens(grant), headers=UNSTORED)

    async def userinfo(self, request: Request) -> Response:
        """Who the bearer of an access token is."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        keys = jwt.PyJWKSet.from_dict(json.loads(self.issuer.jwks.read_bytes()))
        try:
            said = jwt.decode(token, keys.keys[0], algorithms=["EdDSA"], audience=AUDIENCE, issuer=DEV_ISSUER)
        except jwt.PyJWTError:
            return Response(status_code=401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
        return JSONResponse({name: said[name] for name in ("sub", "name", "roles") if name in said}, headers=UNSTORED)

    async def logout(self, request: Request) -> Response:
        """Nobody is signed in here, so nothing ends here; an application's own page is led back to."""
        pairs = request.query_params.multi_items() if request.method == "GET" else await _form(request) or []
        client = self.clients.get(_one(pairs, "client_id") or _audience(_one(pairs, "id_token_hint")))
        wanted = _one(pairs, "post_logout_redirect_uri")
        if client is None or wanted is None or wanted not in client.after_logout:
            return _page(page.told("Signed out", "The application has forgotten you; there is nothing to forget here."))
        state = _one(pairs, "state")
        joint = "&" if "?" in wanted else "?"
        return RedirectResponse(wanted + (joint + urlencode({"state": state}) if state else ""), status_code=303)

    async def _shown(self, what: Asked, trouble: str | None = None, status: int = 200) -> Response:
        try:
            line = await self.people()
        except Trouble as why:
            line, trouble = [], trouble or f"Nobody of the line is listed: {why}"
        shown = {person.id: person for person in (*OFFICE, *line)}
        ticket = self._begun.put(Begun(what, shown))
        client = what.wish.client
        return _page(page.picking(client.id, ticket, line, trouble), status=status, to=client.origins)

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        person, request = grant.person, grant.asked
        who = {"name": person.id, "roles": list(person.roles)}
        now = int(time.time())
        said = {
            "iss": self.address,
            "aud": request.wish.client.id,
            "sub": person.id,
            "iat": now,
            "exp": now + ID_SECONDS,
            "auth_time": grant.at,
            **({} if request.nonce is None else {"nonce": request.nonce}),
            **who,
        }
        return {
            "access_token": self.issuer.issue(person.id, roles=person.roles, ttl=TOKEN_SECONDS, claims=who),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join((*SCOPES, *sorted(scopes_of(*person.roles)))),
            "id_token": self.issuer.sign(said),
        }


def _picked(pairs: Pairs, shown: Mapping[str, Person]) -> Person:
    """One of those who were shown, or anybody with a name and roles."""
    chosen = _one(pairs, "person")
    if chosen is not None:
        if chosen not in shown:
            raise ValueError("nobody of this id was shown")
        return shown[chosen]
    roles = dict.fromkeys(value for name, value in pairs if name == "role")
    return Person((_one(pairs, "name") or "").strip(), tuple(roles))


def _one(pairs: Pairs, name: str) -> str | None:
    found = [value for key, value in pairs if key == name]
    return found[0] if len(found) == 1 else None


async def _form(request: Request) -> Pairs | None:
    """The fields of a form; None if it is none, or too large to be one of ours."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    try:
        return parse_qsl(bytes(body).decode("ascii"), keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None


def _audience(id_token: str | None) -> str:
    """For whom an ID token was made. It opens nothing, so it may be old; what it names is looked up."""
    try:
        said = jwt.decode(id_token or "", options={"verify_signature": False})
    except jwt.PyJWTError:
        return ""
    return str(said.get("aud", ""))


def _page(text: str, *, status: int = 200, to: tuple[str, ...] = ()) -> Response:
    """A page; `to`: the origins that its form may lead to in the end."""
    policy = POLICY + " ".join(("'self'", *to) if to else ("'none'",))
    return HTMLResponse(text, status_code=status, headers=GUARDS | UNSTORED | {"content-security-policy": policy})
