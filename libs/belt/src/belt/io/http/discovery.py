"""Where an issuer keeps its keys, asked of the issuer itself: OpenID Connect Discovery.

The document must name exactly the issuer that was asked, and keys that come over https; it is asked for again when it
is old, or when its keys cannot be read any more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

from belt.io.http.keyset import KeySet, read_source
from belt.io.settings import Settings

PLACE = "/.well-known/openid-configuration"
FRESH_FOR = 3_600.0
MAX_ADDRESS = 2_048


class Discovered:
    """Reads the keys of an issuer: a `fetch` of the key set, called by one thread at a time."""

    def __init__(
        self,
        *,
        https: bool,
        tick: Callable[[], float] = time.monotonic,
        read: Callable[[str, float], bytes] = read_source,
    ) -> None:
        self._https, self._tick, self._read = https, tick, read
        self._keys_at: str | None = None
        self._asked_at = 0.0

    def __call__(self, issuer: str, deadline: float) -> bytes:
        if self._keys_at is None or self._tick() - self._asked_at > FRESH_FOR:
            self._keys_at = self._where(issuer, deadline)
            self._asked_at = self._tick()
        place, self._keys_at = self._keys_at, None  # if they cannot be read there, the issuer is asked anew
        keys = self._read(place, deadline)
        self._keys_at = place
        return keys

    def _where(self, issuer: str, deadline: float) -> str:
        told = json.loads(self._read(issuer.removesuffix("/") + PLACE, deadline))
        if not isinstance(told, Mapping) or told.get("issuer") != issuer:
            raise ValueError("this is another issuer's document")
        place = told.get("jwks_uri")
        allowed = ("https://",) if self._https else ("https://", "http://")
        if not isinstance(place, str) or not place.startswith(allowed) or len(place) > MAX_ADDRESS:
            raise ValueError("the issuer names no usable address of its keys")
        return place


def keys_of(settings: Settings) -> KeySet:
    """The keys of the issuer in the settings: where they say, else where the issuer says."""
    if settings.jwks is not None:
        return KeySet(settings.jwks)
    return KeySet(settings.issuer, fetch=Discovered(https=settings.issuer.startswith("https://")))
