"""SQLAlchemy over asyncpg, which alone reads the address: so one address means the same everywhere, `?sslmode=` too."""

from __future__ import annotations

from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

LONGEST = 4  # deadlines that a transaction may take: it has several statements, and each may wait for a lock
KEEPALIVES = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""For a connection's `server_settings`: who went without a word, as with its machine, holds no lock for long."""


def engine_at(dsn: str, *, deadline: float | None = None, **pool: Any) -> AsyncEngine:
    """An engine for this address. `deadline`: of a connection and of a command."""
    connect = partial(asyncpg.connect, dsn, command_timeout=deadline, **({"timeout": deadline} if deadline else {}))
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, **pool)
    event.listen(engine.sync_engine, "handle_error", _leave_a_standby)
    return engine


def _leave_a_standby(context: ExceptionContext) -> None:
    """Connections to a database that only takes questions are made anew: the leader is elsewhere."""
    if getattr(context.original_exception, "sqlstate", None) == asyncpg.ReadOnlySQLTransactionError.sqlstate:
        context.is_disconnect = True


async def not_a_standby(connection: Any) -> None:
    """What a pool looks at before it hands a connection out; one that is refused is closed. Costs no question."""
    said = connection.get_settings()
    if "on" in (getattr(said, "in_hot_standby", ""), getattr(said, "default_transaction_read_only", "")):
        raise ConnectionError("the database only takes questions")


def never_idle(deadline: float) -> dict[str, str]:
    """For a connection's `server_settings`: whoever stands still in the midst of a transaction loses what it locked.

    Who stops in the midst of a question, after Parse and before Bind, is "active" and not idle, and no statement is
    running either: only the limit of the whole transaction ends that session.
    """
    return {
        "idle_in_transaction_session_timeout": f"{int(deadline * 1000)}",
        "transaction_timeout": f"{int(LONGEST * deadline * 1000)}",
    }
