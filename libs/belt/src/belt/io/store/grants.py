"""What each role of the database may do: one line for every table, and what is not here is not allowed.

Four roles. Who migrates owns the tables and may do everything. `service` does a service's work, `relay` carries the
public log, `reader` looks. Their rights are plain grants to the tables: no function runs with the owner's (decision
0012), so nobody but the owner can change or remove what is append-only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

DEADLINE = 30.0
LOCK = "select pg_advisory_xact_lock(4713)"  # the migrations' own: two at once wait for each other


@dataclass(frozen=True)
class Rights:
    """What the three roles may do with a table: words of SQL's grant, an update perhaps of named columns only."""

    service: tuple[str, ...]
    reader: tuple[str, ...] = ("select",)
    relay: tuple[str, ...] = ()


APPEND_ONLY = Rights(("select", "insert"))
KEPT_CURRENT = Rights(("select", "insert", "update"))
"""A read model: rows are written anew, and never removed."""
PASSING = Rights(("select", "insert", "update", "delete"))
"""What comes and goes."""

STORE: dict[str, Rights] = {
    "events": APPEND_ONLY,
    "published": Rights(("select", "insert"), relay=("select",)),
    "log_chain": APPEND_ONLY,
    "log_head": Rights(("select", "update"), relay=("select",)),
    "skipped": APPEND_ONLY,
    # Who has read what. Old rows are taken away by the owner (retire-reads).
    "audit": Rights(("select", "insert"), reader=()),
    # Names and phones are recognised by their keyed hashes: nothing for those who only look.
    "claims": Rights(("select", "insert", "update", "delete"), reader=()),
    # Replies to callers; they are removed when they are old.
    "commands": Rights(("select", "insert", "delete"), reader=()),
    "gates": KEPT_CURRENT,
    "parked": Rights(("select", "insert", "update (reason)", "delete")),
    "checkpoints": Rights(("select", "insert", "update"), relay=("select", "insert", "update")),
    "timers": PASSING,
    # A key is made once and may be destroyed; it is never given out, and never replaced by another row.
    "keys": Rights(("select", "insert", "update (wrapped)"), reader=()),
    "clock": KEPT_CURRENT,
    "alembic_version": Rights(("select",)),
}


class Misnamed(ValueError):
    """A role that does not exist (whoever looks after the server makes it), or that cannot be this one."""


@dataclass(frozen=True)
class Roles:
    """The roles as they are named in the database; one that is not named gets nothing."""

    service: str | None = None
    relay: str | None = None
    reader: str | None = None

    def named(self) -> dict[str, str]:
        """The kind of each role that is named, by its name. Raises Misnamed."""
        kinds = {name: kind for kind, name in vars(self).items() if name is not None}
        if len(kinds) != sum(name is not None for name in vars(self).values()):
            raise Misnamed("service, relay and reader must be roles of their own")
        return kinds


async def grant(dsn: str, tables: Mapping[str, Rights], roles: Roles) -> None:
    """Gives each role exactly its rights, whatever it had before, in one transaction. `dsn`: as the owner.

    Nobody else may make anything in the schema or a temporary table: so no name in a statement of ours can come to mean
    another table.
    """
    connection = await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)
    try:
        async with asyncio.timeout(DEADLINE), connection.transaction():
            await connection.execute(LOCK)
            database = _quoted(await connection.fetchval("select current_database()"))
            await connection.execute("revoke create on schema public from public")
            await connection.execute(f"revoke temporary on database {database} from public")
            for name, kind in roles.named().items():
                if not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", name):
                    raise Misnamed(f"the role {name} does not exist in the database server: make it first")
                if name == await connection.fetchval("select current_user"):
                    raise Misnamed(f"{name} owns the tables: it cannot be the {kind} as well")
                role = _quoted(name)
                await connection.execute(f"revoke all on all tables in schema public from {role}")
                await connection.execute(f"grant usage on schema public to {role}")
                for table, rights in tables.items():
                    if words := getattr(rights, kind):
                        await connection.execute(f"grant {', '.join(words)} on {_quoted(table)} to {role}")
    finally:
        await connection.close(timeout=DEADLINE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
