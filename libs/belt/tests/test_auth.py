"""Who may come in: a token of our issuer, for us, still valid, signed by a key that the issuer shows. Nobody else."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.warnings import InsecureKeyLengthWarning

from belt.core.decider import Refused
from belt.core.subject import Subject
from belt.io.http.auth import Verifier, let_in
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import KeySet, KeysUnavailable, read_keys
from conveyor_events.scopes import ROLES, SCOPES, UnknownScope, scopes_of

ISSUER = "https://issuer.example"
ED, EC = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
RSA, WEAK = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
FOREIGN = Ed25519PrivateKey.generate()
ALGORITHM: dict[Any, str] = {ED: "EdDSA", EC: "ES256", RSA: "RS256", WEAK: "RS256", FOREIGN: "EdDSA"}


def public(kid: str, key: Any, **more: Any) -> dict[str, Any]:
    kinds: dict[str, Any] = {"EdDSA": OKPAlgorithm, "ES256": ECAlgorithm, "RS256": RSAAlgorithm}
    return dict(kinds[ALGORITHM[key]].to_jwk(key.public_key(), as_dict=True)) | {"kid": kid} | more


SET = {
    "keys": [
        public("ed", ED, use="sig", alg="EdDSA"),
        public("ec", EC),
        public("rsa", RSA),
        public("weak", WEAK),
        public("enc", RSA, use="enc"),
        {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode()},
    ]
}


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": "conveyor", "sub": "boris", "iat": now, "exp": now + 60, "scope": "deals:write x"}
    return {name: value for name, value in (whole | changed).items() if value is not ...}


def token(key: Any = ED, kid: Any = "ed", algorithm: str | None = None, head: Any = None, **changed: Any) -> str:
    headers = {"kid": kid} | (head or {})
    return jwt.encode(claims(**changed), key, algorithm=algorithm or ALGORITHM[key], headers=headers)


def by_hand(head: Any, body: Any, signature: bytes = b"") -> str:
    parts = [json.dumps(head).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def signed(body: Any, **head: Any) -> str:
    """Signed by our key, whatever it says: what no library would write."""
    parts = by_hand({"alg": "EdDSA", "kid": "ed"} | head, body).rsplit(".", 1)[0]
    return f"{parts}.{base64.urlsafe_b64encode(ED.sign(parts.encode())).decode().rstrip('=')}"


class Source:
    """A key set that can be changed, broken and counted."""

    def __init__(self) -> None:
        self.fetches, self.at, self.document, self.broken = 0, 0.0, SET, False

    def fetch(self, _source: str, _deadline: float) -> bytes:
        self.fetches += 1
        if self.broken:
            raise OSError("away")
        return json.dumps(self.document).encode()

    def keys(self) -> KeySet:
        return KeySet("https://issuer.example/jwks", tick=lambda: self.at, fetch=self.fetch)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def verifier(source: Source) -> Verifier:
    return Verifier(source.keys(), ISSUER, "conveyor")


@pytest.mark.parametrize(("kid", "key"), [("ed", ED), ("ec", EC), ("rsa", RSA)])
async def test_a_token_of_our_issuer_is_its_subject(verifier: Verifier, kid: str, key: Any) -> None:
    assert await verifier.verify(token(key, kid)) == Subject("boris", frozenset({"deals:write", "x"}))


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HOSTILE: dict[str, Callable[[], str]] = {
    "expired": lambda: token(exp=int(time.time()) - 1),
    "expires now": lambda: token(exp=int(time.time())),
    "without exp": lambda: token(exp=...),
    "exp in words": lambda: token(exp="tomorrow"),
    "exp endless": lambda: signed(claims(exp=float("inf"))),
    "not yet": lambda: token(nbf=int(time.time()) + 60),
    "without aud": lambda: token(aud=...),
    "for others": lambda: token(aud="payroll"),
    "for others, in a list": lambda: token(aud=["payroll", "crm"]),
    "without iss": lambda: token(iss=...),
    "of another issuer": lambda: token(iss="https://evil.example"),
    "of our issuer alone, in a list": lambda: signed(claims(iss=[ISSUER])),
    "issued far ahead": lambda: token(iat=int(time.time()) + 60),
    "issued in words": lambda: token(iat="now"),
    "not yet, in words": lambda: signed(claims(nbf="soon")),
    "exp a truth": lambda: signed(claims(exp=True)),
    "for a proof of possession": lambda: signed(claims(), typ="dpop+jwt"),
    "of no type we know": lambda: signed(claims(), typ=["at+jwt"]),
    "scp a number": lambda: token(scp=7),
    "scp a list of lists": lambda: token(scp=[["deals:write"]]),
    "of several issuers": lambda: signed(claims(iss=[ISSUER, "x"])),
    "without sub": lambda: token(sub=...),
    "of nobody": lambda: token(sub="  "),
    "of a list": lambda: signed(claims(sub=["boris"])),
    "of a very long name": lambda: token(sub="b" * 101),
    "of a name with a line break": lambda: token(sub="boris\nadmin"),
    "scopes in a list": lambda: token(scope=["deals:write"]),
    "alg none": lambda: by_hand({"alg": "none", "kid": "ed"}, claims()),
    "alg None": lambda: by_hand({"alg": "None", "kid": "ed"}, claims()),
    "alg empty": lambda: by_hand({"alg": "", "kid": "ed"}, claims()),
    "alg missing": lambda: by_hand({"kid": "ed"}, claims()),
    "alg a list": lambda: by_hand({"alg": ["EdDSA"], "kid": "ed"}, claims()),
    "HMAC keyed with the public key": lambda: by_hand_hmac({"alg": "HS256", "kid": "rsa"}),
    "HMAC by the name of a symmetric key": lambda: jwt.encode(claims(), b"x" * 32, "HS256", {"kid": "oct"}),
    "a stronger RSA than asked for": lambda: token(RSA, "rsa", "RS512"),
    "PSS with our RSA key": lambda: token(RSA, "rsa", "PS256"),
    "RSA that claims to be elliptic": lambda: by_hand({"alg": "ES256", "kid": "rsa"}, claims(), b"\0" * 64),
    "a weak RSA key": lambda: weakly_signed(),  # noqa: PLW0108
    "a key for encryption": lambda: token(RSA, "enc"),
    "a foreign key": lambda: token(FOREIGN, "ed"),
    "a foreign key by its own name": lambda: token(FOREIGN, "foreign"),
    "a foreign key brought along": lambda: token(FOREIGN, "ed", head={"jwk": public("ed", FOREIGN)}),
    "an address of foreign keys": lambda: token(FOREIGN, "ed", head={"jku": "https://evil.example/jwks"}),
    "without kid": lambda: jwt.encode(claims(), ED, "EdDSA"),
    "kid a path": lambda: token(ED, "../../ed"),
    "kid a number": lambda: signed(claims(), kid=1),
    "critical extensions": lambda: signed(claims(), crit=["x"], x=1),
    "a signature cut short": lambda: token()[:-8],
    "without a signature": lambda: token().rsplit(".", 1)[0] + ".",
    "another body": lambda: swapped(),  # noqa: PLW0108
    "claims that are a list": lambda: signed([claims()]),
    "no token": lambda: "x",
    "dots": lambda: "..",
    "empty": lambda: "",
    "not ASCII": lambda: token() + "ä",
    "endless": lambda: token(note="x" * 9_000),
    "bottomless": lambda: base64.urlsafe_b64encode(b"[" * 5_000).decode() + ".e30.",
}


def by_hand_hmac(head: dict[str, Any]) -> str:
    import hashlib
    import hmac

    parts = by_hand(head, claims()).rsplit(".", 1)[0]
    signature = hmac.digest(PEM, parts.encode(), hashlib.sha256)
    return f"{parts}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def weakly_signed() -> str:
    with pytest.warns(InsecureKeyLengthWarning):
        return token(WEAK, "weak")


def swapped() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{token(sub='maria').split('.')[1]}.{signature}"


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_token_opens_nothing(verifier: Verifier, name: str) -> None:
    with pytest.raises(Refused) as refused:
        await verifier.verify(HOSTILE[name]())
    assert refused.value.code == "invalid-token"
    assert refused.value.facts == {}


async def test_a_verified_token_is_remembered_until_it_expires(source: Source, monkeypatch: Any) -> None:
    now = time.time()
    at = [now]
    verifier = Verifier(source.keys(), ISSUER, "conveyor", now=lambda: at[0])
    one = token(exp=int(now) + 30)
    await verifier.verify(one)
    monkeypatch.setattr(jwt, "decode", None)  # whoever needs it again fails
    await verifier.verify(one)
    at[0] = now + 31
    with pytest.raises(Refused):
        await verifier.verify(one)


async def test_only_so_many_tokens_are_remembered(source: Source) -> None:
    verifier = Verifier(source.keys(), ISSUER, "conveyor", remembered=3)
    for n in range(10):
        await verifier.verify(token(sub=f"p{n}"))
    assert len(verifier._known) == 3


async def test_a_new_key_is_fetched_once_and_unknown_ones_cost_little(verifier: Verifier, source: Source) -> None:
    await verifier.verify(token())
    for n in range(50):
        with pytest.raises(Refused):
            await verifier.verify(token(FOREIGN, f"unknown-{n}"))
    assert source.fetches == 1
    source.document = {"keys": [*SET["keys"], public("new", FOREIGN)]}
    source.at = 31.0
    assert (await verifier.verify(token(FOREIGN, "new"))).person == "boris"
    assert source.fetches == 2


async def test_a_failed_fetch_does_not_empty_the_set(verifier: Verifier, source: Source) -> None:
    await verifier.verify(token())
    source.broken, source.at = True, 601.0
    assert (await verifier.verify(token(sub="dina"))).person == "dina"
    assert source.fetches == 2


async def test_a_withdrawn_key_ends_what_it_verified(verifier: Verifier, source: Source) -> None:
    one = token(RSA, "rsa")
    await verifier.verify(one)
    source.document = {"keys": [public("ed", ED)]}
    source.at = 601.0
    await verifier.verify(token(sub="dina"))
    with pytest.raises(Refused):
        await verifier.verify(one)


async def test_without_any_key_nobody_is_judged(source: Source) -> None:
    source.broken = True
    with pytest.raises(KeysUnavailable):
        await Verifier(source.keys(), ISSUER, "conveyor").verify(token())


async def test_many_at_once_fetch_once(verifier: Verifier, source: Source) -> None:
    await asyncio.gather(*(verifier.verify(token(sub=f"p{n}")) for n in range(20)))
    assert source.fetches == 1


def test_a_key_set_that_is_none_is_refused() -> None:
    documents: list[Any] = [[], {"keys": {}}, {}, "x"]
    for document in documents:
        with pytest.raises(ValueError, match="key set"):
            read_keys(document)
    assert read_keys({"keys": [1, {}, {"kid": "a"}, {"kid": "b", "kty": "RSA", "n": "!", "e": "AQAB"}]}) == {}


async def test_the_development_issuer_keeps_its_key_and_speaks_for_roles(tmp_path: Path) -> None:
    issuer, again = DevelopmentIssuer(tmp_path), DevelopmentIssuer(tmp_path)
    assert issuer.kid == again.kid
    assert (tmp_path / "issuer.pem").stat().st_mode & 0o777 == 0o600
    verifier = Verifier(KeySet(str(issuer.jwks)), DEV_ISSUER, AUDIENCE)
    subject = await verifier.verify(again.issue("boris", roles=["hunter"], scopes=["backdate"]))
    assert subject == Subject("boris", ROLES["hunter"] | {"backdate"})
    with pytest.raises(Refused):
        await verifier.verify(issuer.issue("boris", ttl=-1))
    with pytest.raises(Refused):
        await verifier.verify(DevelopmentIssuer(tmp_path / "other").issue("boris", roles=["hunter"]))
    with pytest.raises(UnknownScope):
        issuer.issue("boris", roles=["emperor"])


def test_bundles_hold_scopes_that_exist_and_keep_duties_apart() -> None:
    for bundle in ROLES.values():
        assert bundle <= SCOPES.keys()
    assert scopes_of("farmer", "backdate") == ROLES["farmer"] | {"backdate"}
    assert not [scope for scope in ROLES["operator"] | ROLES["integration"] if scope.startswith("pay:")]
    assert "pii:read" not in ROLES["operator"] | ROLES["payroll"] | ROLES["integration"]
    assert "deals:write" not in ROLES["scout"]
    assert all("clock:drive" not in bundle for name, bundle in ROLES.items() if name != "driver")


def test_a_scope_opens_its_door_and_no_other() -> None:
    boris = Subject("boris", frozenset({"deals:write"}))
    assert let_in(boris, "deals:write") is boris
    assert let_in(boris, "manager", "deals:write") is boris
    with pytest.raises(Refused) as refused:
        let_in(boris, "manager", "plans:write")
    assert (refused.value.code, refused.value.facts) == ("missing-scope", {"scope": "manager or plans:write"})


def test_a_private_key_never_reaches_the_key_set(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer(tmp_path)
    assert "d" not in json.loads(issuer.jwks.read_text())["keys"][0]
    assert not list(tmp_path.glob(".*"))  # no drafts left behind


async def test_scopes_come_as_text_or_as_a_list(verifier: Verifier) -> None:
    for claim in ({"scp": ["deals:write", "x"]}, {"scp": "deals:write x"}, {"scope": "x", "scp": ["deals:write"]}):
        found = await verifier.verify(token(**({"scope": ...} | claim)))
        assert found.scopes == {"deals:write", "x"}
    assert (await verifier.verify(token(scope=...))).scopes == frozenset()


async def test_an_audience_may_be_one_of_several(verifier: Verifier) -> None:
    assert (await verifier.verify(token(aud=["crm", "conveyor"]))).person == "boris"


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
async def test_access_tokens_go_by_these_names(verifier: Verifier, typ: str) -> None:
    assert (await verifier.verify(token(head={"typ": typ}))).person == "boris"


async def test_a_clock_that_runs_ahead_a_little_is_believed(verifier: Verifier) -> None:
    ahead = int(time.time()) + 3
    assert (await verifier.verify(token(nbf=ahead, iat=ahead))).person == "boris"


async def test_a_token_lives_no_longer_than_is_allowed(source: Source) -> None:
    verifier = Verifier(source.keys(), ISSUER, "conveyor", life=3_600.0)
    now = int(time.time())
    assert (await verifier.verify(token(exp=now + 3_500))).person == "boris"
    with pytest.raises(Refused, match="invalid-token"):
        await verifier.verify(token(exp=now + 4_000))


@pytest.mark.parametrize(
    ("claim", "given"),
    [
        ("roles", {"roles": ["farmer", "offline_access", "driver"]}),
        ("roles", {"roles": "farmer driver"}),
        ("realm_access.roles", {"realm_access": {"roles": ["farmer"]}}),
        ("https://firm.example/roles", {"https://firm.example/roles": ["farmer"]}),
    ],
)
async def test_roles_of_the_issuer_are_bundles_of_ours(source: Source, claim: str, given: dict[str, Any]) -> None:
    """Roles of other systems grant nothing, and nobody becomes the driver by a name."""
    verifier = Verifier(source.keys(), ISSUER, "conveyor", roles_claim=claim)
    assert (await verifier.verify(token(scope="backdate", **given))).scopes == ROLES["farmer"] | {"backdate"}
    assert (await Verifier(source.keys(), ISSUER, "conveyor").verify(token(scope=..., **given))).scopes == frozenset()
    with pytest.raises(Refused):
        await verifier.verify(signed(claims() | {claim: [7]}))
