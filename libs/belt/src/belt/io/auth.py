"""Who is asking: bearer tokens of one issuer, verified by its public keys, remembered until they expire.

Tokens live in real time, whatever the service's clock says.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.keyset import KeySet
from belt.io.telemetry import TOKENS

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})
MAX_TOKEN = 8_192
MAX_PERSON = 100


def let_in(subject: Subject, *scopes: str) -> Subject:
    """The subject, if it has one of the scopes; otherwise it is refused. What is behind the door is asked there."""
    if scopes and subject.scopes.isdisjoint(scopes):
        raise Refused("missing-scope", scope=" or ".join(scopes))
    return subject


class Verifier:
    """Turns tokens into subjects. One per process."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        *,
        remembered: int = 4_096,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._remembered, self._now = remembered, now
        self._known: OrderedDict[str, tuple[float, Subject]] = OrderedDict()
        self._generation = keys.generation

    async def verify(self, token: str) -> Subject:
        """The token's subject. Refused with invalid-token whatever is wrong with it."""
        if self._generation != self._keys.generation:
            self._known.clear()
            self._generation = self._keys.generation
        known = self._known.get(token)
        if known is not None and self._now() < known[0]:
            self._known.move_to_end(token)
            TOKENS.labels("cached").inc()
            return known[1]
        self._known.pop(token, None)
        try:
            expires, subject = await self._verified(token)
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as wrong:
            TOKENS.labels("invalid").inc()
            raise Refused("invalid-token") from wrong
        TOKENS.labels("valid").inc()
        self._known[token] = expires, subject
        while len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return subject

    async def _verified(self, token: str) -> tuple[float, Subject]:
        if len(token) > MAX_TOKEN or not token.isascii():
            raise ValueError("not a token")
        head = jwt.get_unverified_header(token)
        kid, algorithm = head.get("kid"), head.get("alg")
        if not isinstance(kid, str) or algorithm not in ALGORITHMS or "crit" in head:
            raise ValueError("not one of our tokens")
        key = await self._keys.find(kid)
        if key is None or key.algorithm != algorithm:
            raise ValueError("no such key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["exp", "aud", "iss", "sub"], "verify_iat": False},
        )
        expires = float(claims["exp"])
        if self._now() >= expires:
            raise ValueError("expired")
        return expires, Subject(_person(claims["sub"]), _scopes(claims.get("scope", "")))


def _person(sub: Any) -> str:
    if not isinstance(sub, str) or not sub.strip() or len(sub) > MAX_PERSON or not sub.isprintable():
        raise ValueError("no usable subject")
    return sub


def _scopes(scope: Any) -> frozenset[str]:
    if not isinstance(scope, str):
        raise TypeError("scope is one text, its parts separated by spaces")
    return frozenset(scope.split())
