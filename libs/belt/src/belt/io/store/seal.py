"""Personal data at rest: sealed under a key per holder; keys are wrapped by the service's key, in a table apart.

Destroying a holder's key erases every private field of that holder, wherever a copy of the store lies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from belt.io.store.document import content, document

NONCE = 12


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)


class Vault:
    """Wraps holders' keys, seals and opens private fields, and hashes what must be unique but not readable."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the sealing secret needs at least 32 bytes")
        self._wrapping = AESGCM(_derive(secret, b"wrap"))
        self._hashing = _derive(secret, b"hash")

    def new_key(self, holder: str) -> tuple[bytes, bytes]:
        """A fresh key for a holder: (plain, wrapped)."""
        key, nonce = AESGCM.generate_key(256), os.urandom(NONCE)
        return key, nonce + self._wrapping.encrypt(nonce, key, holder.encode())

    def unwrap(self, holder: str, wrapped: bytes) -> bytes:
        return self._wrapping.decrypt(wrapped[:NONCE], wrapped[NONCE:], holder.encode())

    def hashed(self, *parts: str) -> bytes:
        """A keyed hash: equal for equal parts, useless without the service's secret."""
        return hmac.digest(self._hashing, "\x1f".join(parts).encode(), hashlib.sha256)

    def fingerprint(self, *parts: str) -> bytes:
        """As `hashed`, in a third of the time and kept for some days only: whether the same was said again."""
        return hashlib.blake2b("\x1f".join(parts).encode(), key=self._hashing, digest_size=32).digest()


def seal(key: bytes, holder: str, fields: Any) -> str:
    """JSON -> ciphertext, as base64 text. The holder's name is bound in: a ciphertext cannot move to another holder."""
    nonce = os.urandom(NONCE)
    text = document(fields).encode()
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text, holder.encode())).decode()


def unseal(key: bytes, holder: str, sealed: str) -> Any:
    raw = base64.b64decode(sealed)
    return content(AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], holder.encode()))
