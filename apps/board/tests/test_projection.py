"""The board's own database: each event once, things as they follow from them, made anew at will."""

from __future__ import annotations

from typing import Any

import asyncpg
from board_told import Story, whole

from board import projection
from board.reading import kinds_seen, picture
from board.sight import Seen
from board.waiting import STATIONS


async def rows(connection: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await connection.fetch("select * from things order by kind, ref")]


async def test_an_event_counts_once_however_often_it_comes(database: str) -> None:
    connection = await asyncpg.connect(database)
    told = whole().told
    async with connection.transaction():
        assert await projection.take(connection, told) == len(told)
    before = await rows(connection)
    async with connection.transaction():
        assert await projection.take(connection, [*told, *told]) == 0
    assert await rows(connection) == before
    assert await connection.fetchval("select count(*) from happened") == len(told)
    await connection.close()


async def test_topics_may_come_one_after_the_other_in_any_order(database: str) -> None:
    connection = await asyncpg.connect(database)
    told = whole().told
    for topic in ("accounts", "leads", "deals"):
        for envelope in [e for e in told if e.type.startswith(f"conveyor.{topic}.")]:
            async with connection.transaction():
                await projection.take(connection, [envelope])
    one_by_one = await rows(connection)
    await connection.execute("delete from things; delete from happened")
    async with connection.transaction():
        await projection.take(connection, told)
    assert await rows(connection) == one_by_one
    await connection.close()


async def test_a_rebuild_makes_the_same_picture(database: str) -> None:
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        for number in range(7):
            await projection.take(connection, Story(f"client-{number}").registered().told)
        await projection.take(connection, whole().told)
    before = await rows(connection)
    await connection.execute("update things set state = 'spoilt', holder = null")
    assert await projection.rebuild(connection) == 8
    assert await rows(connection) == before
    await connection.close()


async def test_the_picture_holds_what_its_viewer_may_see_and_nothing_else(database: str) -> None:
    story = Story().registered().needed().offered()
    other = Story("other", line="secret").registered().needed().offered(offer="o2")
    async with asyncpg.create_pool(database) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await projection.take(connection, [*story.told, *other.told])
        day = story.at.replace(hour=0)
        everything = frozenset((line, station) for line in ("tools", "secret") for station in STATIONS)
        for parts, expected in (
            (everything, ["lead", "lead"]),
            (frozenset({("tools", "lead-gen")}), ["lead"]),
            (frozenset({("tools", "account-mgmt")}), []),
            (frozenset[tuple[str, str]](), []),
        ):
            shown = await picture(pool, Seen(parts, {}), None, story.at, day, "UTC")
            assert [row.kind for row in shown.clocks] == expected
            assert {row.line for row in shown.clocks} <= {line for line, _ in parts}
            assert {row["line"] for row in shown.latest} <= {line for line, _ in parts}
            assert sum(map(sum, shown.flow.values())) == (
                6 if parts == everything else 3 if ("tools", "lead-gen") in parts else 0
            )


def test_a_handover_is_seen_from_either_of_its_stations() -> None:
    seen = Seen(frozenset({("tools", "conversion")}), {})
    assert kinds_seen(seen, None) == [("tools", "buyer"), ("tools", "lead"), ("tools", "opportunity")]
    assert kinds_seen(seen, "other") == []
