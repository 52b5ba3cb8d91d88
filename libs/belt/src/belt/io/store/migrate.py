"""Migrations (alembic), one history per service. Run by a job, never at start-up."""

from __future__ import annotations

import asyncio
from importlib.resources import files

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from belt.io.store.calls import APPEND_FUNCTION, AUDIT, SCHEMA
from belt.io.store.engines import engine_at
from belt.io.store.projection import StreamView, ddl

LOCK = text("select pg_advisory_xact_lock(4713)")


def config(package: str) -> Config:
    """The alembic configuration of a package that holds a folder `migrations`."""
    found = Config()
    found.set_main_option("script_location", str(files(package).joinpath("migrations")))
    return found


def head(package: str) -> str:
    """The revision that this code needs."""
    revision = ScriptDirectory.from_config(config(package)).get_current_head()
    if revision is None:
        raise RuntimeError(f"{package} has no migrations")
    return revision


def older(package: str) -> frozenset[str]:
    """The revisions that this code knows and is past. One that it does not know was made by a later release."""
    revisions = ScriptDirectory.from_config(config(package)).walk_revisions()
    return frozenset(each.revision for each in revisions) - {head(package)}


def environment() -> None:
    """What each service's `migrations/env.py` calls: runs on the connection that `upgrade` opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        connection.execute(LOCK)
        context.run_migrations()


def script(sql: str) -> None:
    """Runs several statements in the migration's transaction (asyncpg prepares one at a time otherwise)."""
    connection = context.config.attributes["connection"].connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(sql))


def create_store(*views: StreamView) -> None:
    """What a service's first migration does: the store, and the read models of its streams."""
    script(SCHEMA)
    for view in views:
        for statement in ddl(view):
            script(statement)


def create_skipped() -> None:
    """The table of skipped events, where the store is older than it."""
    found = SCHEMA[SCHEMA.index("create table skipped") :]
    script(found[: found.index(";") + 1].replace("create table", "create table if not exists", 1))


def create_audit() -> None:
    """The audit log of reads, where the store is older than it."""
    script(AUDIT)


def renew_append() -> None:
    """Brings the append function of an older database to this code's."""
    script(APPEND_FUNCTION)


async def upgrade(dsn: str, package: str) -> None:
    """Brings the database to this code's revision. Two at once wait for each other; a second run changes nothing."""

    def run(connection: Connection) -> None:
        settings = config(package)
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")

    database = engine_at(dsn)
    try:
        async with asyncio.timeout(120), database.begin() as connection:
            await connection.run_sync(run)
    finally:
        await database.dispose()
