"""What several tests share made importable, and the real service on a real database."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import running
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from conveyor_local.stack import Stack

sys.path.insert(0, str(Path(__file__).parent))

from pay_office import NOW, Office

from compensation.main import SERVICE


@pytest_asyncio.fixture(scope="session")
async def office(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The service's HTTP side without Kafka: what it would hear is told to it directly. For reading only."""
    dsn = await stack.create_database("compensation_office")
    await upgrade(dsn, SERVICE.package)
    folder = tmp_path_factory.mktemp("office")
    key, issuer = folder / "sealing.key", DevelopmentIssuer(folder)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(
        service=SERVICE.name,
        port=0,
        dsn=dsn,
        jwks=str(issuer.jwks),
        key_file=key,
        clock="driven",
        zone="Europe/Berlin",
    )
    async with running(SERVICE, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(NOW)
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://compensation") as http:
            made = Office(http, issuer, dsn, parts.desk)
            await made.open()
            await made.march_is_closed(parts.desk)
            yield made
