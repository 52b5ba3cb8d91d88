"""Commands are refused before the disk is full, and taken again when there is room."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from belt.io.http.app import create_app
from belt.io.http.auth import Verifier
from belt.io.http.doors import Doors
from belt.io.http.issuer import AUDIENCE, DEV_ISSUER, DevelopmentIssuer
from belt.io.http.keyset import KeySet
from belt.io.store.storage import Limits, Storage, closes, room
from conveyor_local.fixtures import NewDatabase

MIB = 1024**2


@pytest.mark.parametrize(
    ("used", "free", "closed", "then"),
    [
        (99, None, False, False),
        (100, None, False, True),
        (96, None, True, True),  # a little better is not enough
        (95, None, True, True),
        (94, None, True, False),
        (0, 49, False, True),
        (0, 50, False, False),
        (0, 51, True, True),
        (0, 53, True, False),
    ],
)
def test_who_refuses_goes_on_until_it_is_clearly_better(used: int, free: int | None, closed: bool, then: bool) -> None:
    assert closes(Limits(100, 50, Path("/")), used, free, closed=closed) is then


@pytest.mark.parametrize(
    ("limits", "used", "free", "left"),
    [
        (Limits(100), 30, None, 70),
        (Limits(100), 120, None, -20),
        (Limits(0, 50, Path("/")), 30, 80, 30),
        (Limits(100, 50, Path("/")), 30, 80, 30),
        (Limits(100, 50, Path("/")), 90, 800, 10),
    ],
)
def test_room_is_what_the_narrower_limit_leaves(limits: Limits, used: int, free: int | None, left: int) -> None:
    assert room(limits, used, free) == left


def test_without_limits_nothing_is_refused() -> None:
    assert not Limits().any
    assert not closes(Limits(), 10**15, None, closed=False)


async def closed(storage: Storage) -> bool:
    await storage.look()
    return storage.closed


async def test_a_database_that_grows_closes_the_doors_and_one_that_shrinks_opens_them(
    new_database: NewDatabase,
) -> None:
    async with asyncpg.create_pool(await new_database(None), min_size=1, max_size=2) as pool:
        size = await pool.fetchval("select pg_database_size(current_database())")
        storage = Storage(pool, Limits(used=size + 4 * MIB))
        seen = [await closed(storage)]
        await pool.execute(
            "create table filler as select repeat(md5(n::text), 8) as text from generate_series(1, 40000) n"
        )
        seen.append(await closed(storage))
        await pool.execute("drop table filler")
        await storage.look()
        assert seen == [False, True]
        assert storage.closed is (
            (size + 4 * MIB) * 0.95 <= await pool.fetchval("select pg_database_size(current_database())")
        )
        left = {"free": 0}
        watched = Storage(pool, Limits(free=20 * MIB, path=Path("/")), free=lambda _: left["free"])
        for room, then in ((10, True), (30, False)):
            left["free"] = room * MIB
            assert await closed(watched) is then


def _app(folder: Path, full: dict[str, bool]) -> tuple[FastAPI, str]:
    doors = Doors()

    @doors.command("/v1/things", "leads:write", reply=None)
    async def make() -> dict[str, str]:
        """A command."""
        return {"made": "yes"}

    @doors.command("/v1/mending", "leads:write", reply=None, when_full=True)
    async def mend() -> dict[str, str]:
        """What helps to mend."""
        return {"mended": "yes"}

    @doors.query("/v1/things", "leads:write", reply=None)
    async def look() -> dict[str, str]:
        """A look."""
        return {"things": "none"}

    issuer = DevelopmentIssuer(folder)
    verifier = Verifier(KeySet(str(issuer.jwks)), DEV_ISSUER, AUDIENCE)
    return create_app("Full", [doors], verifier, full=lambda: full["is"]), issuer.issue("rosa", scopes=["leads:write"])


async def test_commands_are_refused_and_everything_else_goes_on(tmp_path: Path) -> None:
    full = {"is": True}
    app, token = _app(tmp_path, full)
    signed = {"authorization": f"Bearer {token}"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://full", headers=signed) as client:
        refused = await client.post("/v1/things")
        assert (refused.status_code, refused.json()["code"]) == (503, "storage-low")
        assert int(refused.headers["retry-after"]) > 0
        assert (await client.post("/v1/mending")).status_code == 200
        assert (await client.get("/v1/things")).status_code == 200
        full["is"] = False
        assert (await client.post("/v1/things")).status_code == 200
