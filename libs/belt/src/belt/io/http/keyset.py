"""The issuer's public keys: read from a file or fetched from an address, refetched when a new key id turns up.

A failed fetch never empties the set, an unknown key id costs at most one fetch per interval.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from belt.io.telemetry import KEYSET_FETCHES

log = structlog.get_logger()

MAX_BYTES = 256 * 1024
MIN_RSA_BITS = 2048
KINDS: dict[tuple[str, str | None], str] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("RSA", None): "RS256",
}
"""Which algorithm a key is for: the key decides, never the token."""


class KeysUnavailable(Exception):
    """No key was ever read: nothing can be verified."""


class Key:
    """One public key and the only algorithm it verifies."""

    def __init__(self, algorithm: str, public: Any) -> None:
        self.algorithm, self.public = algorithm, public


class KeySet:
    """Keys by id. `source` is a path or an http(s) address, or what a `fetch` of its own makes of it (discovery.py)."""

    def __init__(
        self,
        source: str,
        *,
        deadline: float = 5.0,
        fresh_for: float = 600.0,
        min_interval: float | None = None,
        tick: Callable[[], float] = time.monotonic,
        fetch: Callable[[str, float], bytes] | None = None,
    ) -> None:
        self._source, self._deadline = source, deadline
        self._fresh_for, self._tick = fresh_for, tick
        self._min_interval = (30.0 if _remote(source) else 1.0) if min_interval is None else min_interval
        self._fetch = fetch or read_source
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()
        self.generation = 0

    async def find(self, kid: str) -> Key | None:
        """The key of this id, or None. Reads the set again if it is old, or if the id is new to us."""
        if kid not in self._keys or self._is_old():
            await self._refresh(kid)
        if self._read_at is None:
            raise KeysUnavailable(self._source)
        return self._keys.get(kid)

    def _is_old(self) -> bool:
        return self._read_at is None or self._tick() - self._read_at > self._fresh_for

    async def _refresh(self, kid: str) -> None:
        async with self._lock:  # one fetch at a time; those who waited find its result
            if kid in self._keys and not self._is_old():
                return
            if self._tried_at is not None and self._tick() - self._tried_at < self._min_interval:
                return
            self._tried_at = self._tick()
            try:
                async with asyncio.timeout(self._deadline * 1.5):
                    raw = await asyncio.to_thread(self._fetch, self._source, self._deadline)
                keys = read_keys(json.loads(raw))
            except (OSError, TimeoutError, ValueError) as failed:
                KEYSET_FETCHES.labels("failed").inc()
                log.warning("keyset.unreachable", source=self._source, error_type=type(failed).__name__)
                return
            KEYSET_FETCHES.labels("ok").inc()
            self._read_at = self._tick()
            if self._keys.keys() - keys.keys():
                self.generation += 1  # a key was withdrawn: what it verified must be looked at again
            self._keys = keys


def read_keys(document: Any) -> dict[str, Key]:
    """The keys of a JWKS that may sign our tokens. Others (encryption, symmetric, unknown kinds) are passed over."""
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError("not a key set")  # noqa: TRY004 - what is wrong is the document, not our use of it
    found: dict[str, Key] = {}
    for jwk in document["keys"]:
        if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kid"), str) or jwk.get("use", "sig") != "sig":
            continue
        kind = jwk.get("kty")
        algorithm = KINDS.get((str(kind), None if kind == "RSA" else jwk.get("crv")))
        if algorithm is None or jwk.get("alg", algorithm) != algorithm:
            continue
        try:
            public = PyJWK(dict(jwk), algorithm).key
        except PyJWTError:
            continue
        if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
            continue
        found[jwk["kid"]] = Key(algorithm, public)
    return found


def _remote(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def read_source(source: str, deadline: float) -> bytes:
    """What is there, file or address; runs in a thread.

    Only http(s) and plain files; no redirects, no proxies of other kinds, no endless answers.
    """
    if not _remote(source):
        return Path(source).read_bytes()[:MAX_BYTES]
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    with opener.open(Request(source, headers={"accept": "application/json"}), timeout=deadline) as answer:  # noqa: S310
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        raw: bytes = answer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise OSError("more than anybody needs to say")
    return raw
