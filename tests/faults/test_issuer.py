"""The issuer of tokens is away, changes its keys, or is asked for keys that nobody has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stations import end, eventually, ready, settings_of, spawn

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.running import Running
from conveyor_local.home import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]

INTERVAL = 1.0
QUICK = f"""
from functools import partial
import belt.io.http.discovery as parts
from conversion.main import SERVICE
from belt.io.service import run
parts.KeySet = partial(parts.KeySet, min_interval={INTERVAL})
run(SERVICE)
"""
"""The service as it is, but that it may ask again after a second; else it waits for thirty."""


@dataclass
class Issuer:
    """Key sets as an issuer publishes them, on a real server; it counts who asks."""

    folder: Path
    port: int = 0
    asked: int = 0
    away: bool = False
    issuers: list[DevelopmentIssuer] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                keys = [key for one in issuer.issuers for key in json.loads(one.jwks.read_bytes())["keys"]]
                self.send_response(503 if issuer.away else 200)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": keys}).encode())

            def log_message(self, *_: object) -> None:
                """Nothing: the test's output is its own."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def rotate(self, *, keep: bool) -> DevelopmentIssuer:
        new = DevelopmentIssuer(self.folder / str(len(self.issuers)) / "new")
        while new.kid in {one.kid for one in self.issuers}:
            new = DevelopmentIssuer(self.folder / new.kid)
        self.issuers = [*self.issuers, new] if keep else [new]
        return new


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    issuer = Issuer(tmp_path)
    issuer.rotate(keep=False)
    issuer.open()
    yield issuer
    issuer.close()


@pytest.fixture
async def door(running: Running, issuer: Issuer) -> AsyncIterator[str]:
    """A second door of conversion, which believes this issuer."""
    port = free_port()
    wanted = {"CONVEYOR_PORT": str(port), "CONVEYOR_JWKS": f"http://127.0.0.1:{issuer.port}/keys"}
    settings = settings_of(running, "conversion") | wanted
    server = spawn(running, "conversion", ["-c", QUICK, "api"], settings, "other-issuer")
    try:
        await ready(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}/v1/offers"
    finally:
        await end(server)


async def test_keys_outlive_their_issuer_and_a_flood_of_unknown_ones_asks_it_once_a_while(
    issuer: Issuer, door: str
) -> None:
    async with aiohttp.ClientSession() as http:

        async def status(token: str) -> int:
            async with http.get(door, headers={"authorization": f"Bearer {token}"}) as answer:
                return answer.status

        def token(by: DevelopmentIssuer, person: str) -> str:
            return by.issue(person, roles=("driver",))

        (old,) = issuer.issuers
        assert (await status(token(old, "a")), issuer.asked) == (200, 1)

        # It is away altogether: what it signed is still believed, also what was not seen before.
        issuer.close()
        assert {await status(token(old, f"away-{n}")) for n in range(3)} == {200}
        stranger = Ed25519PrivateKey.generate()
        assert await status(signed(stranger, "unknown-while-away")) == 401
        assert await status(token(old, "still")) == 200
        issuer.open()

        # Somebody floods the door with key ids that nobody has.
        loop = asyncio.get_running_loop()
        began, before, said = loop.time(), issuer.asked, set()
        while loop.time() < began + 1.5 * INTERVAL:
            said |= set(await asyncio.gather(*(status(signed(stranger, f"kid-{n}-{loop.time()}")) for n in range(20))))
        assert said == {401}
        assert 1 <= issuer.asked - before <= 1 + (loop.time() - began) / INTERVAL

        # A second key beside the first: both are believed. Then the first is withdrawn.
        new = issuer.rotate(keep=True)

        async def believed() -> bool:
            return await status(token(new, "b")) == 200

        await eventually(believed, "the new key is found", 5.0)
        remembered = token(old, "c")
        assert await status(remembered) == 200
        last = issuer.rotate(keep=False)

        async def last_believed() -> bool:
            return await status(token(last, "d")) == 200

        await eventually(last_believed, "the last key is found", 5.0)
        assert {await status(one) for one in (remembered, token(old, "e"), token(new, "f"))} == {401}

        # The issuer answers with errors: nothing is forgotten.
        issuer.away = True
        assert await status(signed(stranger, "yet-another")) == 401
        assert await status(token(last, "g")) == 200


def signed(key: Ed25519PrivateKey, kid: str) -> str:
    claims = {"iss": "urn:conveyor:development", "aud": "conveyor", "sub": "x", "exp": 4_000_000_000, "scope": "x"}
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid})
