"""Each role of a database may do its work and nothing else; nobody but the owner can change what was once written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from belt.io.intake import skipping
from belt.io.intake.arrival import from_envelope
from belt.io.intake.parking import Parking
from belt.io.service import Service
from belt.io.store.calls import Batch
from belt.io.store.chain import verify
from belt.io.store.grants import STORE, Misnamed, Rights, Roles, grant
from belt.io.store.migrate import upgrade
from checks.docs.apps import services
from conveyor_events import from_json
from conveyor_local import Stack
from conveyor_local.admin import create_role, drop_role

pytestmark = [pytest.mark.contract]
BY_NAME = {service.name: service for service in services()}
SAMPLES = Path(__file__).parents[2] / "libs/events/samples"
TOPIC = "conveyor.leads.v1"
MADE = """
select c.relname::text as table, lower(a.privilege_type) as word
from pg_class c, aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p') and a.grantee = $1::regrole
union all
select c.relname, lower(a.privilege_type) || ' (' || t.attname || ')'
from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p') and a.grantee = $1::regrole
"""
TABLES = (
    "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'p')"
)


@dataclass
class Place:
    """A service's database, and how each role reaches it."""

    service: Service
    roles: Roles
    dsns: dict[str, str]

    async def may(self, kind: str, sql: str) -> bool:
        """Whether the role is let do it; what it did is taken back."""
        connection = await asyncpg.connect(self.dsns[kind])
        try:
            async with connection.transaction():
                await connection.execute(sql)
                raise TakeBack
        except TakeBack:
            return True
        except asyncpg.InsufficientPrivilegeError:
            return False
        finally:
            await connection.close()


class TakeBack(Exception):
    """Ends a transaction that went well."""


@pytest.fixture(scope="module", params=list(BY_NAME))
async def place(request: pytest.FixtureRequest, stack: Stack) -> AsyncIterator[Place]:
    """Migrated by an owner who is no superuser; rights given twice, the second time to roles that had too many."""
    service = BY_NAME[request.param]
    mark = uuid4().hex[:8]
    database = f"{service.package}_{mark}"
    dsn = await stack.create_database(database)
    roles = Roles(f"service-{mark}", f"relay-{mark}", f"reader-{mark}")
    dsns = {"owner": await create_role(dsn, f"owner-{mark}", owns=database)}
    dsns |= {kind: await create_role(dsn, name) for kind, name in vars(roles).items()}
    try:
        await upgrade(dsns["owner"], service.package)
        await grant(dsns["owner"], service.rights(), roles)
        await run(dsns["owner"], f'grant all on all tables in schema public to "{roles.reader}", "{roles.service}"')
        await grant(dsns["owner"], service.rights(), roles)
        yield Place(service, roles, dsns)
    finally:
        await stack.drop_database(database)
        for name in (f"owner-{mark}", *vars(roles).values()):
            await drop_role(stack.dsn(), name)


async def test_each_role_has_exactly_the_rights_of_the_table(place: Place) -> None:
    rights = place.service.rights()
    connection = await asyncpg.connect(place.dsns["owner"])
    for kind, role in vars(place.roles).items():
        has: dict[str, set[str]] = {}
        for row in await connection.fetch(MADE, f'"{role}"'):
            has.setdefault(row["table"], set()).add(row["word"])
        wanted = {table: set(getattr(line, kind)) for table, line in rights.items() if getattr(line, kind)}
        assert has == wanted, kind
    assert {row[0] for row in await connection.fetch(TABLES)} == set(rights), "a table without a line, or the reverse"
    await connection.close()


async def test_old_reads_are_retired_by_the_owner_and_whoever_else_tries_is_told_so(
    place: Place, tmp_path: Path
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text('{"keys": []}')
    ended = {}
    for kind in ("service", "owner"):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "USER": "ops",
                       "CONVEYOR_DSN": place.dsns[kind], "CONVEYOR_JWKS": str(keys)}  # fmt: skip
        command = [sys.executable, "-m", place.service.package, "retire-reads", "--days", "400"]
        ended[kind] = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended["owner"].returncode == 0, ended["owner"].stderr
    assert ended["service"].returncode == 1
    assert "only the owner of the database" in ended["service"].stderr
    assert "Traceback" not in ended["service"].stderr


async def test_what_was_written_stays_for_all_but_the_owner(place: Place) -> None:
    kept = {name for name, line in place.service.rights().items() if set(line.service) <= {"select", "insert"}}
    assert {"events", "published", "log_chain", "skipped"} <= kept
    assert place.service.name != "compensation" or "facts" in kept
    for table in sorted(kept):
        column = await anything(place.dsns["owner"], table)
        for kind in ("service", "relay", "reader"):
            for sql in (f"update {table} set {column} = {column}", f"delete from {table}", f"truncate {table}"):
                assert not await place.may(kind, sql), (kind, sql)
    assert await place.may("owner", "delete from events"), "what an owner may do is told in docs/security.md"


FORBIDDEN = {
    "service": [
        "update keys set holder = holder", "delete from keys", "truncate commands", "update commands set reply = null",
        "delete from log_head", "delete from checkpoints", "update parked set value = ''",
        "create table mine (x int)", "create schema mine", "create temporary table events (x int)", "drop table timers",
        "alter table events disable trigger all", "drop function append_batch",
        "insert into alembic_version values ('x')", "update alembic_version set version_num = 'x'",
    ],
    "relay": [
        "select from events", "select from keys", "select from commands", "select from claims",
        "insert into published select * from published", "update log_head set position = 0", "delete from checkpoints",
        "create temporary table published (x int)",
    ],
    "reader": [
        "select from keys", "select from claims", "select from commands", "insert into events select * from events",
        "update checkpoints set position = 0", "delete from timers", "create temporary table mine (x int)",
    ],
}  # fmt: skip


async def test_nobody_reaches_beyond_his_work(place: Place) -> None:
    for kind, statements in FORBIDDEN.items():
        for sql in statements:
            assert not await place.may(kind, sql), (kind, sql)
    assert await place.may("relay", "select position, topic, key, value from published")
    assert await place.may("reader", "select from events")
    assert await verify(place.dsns["reader"]) is None
    for kind in ("relay", "reader"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await nothing_is_appended(place.dsns[kind])
    await nothing_is_appended(place.dsns["service"])


async def test_a_service_parks_explains_passes_over_and_takes_away(place: Place) -> None:
    event = from_json(json.loads((SAMPLES / "leads.LeadQualified.v1.json").read_text()))
    first, second = (replace(event, id=uuid4(), sequence=n) for n in (1, 2))
    pool = await asyncpg.create_pool(place.dsns["service"], min_size=1, max_size=1)
    try:
        parking = Parking(place.service.name, pool)
        await parking.park(from_envelope(TOPIC, first), "seeded")
        assert await parking.queue(from_envelope(TOPIC, second), 0)
        parked = await parking.first(TOPIC, event.subject, 0)
        assert parked is not None
        await parking.explain(parked, "still")
        await skipping.record(parking, parked, "vera", "a test")
        key = parking.key_of(parked.arrival)
        await parking.ask("execute", skipping.COMPLETE, place.service.name, TOPIC, event.subject, 1, key)
        await parking.remove(parked)
        assert await parking.left(TOPIC, event.subject) == 1
        assert [one.by for one in await skipping.listed(parking, 0, 10)] == ["vera"]
    finally:
        await pool.close()


async def test_a_role_that_cannot_be_is_named_and_nothing_changes(place: Place) -> None:
    rights = place.service.rights()
    with pytest.raises(Misnamed, match="the role nobody-made-this does not exist"):
        await grant(place.dsns["owner"], rights, Roles(place.roles.service, reader="nobody-made-this"))
    owner = place.dsns["owner"].split("//")[1].partition(":")[0]
    with pytest.raises(Misnamed, match="owns the tables"):
        await grant(place.dsns["owner"], rights, Roles(service=owner))
    with pytest.raises(Misnamed, match="roles of their own"):
        await grant(place.dsns["owner"], rights, Roles("same", "same"))
    assert await place.may("service", "select from events")


async def test_a_new_table_without_a_line_is_found(database: str) -> None:
    await upgrade(database, "lead_gen")
    await run(database, "create table stray (x int)")
    connection = await asyncpg.connect(database)
    assert {row[0] for row in await connection.fetch(TABLES)} - set(BY_NAME["lead-gen"].rights()) == {"stray"}
    await connection.close()


def test_the_table_is_on_the_side_of_those_who_only_look() -> None:
    for service in services():
        for table, line in service.rights().items():
            assert line.reader in ((), ("select",)), table
            assert "truncate" not in line.service, table
    assert [table for table, line in STORE.items() if not line.reader] == ["audit", "claims", "commands", "keys"]
    assert {table for table, line in STORE.items() if line.relay} == {"published", "log_head", "checkpoints"}
    assert Rights(("select",)) == STORE["alembic_version"]


async def run(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(sql)
    await connection.close()


async def anything(dsn: str, table: str) -> str:
    """The name of some column."""
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval(
        "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and attidentity = '' limit 1",
        table,
    )
    await connection.close()
    return str(found)


async def nothing_is_appended(dsn: str) -> None:
    """One unit that only marks its key."""
    sql, arguments = Batch(units=[(str(uuid4()), None, None)]).call(None)
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval(sql, *arguments) == [0]
    finally:
        await connection.close()
