"""A request to sign in (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1, PKCE RFC 7636), and what is wrong with it. Pure.

Whoever asks for an unknown client or another address is told so on a page of ours: an answer goes only to an address
that is registered. All other faults are told to that address, with the issuer's name (RFC 9207).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from conveyor.signin.clients import Client

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST = 1_024
SCOPES = ("openid", "profile")
Pairs = Sequence[tuple[str, str]]


class Unanswerable(Exception):
    """There is no address that may be told: the person is."""


class Faulty(Exception):
    """The request is refused with one of OAuth's codes, at the address that may be told."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error, self.why = error, why


@dataclass(frozen=True)
class Wish:
    """A request that may be answered: who asks, where the answer goes, and what it must carry."""

    client: Client
    redirect: str
    state: str | None


@dataclass(frozen=True)
class Asked:
    """A request in order: what the code is bound to, beside the client and the address."""

    wish: Wish
    challenge: str
    nonce: str | None


def wished(pairs: Pairs, clients: Mapping[str, Client]) -> Wish:
    """Who asks and where the answer may go. Neither is guessed: each is named once, and known."""
    client = clients.get(_only(pairs, "client_id") or "")
    if client is None:
        raise Unanswerable("no application of this name is known here (client_id)")
    redirect = _only(pairs, "redirect_uri")
    if redirect not in client.redirects:
        raise Unanswerable("this address is not registered for the application (redirect_uri)")
    state = _only(pairs, "state")
    if state is not None and len(state) > LONGEST:
        raise Unanswerable("the application's state is too long")
    return Wish(client, redirect, state)


def asked(pairs: Pairs, wish: Wish) -> Asked:
    """The rest of the request, if it is in order."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise Faulty("invalid_request", "a parameter is named twice")
    given = dict(pairs)
    for name, error in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if name in given:
            raise Faulty(error, f"{name} is not taken")
    if "response_type" not in given:
        raise Faulty("invalid_request", "response_type is missing")
    if given["response_type"] != "code":
        raise Faulty("unsupported_response_type", "response_type must be code")
    if given.get("response_mode", "query") != "query":
        raise Faulty("invalid_request", "response_mode must be query")
    if "openid" not in given.get("scope", "").split():
        raise Faulty("invalid_scope", "scope must contain openid")
    if given.get("code_challenge_method") != "S256":
        raise Faulty("invalid_request", "code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise Faulty("invalid_request", "code_challenge must be the SHA-256 of the verifier in base64url")
    if "none" in given.get("prompt", "").split():
        raise Faulty("login_required", "nobody is signed in here: each time one picks who one is")
    nonce = given.get("nonce")
    if nonce is not None and len(nonce) > LONGEST:
        raise Faulty("invalid_request", "nonce is too long")
    return Asked(wish, given["code_challenge"], nonce)


def answer(wish: Wish, issuer: str, **said: str) -> str:
    """The address with the answer: a code or an error, the state as it came, and who answers."""
    state = {} if wish.state is None else {"state": wish.state}
    joint = "&" if "?" in wish.redirect else "?"
    return wish.redirect + joint + urlencode({**said, **state, "iss": issuer})


def _only(pairs: Pairs, name: str) -> str | None:
    found = [value for key, value in pairs if key == name]
    if len(found) > 1:
        raise Unanswerable(f"{name} is named twice")
    return found[0] if found else None
