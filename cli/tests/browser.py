"""A sign-in that is served over a real socket, and an application that signs somebody in as a browser and it would."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import uvicorn

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.signin.app import SignIn
from conveyor.signin.clients import Client
from conveyor.signin.exchange import challenge_of
from conveyor.signin.people import Person

REDIRECT = "http://127.0.0.1:8005/signin/callback"
AFTER = "http://127.0.0.1:8005/"
BOARD = Client("board", frozenset({REDIRECT, "http://127.0.0.1:8005/other"}), frozenset({AFTER}))
OTHER = Client("other", frozenset({"http://127.0.0.1:9005/callback", REDIRECT}))
BORIS = Person("boris", ("hunter",), "tools: conversion")


@dataclass
class Watch:
    """A clock that goes when it is told to."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def served(folder: Path, people: Any, now: Watch) -> AsyncIterator[str]:
    """The address of a running sign-in."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        signin = SignIn(address, DevelopmentIssuer(folder), {one.id: one for one in (BOARD, OTHER)}, people, now=now)
        server = uvicorn.Server(uvicorn.Config(signin.app(), log_level="warning", lifespan="off", ws="none"))
        task = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield address
        finally:
            server.should_exit = True
            await task


@dataclass
class Application:
    """The board's part: what it remembers between leaving and coming back."""

    http: httpx.AsyncClient
    issuer: str
    told: Mapping[str, Any]
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=secrets.token_urlsafe)
    nonce: str = field(default_factory=secrets.token_urlsafe)

    @classmethod
    async def of(cls, http: httpx.AsyncClient, issuer: str) -> Application:
        told = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
        assert told["issuer"] == issuer
        return cls(http, issuer, told)

    def request(self, **changed: str | None) -> dict[str, str]:
        """The parameters of a request in order, with these changes; None takes one away."""
        whole = {
            "response_type": "code",
            "client_id": BOARD.id,
            "redirect_uri": REDIRECT,
            "scope": "openid profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (whole | changed).items() if value is not None}

    async def ask(self, **changed: str | None) -> httpx.Response:
        return await self.http.get(self.told["authorization_endpoint"], params=self.request(**changed))

    async def pick(self, shown: httpx.Response, **fields: str | list[str]) -> httpx.Response:
        return await self.http.post(f"{self.issuer}/pick", data={"ticket": ticket_of(shown), **fields})

    async def code(self, person: str = "boris", **changed: str | None) -> str:
        """Goes there, picks, and is back with a code."""
        back = answered(await self.pick(await self.ask(**changed), person=person))
        assert back["iss"] == self.issuer
        assert back["state"] == self.state
        return back["code"]

    async def redeem(self, code: str, /, **changed: str | None) -> httpx.Response:
        whole = {
            "grant_type": "authorization_code",
            "client_id": BOARD.id,
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        fields = {name: value for name, value in (whole | changed).items() if value is not None}
        return await self.http.post(self.told["token_endpoint"], data=fields)

    async def keys(self) -> jwt.PyJWKSet:
        return jwt.PyJWKSet.from_dict((await self.http.get(self.told["jwks_uri"])).json())


def ticket_of(shown: httpx.Response) -> str:
    assert "<form" in shown.text, shown.text
    return str(re.findall(r'name="ticket" value="([^"]+)"', shown.text)[0])


def answered(response: httpx.Response, at: str = REDIRECT) -> dict[str, str]:
    """What the application is told at its address."""
    assert response.status_code == 303, response.text
    place, _, query = response.headers["location"].partition("?")
    assert place == at
    return dict(parse_qsl(query, strict_parsing=True))


def refused(response: httpx.Response, error: str) -> bool:
    """Whether the token endpoint says this, and nothing else."""
    body = response.json()
    return response.status_code in (400, 401) and body["error"] == error and "access_token" not in body


def host_of(address: str) -> str:
    return urlsplit(address).netloc
