"""Sign-in at any OpenID Connect issuer: authorization code flow with PKCE (authlib), then a session of our own.

What a browser carries between going and coming back is sealed in a cookie of ten minutes: state, nonce and the code's
verifier. The access token is verified as every service verifies it; that is what makes somebody a viewer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import httpx2
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.http.auth import ALGORITHMS, Verifier
from belt.io.http.keyset import KeySet, KeysUnavailable
from board.sessions import Seal
from board.settings import BoardSettings

WAY = "/signin/callback"
MINUTES = 10
FRESH_FOR = 600.0
DEADLINE = 8.0
LEEWAY = 10
ENDPOINTS = ("authorization_endpoint", "token_endpoint")


class SignInFailed(Exception):
    """Nobody was signed in; `why` names a text for the person."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Errand:
    """Somebody on the way to the issuer, and the page they wanted."""

    state: str
    nonce: str
    verifier: str
    then: str
    until: float


@dataclass(frozen=True)
class SignedIn:
    subject: Subject
    name: str
    token: str
    seconds: float
    then: str


class SignIn:
    def __init__(self, settings: BoardSettings, verifier: Verifier, keys: KeySet) -> None:
        self._settings, self._verifier, self._keys = settings, verifier, keys
        self._seal = Seal(settings.sealing_key, "errands")
        self._known: tuple[float, dict[str, Any]] = (0.0, {})

    async def begin(self, then: str) -> tuple[str, str, bytes]:
        """Where the browser goes, the name of this errand, and what the browser carries there and back, sealed."""
        places = await self._discovered()
        state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        errand = Errand(state, nonce, verifier, then, _soon())
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                places["authorization_endpoint"],
                state=errand.state,
                nonce=errand.nonce,
                code_verifier=errand.verifier,
            )
        return str(address), named(errand.state), self._seal.close(json.dumps(asdict(errand)))

    async def finish(self, sealed: bytes, given: dict[str, str]) -> SignedIn:
        """Who came back. Raises SignInFailed."""
        errand = self._errand(sealed)
        if not secrets.compare_digest(given.get("state", "").encode(), errand.state.encode()):
            raise SignInFailed("state")
        places = await self._discovered()
        if given.get("iss", places["issuer"]) != places["issuer"]:
            raise SignInFailed("state")  # another issuer's answer (RFC 9207)
        if "code" not in given or "error" in given:
            raise SignInFailed("refused")
        told = await self._exchanged(given["code"], errand.verifier)
        try:
            token = str(told["access_token"])
            subject = await self._verifier.verify(token)
            name = await self._named(str(told["id_token"]), subject, errand.nonce)
        except (KeyError, Refused, jwt.PyJWTError, KeysUnavailable) as wrong:
            raise SignInFailed("token") from wrong
        return SignedIn(subject, name, token, self._verifier.rest(token), errand.then)

    def _errand(self, sealed: bytes) -> Errand:
        opened = self._seal.open(sealed)
        errand = Errand(**json.loads(opened)) if opened is not None else None
        if errand is None or errand.until < time.time():
            raise SignInFailed("late")
        return errand

    async def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        places = await self._discovered()
        try:
            async with self._client() as client:
                told = await client.fetch_token(
                    places["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
                )
        except (httpx2.HTTPError, AuthlibBaseError, ValueError) as wrong:
            raise SignInFailed("exchange") from wrong
        return dict(told)

    async def _named(self, id_token: str, subject: Subject, nonce: str) -> str:
        """The person's name. The ID token must be the issuer's, for us, of this errand and of the same person.

        Raises PyJWTError.
        """
        head = jwt.get_unverified_header(id_token)
        key = await self._keys.find(str(head.get("kid")))
        if key is None or head.get("alg") != key.algorithm or key.algorithm not in ALGORITHMS:
            raise jwt.InvalidTokenError("no such key")
        claims = jwt.decode(
            id_token,
            key.public,
            algorithms=[key.algorithm],
            audience=self._settings.signin_client,
            issuer=(await self._discovered())["issuer"],
            leeway=LEEWAY,
            options={"require": ["exp", "aud", "iss", "sub"]},
        )
        if claims.get("nonce") != nonce or claims["sub"] != subject.person:
            raise jwt.InvalidTokenError("of another errand or person")
        name = claims.get("name")
        return name if isinstance(name, str) and name.isprintable() and name.strip() else subject.person

    async def _discovered(self) -> dict[str, Any]:
        """The issuer's description of itself. Raises SignInFailed."""
        asked_at, known = self._known
        if known and time.monotonic() - asked_at < FRESH_FOR:
            return known
        try:
            async with httpx2.AsyncClient(timeout=DEADLINE, trust_env=False) as http:
                told = (await http.get(self._settings.discovery)).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as away:
            raise SignInFailed("away") from away
        https = self._settings.environment == "production"
        named = [str(told.get(name, "")) for name in ENDPOINTS]
        if told.get("issuer") != self._settings.signin_name or not all(
            place.startswith("https://" if https else ("https://", "http://")) for place in named
        ):
            raise SignInFailed("issuer")
        self._known = time.monotonic(), dict(told)
        return self._known[1]

    def _client(self) -> AsyncOAuth2Client:
        secret = self._settings.signin_secret_file
        return AsyncOAuth2Client(
            client_id=self._settings.signin_client,
            client_secret=secret.read_text().strip() if secret is not None else None,
            token_endpoint_auth_method="client_secret_basic" if secret is not None else "none",
            scope=self._settings.signin_scope,
            redirect_uri=self._settings.public_address + WAY,
            code_challenge_method="S256",
            timeout=DEADLINE,
            trust_env=False,
        )


def named(state: str) -> str:
    """An errand by its state: several windows may be on their way at once, each with what it carries."""
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _soon() -> float:
    return time.time() + MINUTES * 60


def local(then: str) -> str:
    """A page of ours to go to, whatever was asked for: nobody is sent elsewhere."""
    plain = then.isascii() and then.isprintable() and "\\" not in then
    return then if plain and then.startswith("/") and not then.startswith("//") else "/"
