"""Parts that every process of ours has: its pool, who verifies tokens, when it is ready, what goes on beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import structlog

from belt.io.http.auth import Verifier
from belt.io.http.issuer import DEV_ISSUER
from belt.io.http.keyset import KeySet
from belt.io.settings import Settings
from belt.io.store.engines import never_idle, not_a_standby
from belt.io.store.migrate import head, older
from belt.io.store.public_log import Pool

log = structlog.get_logger()

REVISION = "select version_num from alembic_version"


@asynccontextmanager
async def pool_for(settings: Settings) -> AsyncIterator[Pool]:
    """Connections of asyncpg. Its end is bounded: who still holds one then is cut off."""
    pool = await asyncpg.create_pool(
        settings.dsn,
        min_size=1,
        max_size=settings.pool,
        timeout=settings.database_deadline,
        command_timeout=settings.database_deadline,
        setup=not_a_standby,
        server_settings=never_idle(settings.database_deadline),
    )
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(settings.database_deadline):
                await pool.close()
        except TimeoutError:
            pool.terminate()


def verifier_for(settings: Settings, keys: KeySet) -> Verifier:
    """Whose tokens are believed."""
    return Verifier(
        keys,
        settings.issuer,
        settings.audience,
        roles_claim=settings.roles_claim,
        life=None if settings.issuer == DEV_ISSUER else settings.token_life,
    )


def migrated(package: str, ask: Callable[[str], Awaitable[Any]]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Ready means: the database answers and has the schema of this code, or a later one. Kafka may be away.

    While a release is rolled out the database is migrated first, and the pods of the old one go on working with it.
    """
    wanted, behind = head(package), older(package)

    async def check() -> None:
        has = await ask(REVISION)
        if has is None or has in behind:
            raise RuntimeError(f"the database is at revision {has}, this code needs {wanted}")

    return check


@contextmanager
def going_on(work: Coroutine[Any, Any, None], name: str, stuck: asyncio.Event) -> Iterator[None]:
    """Work that goes on as long as the process. Should it end, the process ends: half a service is worse than none."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("service.task_ended", task=name, exc_info=task.exception())
            stuck.set()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
