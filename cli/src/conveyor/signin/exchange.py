"""A code for tokens (RFC 6749 4.1.3, RFC 7636 4.6). Pure: the code's store and the signing are given.

A code is taken with the first look at it, whatever else is wrong: who guesses has one guess, and a code that leaked is
worthless after its use.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conveyor.signin.asking import Asked, Faulty, Pairs
from conveyor.signin.clients import Client
from conveyor.signin.people import Person

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
NEEDED = ("grant_type", "client_id", "code", "redirect_uri", "code_verifier")


@dataclass(frozen=True)
class Grant:
    """What a code stands for: the request it answers, and who was picked when."""

    asked: Asked
    person: Person
    at: int


def granted(pairs: Pairs, clients: Mapping[str, Client], take: Callable[[str], Grant | None]) -> Grant:
    """The grant behind the code, for the client that asked for it and can prove that it did."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise Faulty("invalid_request", "a parameter is named twice")
    given = dict(pairs)
    grant_type = given.get("grant_type")
    if grant_type is not None and grant_type != "authorization_code":
        raise Faulty("unsupported_grant_type", "grant_type must be authorization_code")
    missing = [name for name in NEEDED if not given.get(name)]
    if missing:
        raise Faulty("invalid_request", f"missing: {', '.join(missing)}")
    if given["client_id"] not in clients or "client_secret" in given or "client_assertion" in given:
        raise Faulty("invalid_client", "no such client, or not one with a secret")
    grant = take(given["code"])
    if grant is None:
        raise Faulty("invalid_grant", "the code is unknown, used or too old")
    wish = grant.asked.wish
    if wish.client.id != given["client_id"]:
        raise Faulty("invalid_grant", "the code was given to another client")
    if wish.redirect != given["redirect_uri"]:
        raise Faulty("invalid_grant", "the code was sent to another address")
    verifier = given["code_verifier"]
    if not VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge_of(verifier), grant.asked.challenge):
        raise Faulty("invalid_grant", "the verifier does not belong to the code")
    return grant


def challenge_of(verifier: str) -> str:
    """S256: what the verifier's holder has shown at the beginning."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()
