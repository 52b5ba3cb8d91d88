"""Tokens that must open nothing: each lacks one thing that a true one has, and is right in everything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from http_line import HttpLine

from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, KEY_FILE


def forged(line: HttpLine, sub: str = "anybody") -> dict[str, str]:
    """By what is wrong with it: the value of an Authorization header."""
    return {name: f"Bearer {token}" for name, token in _tokens(line, sub)} | {
        "no token": "Bearer ",
        "another scheme": "Basic YW5hOnNlY3JldA==",
        "a token without its scheme": line.token(sub),
        "two tokens": f"Bearer {line.token(sub)} {line.token(sub)}",
        "a token as long as a book": "Bearer " + "x." * 6_000,
    }


def _tokens(line: HttpLine, sub: str) -> Iterator[tuple[str, str]]:
    true = line.token(sub)
    claims: dict[str, Any] = jwt.decode(true, options={"verify_signature": False})
    head = jwt.get_unverified_header(true)
    key = load_pem_private_key((line.running.issuer / KEY_FILE).read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(changed: dict[str, Any], by: Ed25519PrivateKey = key, **header: Any) -> str:
        return jwt.encode(changed, by, algorithm="EdDSA", headers={"kid": head["kid"], **header})

    def without(name: str) -> dict[str, Any]:
        return {claim: told for claim, told in claims.items() if claim != name}

    yield "it has expired", signed(claims | {"exp": int(time.time()) - 1})
    yield "it never expires", signed(without("exp"))
    yield "it is for another audience", signed(claims | {"aud": f"not-{AUDIENCE}"})
    yield "it is for nobody", signed(without("aud"))
    yield "it is of another issuer", signed(claims | {"iss": f"{DEV_ISSUER}:other"})
    yield "it is of no issuer", signed(without("iss"))
    yield "it speaks for nobody", signed(without("sub"))
    yield "its key is unknown", signed(claims, kid="nobody-has-it")
    yield "another key signed it", signed(claims, Ed25519PrivateKey.generate())
    yield "it is not valid yet", signed(claims | {"nbf": int(time.time()) + 3_600})
    yield "nobody signed it", f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': head['kid']})}.{_part(claims)}."
    yield "the public key is its secret", _with_secret(public, claims, head["kid"])
    yield "its end is cut off", true[:-4]
    yield "its claims were changed", ".".join([true.split(".")[0], _part(claims | {"sub": "max"}), true.split(".")[2]])
    yield "it is nonsense", "a.b.c"


def _with_secret(secret: bytes, claims: dict[str, Any], kid: str) -> str:
    """HS256 by hand: a good library refuses to sign with a public key."""
    text = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_part(claims)}"
    return f"{text}.{_base64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _part(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
