"""Everybody whom a fact names has its client among theirs, whoever wrote the fact down."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import asyncpg
from pay_histories import company

from belt.io.store.migrate import upgrade
from compensation.intake import take
from compensation.main import SERVICE
from compensation.parties import pairs
from conveyor_events import HOUSE, Envelope, to_json

AS_BEFORE = """
insert into facts (event_id, type, client_id, occurred_at, envelope)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
"""
PARTIES = "select person, client_id from parties"
KINDS = "select type, schema from kinds"


async def kept(dsn: str, envelopes: list[Envelope], *, by_an_older_release: bool) -> tuple[list[tuple[str, ...]], ...]:
    """Parties and kinds after these facts were taken in."""
    await upgrade(dsn, SERVICE.package)
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            if by_an_older_release:
                columns = [(e.id, e.type, e.client_id, e.occurred_at, json.dumps(to_json(e))) for e in envelopes]
                await connection.execute(AS_BEFORE, *map(list, zip(*columns, strict=True)))
            else:
                await take(connection, envelopes)
        named, kinds = await connection.fetch(PARTIES), await connection.fetch(KINDS)
        return sorted(map(tuple, named)), sorted(map(tuple, kinds))
    finally:
        await connection.close()


async def test_what_an_older_release_writes_is_filed_as_well(new_database: Callable[[], Awaitable[str]]) -> None:
    envelopes = company(7, 12).envelopes
    ours = await kept(await new_database(), envelopes, by_an_older_release=False)
    theirs = await kept(await new_database(), envelopes, by_an_older_release=True)
    assert ours == theirs
    assert ours[0] == sorted(pairs(envelopes))


def test_a_repeat_sale_that_nobody_serves_is_the_house_s() -> None:
    sale = next(e for e in company(7, 12).envelopes if e.type == "conveyor.accounts.RepeatSale")
    nobody = replace(sale, data=sale.data | {"sale": sale.data["sale"] | {"served_by": None}})
    assert (HOUSE, sale.client_id) in pairs([nobody])
    assert (HOUSE, sale.client_id) not in pairs([sale])
