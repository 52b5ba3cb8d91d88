"""Keys that the issuer itself is asked for: on a real server, whose answers change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError

from belt.io.http.auth import Verifier
from belt.io.http.discovery import FRESH_FOR, PLACE, Discovered, keys_of
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import MAX_BYTES, KeySet, KeysUnavailable
from belt.io.settings import Settings


@dataclass
class Issuer:
    """What an issuer publishes, and who asked for what."""

    own: DevelopmentIssuer
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def says(self, **told: Any) -> None:
        """Discovery as the specification has it, but for what is given."""
        whole = {"issuer": self.address, "jwks_uri": f"{self.address}/keys", "token_endpoint": "https://x.example"}
        document = {name: value for name, value in (whole | told).items() if value is not ...}
        self.answers[PLACE] = 200, json.dumps(document).encode()

    def keys(self, tick: float = 0.0) -> KeySet:
        return KeySet(self.address, fetch=Discovered(https=False), min_interval=0.0)


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    made = Issuer(DevelopmentIssuer(tmp_path))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            status, body = made.answers.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{made.address}/keys")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    made.address = f"http://127.0.0.1:{server.server_port}/realms/firm"
    made.address = made.address.removesuffix("/realms/firm")
    made.answers["/keys"] = 200, made.own.jwks.read_bytes()
    made.says()
    yield made
    server.shutdown()
    server.server_close()


async def test_the_keys_are_found_where_the_issuer_says(issuer: Issuer) -> None:
    keys = issuer.keys()
    assert await keys.find(issuer.own.kid) is not None
    assert issuer.asked == [PLACE, "/keys"]
    assert await keys.find(issuer.own.kid) is not None
    assert await keys.find("nobody's") is None
    assert issuer.asked == [PLACE, "/keys", "/keys"], "the keys are read again, the document is not"


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "the same with a slash": {"issuer": "http://127.0.0.1/"},
    "several issuers": {"issuer": ["https://a.example"]},
    "no issuer": {"issuer": ...},
    "no keys": {"jwks_uri": ...},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "keys in a list": {"jwks_uri": ["https://a.example"]},
    "keys nowhere": {"jwks_uri": ""},
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_document_that_does_not_fit_gives_no_keys(issuer: Issuer, name: str) -> None:
    issuer.says(**WRONG[name])
    with pytest.raises(KeysUnavailable):
        await issuer.keys().find(issuer.own.kid)
    assert issuer.asked == [PLACE]


@pytest.mark.parametrize(
    "answer", [(500, b""), (302, b""), (200, b"not JSON"), (200, b'["x"]'), (200, b" " * (MAX_BYTES + 1))]
)
async def test_what_is_no_document_gives_no_keys(issuer: Issuer, answer: tuple[int, bytes]) -> None:
    issuer.answers[PLACE] = answer
    with pytest.raises(KeysUnavailable):
        await issuer.keys().find(issuer.own.kid)
    assert issuer.asked == [PLACE], "redirects are not followed"


async def test_keys_that_moved_are_found_again(issuer: Issuer) -> None:
    keys = issuer.keys()
    assert await keys.find(issuer.own.kid) is not None
    issuer.answers["/new"] = issuer.answers.pop("/keys")
    issuer.says(jwks_uri=f"{issuer.address}/new")
    assert await keys.find("rotated") is None  # what was there is gone; the next look asks the issuer
    assert await keys.find("rotated") is None
    assert issuer.asked[-2:] == [PLACE, "/new"]
    assert await keys.find(issuer.own.kid) is not None


def test_the_document_is_asked_for_again_when_it_is_old(issuer: Issuer) -> None:
    at = [0.0]
    discovered = Discovered(https=False, tick=lambda: at[0])
    for at[0] in (0.0, FRESH_FOR - 1, FRESH_FOR + 1):
        discovered(issuer.address, 5.0)
    assert issuer.asked == [PLACE, "/keys", "/keys", PLACE, "/keys"]


def test_where_the_issuer_is_https_its_keys_are_too(issuer: Issuer) -> None:
    def read(_address: str, _deadline: float) -> bytes:
        return json.dumps({"issuer": "https://a.example", "jwks_uri": "http://a.example/keys"}).encode()

    with pytest.raises(ValueError, match="no usable address"):
        Discovered(https=True, read=read)("https://a.example", 5.0)


async def test_settings_without_keys_ask_the_issuer(issuer: Issuer) -> None:
    settings = Settings(service="things", port=1, dsn="postgresql://x", issuer=issuer.address)
    verifier = Verifier(keys_of(settings), DEV_ISSUER, AUDIENCE)
    assert (await verifier.verify(issuer.own.issue("boris"))).person == "boris"
    with pytest.raises(ValidationError, match="CONVEYOR_JWKS"):
        Settings(service="things", port=1, dsn="postgresql://x")
