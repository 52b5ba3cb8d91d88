"""Who is asking: bearer tokens of one issuer, verified by its public keys, remembered until they expire.

Tokens live in real time, whatever the service's clock says.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.http.keyset import KeySet
from belt.io.telemetry import TOKENS
from conveyor_events.scopes import granted

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})
MAX_TOKEN = 8_192
MAX_PERSON = 100
LEEWAY = 5.0
"""How many seconds the issuer's clock may run ahead of ours. No token lives longer for it."""
CACHED = TOKENS.labels("cached")
TYPES = frozenset({"jwt", "at+jwt"})


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
        roles_claim: str | None = None,
        life: float | None = None,
        remembered: int = 4_096,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`roles_claim`: where the issuer names bundles of ours. `life`: how far ahead a token may end."""
        self._roles_claim, self._life = roles_claim, life
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
            CACHED.inc()
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

    def rest(self, token: str) -> float:
        """For how many more seconds a token that was verified holds; 0 if it is not remembered any more."""
        known = self._known.get(token)
        return max(0.0, known[0] - self._now()) if known is not None else 0.0

    async def _verified(self, token: str) -> tuple[float, Subject]:
        if len(token) > MAX_TOKEN or not token.isascii():
            raise ValueError("not a token")
        head = jwt.get_unverified_header(token)
        kid, algorithm = head.get("kid"), head.get("alg")
        if not isinstance(kid, str) or algorithm not in ALGORITHMS or "crit" in head or not _access(head.get("typ")):
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
            # The times are looked at below, by our own clock and with our own leeway.
            options={
                "require": ["exp", "aud", "iss", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        expires = self._in_time(claims)
        scopes = _scopes(claims) | granted(_roles(claims, self._roles_claim))
        return expires, Subject(_person(claims["sub"]), scopes)

    def _in_time(self, claims: Mapping[str, Any]) -> float:
        """When the token ends: strictly at its `exp`. It begins with a little leeway, for clocks that run ahead."""
        now, expires = self._now(), _instant(claims["exp"])
        if now >= expires or (self._life is not None and expires > now + self._life + LEEWAY):
            raise ValueError("expired, or not to expire for too long")
        if any(_instant(claims[name]) > now + LEEWAY for name in ("nbf", "iat") if name in claims):
            raise ValueError("not yet")
        return expires


def _person(sub: Any) -> str:
    if not isinstance(sub, str) or not sub.strip() or len(sub) > MAX_PERSON or not sub.isprintable():
        raise ValueError("no usable subject")
    return sub


def _instant(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("an instant is a number of seconds")
    return float(value)


def _access(typ: Any) -> bool:
    """Whether the header says that this is an access token, or nothing at all."""
    return typ is None or (isinstance(typ, str) and typ.lower().removeprefix("application/") in TYPES)


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """`scope`: one text, its parts separated by spaces. `scp`, as others call it: the same, or a list."""
    scope, scp = claims.get("scope", ""), claims.get("scp", "")
    if not isinstance(scope, str):
        raise TypeError("scope is one text, its parts separated by spaces")
    return frozenset(scope.split()) | frozenset(_texts(scp))


def _roles(claims: Mapping[str, Any], claim: str | None) -> list[str]:
    """The roles in the claim of this name; else at the end of this path (`realm_access.roles`)."""
    if claim is None:
        return []
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    return [] if found is None else _texts(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise TypeError("a text, or a list of texts")
