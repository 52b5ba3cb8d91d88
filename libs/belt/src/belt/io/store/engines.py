"""SQLAlchemy over asyncpg, which alone reads the address: so one address means the same everywhere, `?sslmode=` too."""

from __future__ import annotations

from functools import partial
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def engine_at(dsn: str, *, deadline: float | None = None, **pool: Any) -> AsyncEngine:
    """An engine for this address. `deadline`: of a connection and of a command."""
    connect = partial(asyncpg.connect, dsn, command_timeout=deadline, **({"timeout": deadline} if deadline else {}))
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, **pool)
