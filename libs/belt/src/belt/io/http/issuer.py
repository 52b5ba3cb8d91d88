"""The development issuer: a key made once per checkout, and the tokens it signs. Production start refuses its name."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from conveyor_events.scopes import scopes_of

DEV_ISSUER = "urn:conveyor:development"
AUDIENCE = "conveyor"
KEY_FILE = "issuer.pem"
JWKS_FILE = "jwks.json"


class DevelopmentIssuer:
    """Lives in one folder: the private key (readable by its owner only) and the public key set beside it."""

    def __init__(self, folder: Path) -> None:
        self._key = _key(folder / KEY_FILE)
        jwk = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.kid = jwk["x"][:16]
        self.jwks = folder / JWKS_FILE
        _write(self.jwks, json.dumps({"keys": [jwk | {"kid": self.kid, "use": "sig", "alg": "EdDSA"}]}).encode())

    def issue(
        self,
        sub: str,
        *,
        roles: Iterable[str] = (),
        scopes: Iterable[str] = (),
        ttl: float = 3_600.0,
        audience: str = AUDIENCE,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A token for this person with the scopes of these roles and these further ones, and with further claims."""
        now = time.time()
        said = {
            **(claims or {}),
            "iss": DEV_ISSUER,
            "aud": audience,
            "sub": sub,
            "iat": int(now),
            "exp": int(now + ttl),
            "jti": secrets.token_hex(8),
            "scope": " ".join(sorted(scopes_of(*roles, *scopes))),
        }
        return self.sign(said)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """These claims and no others, signed: what an ID token says is not what opens a door."""
        return jwt.encode(dict(claims), self._key, algorithm="EdDSA", headers={"kid": self.kid})


def _key(path: Path) -> Ed25519PrivateKey:
    """The key of this checkout, made if there is none. Two processes that start at once agree on one."""
    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, made, replace=False)
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} is not a key of the development issuer")
    return key


def _write(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Whole or not at all. Without `replace`, whoever comes first wins."""
    if replace and path.exists() and path.read_bytes() == content:
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644 if replace else 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    if replace:
        draft.replace(path)
        return
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
