"""The audit log of reads: added to and never changed, durable before the answer, paged without a hole, watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from feed_service import PAY, Service, served
from wire import fetchval, publish

from belt.core.decider import Refused
from belt.io.running import engine_for
from belt.io.settings import Settings
from belt.io.store.audit import Audit, Read

READS = ("events:read", "pay:read:all")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def service(counters: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with served(counters, tmp_path) as running:
        yield running


@pytest.fixture
async def audit(counters: str) -> AsyncIterator[Audit]:
    engine = engine_for(Settings(service="audit", port=0, dsn=counters, jwks="nowhere"))
    yield Audit(engine, 5.0)
    await engine.dispose()


def read(person: str = "vera", *whose: str) -> Read:
    return Read(person, ["pay:audit"], "pay", whose or ("ana",), "/v1/x/{x}", "/v1/x/1", "request-1", None)


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def page(service: Service, query: str = "") -> dict[str, Any]:
    answer = await service.get(f"/v1/audit?{query}", "audit:read")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_row_says_who_when_by_which_rights_what_whose_and_where(service: Service) -> None:
    await publish(service.dsn, [(PAY, "boris"), (PAY, "ana"), ("conveyor.leads.v1", "acme")])
    answer = await service.get("/v1/events", *READS, traceparent=TRACE)
    (row,) = (await page(service, "of=ana"))["items"]
    assert row.pop("id") > 0
    assert row.pop("read_at").endswith("Z")
    assert row == {
        "person": "rosa",
        "scopes": ["events:read", "pay:read:all"],
        "kind": "pay",
        "whose": ["ana", "boris"],
        "route": "/v1/events",
        "path": "/v1/events",
        "request_id": answer.headers["x-request-id"],
        "trace_id": TRACE.split("-")[1],
    }


async def test_nothing_is_answered_that_cannot_be_written_down(service: Service) -> None:
    await publish(service.dsn, [(PAY, "ana"), ("conveyor.leads.v1", "acme")])
    await execute(service.dsn, "alter table audit rename to elsewhere")
    refused = await service.get("/v1/events", *READS)
    assert (refused.status_code, refused.json()["code"]) == (503, "audit-unavailable")
    assert "ana" not in refused.text
    assert refused.headers["retry-after"] == "2"
    assert (await service.get("/v1/events", "events:read")).status_code == 200, "what is no pay goes on"
    await execute(service.dsn, "alter table elsewhere rename to audit")
    assert (await service.get("/v1/events", *READS)).status_code == 200
    assert await fetchval(service.dsn, "select count(*) from audit") == 1


async def test_a_log_that_hangs_is_not_waited_for_without_end(counters: str) -> None:
    engine = engine_for(Settings(service="audit", port=0, dsn=counters, jwks="nowhere"))
    holder = await asyncpg.connect(counters)
    try:
        async with holder.transaction():
            await holder.execute("lock table audit in access exclusive mode")
            with pytest.raises(Refused) as late:
                await Audit(engine, 0.3).record(read())
        assert late.value.code == "audit-unavailable"
    finally:
        await holder.close()
        await engine.dispose()


async def test_rows_are_added_and_never_changed_and_taken_away_only_when_old(counters: str, audit: Audit) -> None:
    await audit.record(read())
    for statement in ("update audit set person = 'nobody'", "delete from audit", "truncate audit"):
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await execute(counters, statement)
    columns = "read_at, person, scopes, kind, whose, route, path, request_id"
    old = "clock_timestamp() - interval '400 days', 'otto', '{}', 'pay', '{ana}', '/v1/x', '/v1/x', 'r'"
    await execute(counters, f"insert into audit ({columns}) values ({old})")
    assert await audit.retire(500, "root") is None
    assert await audit.retire(366, "root") == "1 rows older than 366 days"
    left = await audit.listed(0, 10, None, None)
    assert [(one.read.person, one.read.route) for one in left] == [("vera", "/v1/x/{x}"), ("root", "retire-reads")]
    with pytest.raises(ValueError, match="365 days at least"):
        await audit.retire(364, "root")


async def test_many_reads_at_once_share_few_commits_and_none_is_lost(counters: str, audit: Audit) -> None:
    await asyncio.gather(*(audit.record(read(f"p{n}", f"c{n % 7}")) for n in range(300)))
    assert await fetchval(counters, "select count(*) from audit") == 300
    assert await fetchval(counters, "select count(distinct xmin::text) from audit") <= 3  # type: ignore[operator]
    assert len(await audit.listed(0, 200, "p5", None)) == 1
    assert len(await audit.listed(0, 200, None, "c3")) == 43


async def test_pages_follow_one_another_and_looking_is_written_down(service: Service) -> None:
    await publish(service.dsn, [(PAY, "ana")])
    for _ in range(5):
        await service.get("/v1/events", *READS)
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        found = await page(service, f"of=ana&limit=2&after={after}")
        seen += [row["kind"] for row in found["items"]]
        after = found["next"]
    assert seen[:5] == ["pay"] * 5
    looks = await page(service, "person=rosa&limit=200")
    rows = [row for row in looks["items"] if row["kind"] == "audit"]
    assert len(rows) >= 3
    assert all((row["whose"], row["route"]) == (["ana"], "/v1/audit") for row in rows)
    assert (await service.get("/v1/audit", *READS)).status_code == 403
    for wrong in ("after=-1", "limit=201", f"person={'x' * 201}"):
        assert (await service.get(f"/v1/audit?{wrong}", "audit:read")).status_code == 422
