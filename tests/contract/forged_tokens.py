"""Tokens that must open nothing, made beside those of a real issuer: for the walk, and for whoever throws them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, JWKS_FILE, KEY_FILE
from conveyor_events.scopes import SCOPES


def forged(issuer: Path, person: str = "boris") -> dict[str, str]:
    """By what is wrong with them. Each claims every scope there is, so that whatever lets it in lets it do anything.

    `issuer`: the folder of a DevelopmentIssuer, with its key and its key set.
    """
    key = load_pem_private_key((issuer / KEY_FILE).read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    published = json.loads((issuer / JWKS_FILE).read_bytes())["keys"][0]
    kid, now = published["kid"], int(time.time())
    right = {
        "iss": DEV_ISSUER, "aud": AUDIENCE, "sub": person, "iat": now, "exp": now + 3_600, "scope": " ".join(SCOPES),
    }  # fmt: skip
    stranger = Ed25519PrivateKey.generate()
    theirs = OKPAlgorithm.to_jwk(stranger.public_key(), as_dict=True) | {"kid": kid}

    def signed(by: Ed25519PrivateKey = key, head: dict[str, Any] | None = None, **changed: Any) -> str:
        claims = {name: value for name, value in (right | changed).items() if value is not ...}
        parts = _parts({"alg": "EdDSA", "typ": "JWT", "kid": kid} | (head or {}), claims)
        return f"{parts}.{_text(by.sign(parts.encode()))}"

    def hashed(secret: bytes) -> str:
        parts = _parts({"alg": "HS256", "typ": "JWT", "kid": kid}, right)
        return f"{parts}.{_text(hmac.digest(secret, parts.encode(), hashlib.sha256))}"

    good = signed()
    assert jwt.decode(good, key.public_key(), ["EdDSA"], audience=AUDIENCE, issuer=DEV_ISSUER)["sub"] == person
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "expired": signed(exp=now - 1),
        "expired long ago": signed(iat=now - 90_000, exp=now - 86_400),
        "without exp": signed(exp=...),
        "exp in words": signed(exp="2099-01-01"),
        "not yet": signed(nbf=now + 3_600),
        "alg none": _parts({"alg": "none", "typ": "JWT", "kid": kid}, right) + ".",
        "alg none, with the right signature": f"{_parts({'alg': 'none', 'kid': kid}, right)}.{good.rpartition('.')[2]}",
        "HS256 with the public key": hashed(pem),
        "HS256 with the public key's bytes": hashed(base64.urlsafe_b64decode(published["x"] + "==")),
        "HS256 with nothing": hashed(b""),
        "for another audience": signed(aud="elsewhere"),
        "without an audience": signed(aud=...),
        "of another issuer": signed(iss="https://login.example"),
        "of a list of issuers": signed(iss=[DEV_ISSUER]),
        "without an issuer": signed(iss=...),
        "of nobody": signed(sub=...),
        "of a key nobody knows": signed(stranger, {"kid": "unknown"}),
        "signed by another key": signed(stranger),
        "signed by a key it brings along": signed(stranger, {"jwk": theirs}),
        "with an address of keys": signed(stranger, {"jku": "https://login.example/keys"}),
        "without a key's name": signed(head={"kid": None}),
        "with something critical": signed(head={"crit": ["exp"]}),
        "of another kind": signed(head={"typ": "logout+jwt"}),
        "with another body": _swapped(good, signed(sub="vera")),
        "cut short": good[:-4],
        "without a signature": good.rpartition(".")[0] + ".",
        "no token at all": "boris",
    }


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _parts(head: dict[str, Any], claims: dict[str, Any]) -> str:
    kept = {name: value for name, value in head.items() if value is not None}
    return f"{_text(json.dumps(kept).encode())}.{_text(json.dumps(claims).encode())}"


def _swapped(one: str, other: str) -> str:
    head, _, signature = one.split(".")
    return f"{head}.{other.split('.')[1]}.{signature}"
