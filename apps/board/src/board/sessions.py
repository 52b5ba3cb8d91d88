"""Who is signed in: a random id in a cookie; the token sealed in the database, until it expires or is signed out.

The id is kept as its hash and the token under the sealing key, so whoever reads the database can be nobody.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from belt.io.store.public_log import Pool

NONCE = 12
ID_BYTES = 32
EARLY = timedelta(seconds=10)  # a token that ends this very moment is no good for a page


@dataclass(frozen=True)
class Viewer:
    """Somebody who is signed in. `proof` stands in every form of theirs (against forged requests). `until`: when the
    session ends, as the token soon does.
    """

    person: str
    name: str
    token: str
    scopes: tuple[str, ...]
    proof: str
    until: datetime

    @property
    def rest(self) -> float:
        """For how many more seconds."""
        return (self.until - datetime.now(UTC)).total_seconds()

    def may(self, *scopes: str) -> bool:
        """Whether one of these doors is theirs: only to leave out what would be refused anyway."""
        return not frozenset(scopes).isdisjoint(self.scopes)


class Seal:
    """Seals small texts under a key of their own purpose."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, f"conveyor board {purpose}".encode()).derive(key))

    def close(self, text: str) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str | None:
        """The text; None if it was sealed otherwise, or changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None).decode()
        except (InvalidTag, ValueError):
            return None


class Sessions:
    def __init__(self, pool: Pool, key: bytes) -> None:
        self._pool, self._seal = pool, Seal(key, "sessions")

    async def begin(
        self, person: str, name: str, token: str, scopes: frozenset[str], seconds: float, proof: str | None = None
    ) -> str:
        """A new session; its id goes into the cookie. `proof`: that of a session of theirs which it takes over."""
        session = secrets.token_urlsafe(ID_BYTES)
        until = datetime.now(UTC) + timedelta(seconds=seconds) - EARLY
        viewer = Viewer(person, name, token, tuple(sorted(scopes)), proof or secrets.token_urlsafe(ID_BYTES), until)
        kept = {name: value for name, value in asdict(viewer).items() if name != "until"}
        await self._pool.execute("delete from sessions where expires_at < now()")
        await self._pool.execute(
            "insert into sessions (id, sealed, expires_at) values ($1, $2, $3)",
            _hash(session),
            self._seal.close(json.dumps(kept)),
            until,
        )
        return session

    async def find(self, session: str) -> Viewer | None:
        row = await self._pool.fetchrow(
            "select sealed, expires_at from sessions where id = $1 and expires_at > now()", _hash(session)
        )
        opened = self._seal.open(row["sealed"]) if row is not None else None
        if row is None or opened is None:
            return None
        told: dict[str, Any] = json.loads(opened)
        scopes = tuple(told["scopes"])
        return Viewer(told["person"], told["name"], told["token"], scopes, told["proof"], row["expires_at"])

    async def end(self, session: str) -> None:
        await self._pool.execute("delete from sessions where id = $1", _hash(session))


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
