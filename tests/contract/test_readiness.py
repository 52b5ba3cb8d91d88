"""A pod is ready with the schema of its own release or of a later one: a roll migrates first, then replaces pods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from httpx import ASGITransport, AsyncClient

from belt.io.running import running
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.migrate import head, older, upgrade
from checks.docs.apps import services


@pytest.mark.parametrize("service", services(), ids=lambda service: service.name)
async def test_a_pod_is_ready_until_the_database_lacks_a_migration_that_it_needs(
    service: Service, new_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> None:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    dsn = await new_database()
    await upgrade(dsn, service.package)
    given = Settings(service=service.name, port=0, dsn=dsn, jwks="nowhere", key_file=key)
    owner = await asyncpg.connect(dsn)
    before = older(service.package)
    assert before
    try:
        async with running(service, given, role="api") as parts:
            assert parts.app is not None
            async with AsyncClient(transport=ASGITransport(parts.app), base_url="http://door") as door:

                async def ready_at(revision: str) -> bool:
                    await owner.execute("update alembic_version set version_num = $1", revision)
                    return (await door.get("/readyz")).status_code == 200

                assert await ready_at(head(service.package))
                assert await ready_at("9999_of_the_next_release")
                assert not any([await ready_at(revision) for revision in before])
                await owner.execute("delete from alembic_version")
                assert (await door.get("/readyz")).status_code == 503
    finally:
        await owner.close()
