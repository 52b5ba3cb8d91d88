"""A session is known by its id alone, and whoever reads the database can be nobody."""

from __future__ import annotations

import asyncpg

from board.sessions import Seal, Sessions

KEY = b"0123456789abcdef0123456789abcdef"


async def test_a_session_is_found_until_it_is_ended(database: str) -> None:
    async with asyncpg.create_pool(database) as pool:
        sessions = Sessions(pool, KEY)
        name = await sessions.begin("ana", "Ana", "a-token", frozenset({"leads:read"}), 3_600)
        found = await sessions.find(name)
        assert found is not None
        assert (found.person, found.name, found.token) == ("ana", "Ana", "a-token")
        assert found.may("leads:read")
        assert 3_500 < found.rest < 3_600
        assert not found.may("pay:read:all")
        assert await sessions.find(name[:-1] + "x") is None
        await sessions.end(name)
        assert await sessions.find(name) is None


async def test_neither_id_nor_token_stands_in_the_database(database: str) -> None:
    async with asyncpg.create_pool(database) as pool:
        name = await Sessions(pool, KEY).begin("ana", "Ana", "a-secret-token", frozenset(), 3_600)
        stored = "".join(str(row) for row in await pool.fetch("select * from sessions"))
        assert name not in stored
        assert "a-secret-token" not in stored
        assert b"a-secret-token" not in await pool.fetchval("select sealed from sessions")
        assert await Sessions(pool, b"another key of thirty-two bytes.").find(name) is None


async def test_a_session_ends_with_its_token(database: str) -> None:
    async with asyncpg.create_pool(database) as pool:
        sessions = Sessions(pool, KEY)
        assert await sessions.find(await sessions.begin("ana", "Ana", "t", frozenset(), 1.0)) is None


def test_a_seal_opens_only_what_it_closed() -> None:
    seal = Seal(KEY, "sessions")
    closed = seal.close("something")
    assert seal.open(closed) == "something"
    assert seal.open(closed[:-1] + bytes([closed[-1] ^ 1])) is None
    assert Seal(KEY, "errands").open(closed) is None
    assert seal.open(b"") is None
