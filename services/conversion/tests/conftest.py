"""The stories of this folder made importable, and the real service on a real database."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from belt.io.clock import DrivenClock
from belt.io.http.issuer import DevelopmentIssuer
from belt.io.running import running
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from conveyor_local.stack import Stack

sys.path.insert(0, str(Path(__file__).parent))

from conversion_house import House
from conversion_stories import FRIDAY

from conversion.main import SERVICE

TEMPLATE = "conversion_template"


@pytest_asyncio.fixture(scope="session")
async def template(stack: Stack) -> str:
    """A database with this service's migrations, to be copied for each test."""
    await upgrade(await stack.create_database(TEMPLATE), SERVICE.package)
    return TEMPLATE


@pytest_asyncio.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """The service's HTTP side and what it stands on, without Kafka: what it would hear is told to it directly."""
    key, issuer = tmp_path / "sealing.key", DevelopmentIssuer(tmp_path)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(service=SERVICE.name, port=0, dsn=database, jwks=str(issuer.jwks), key_file=key, clock="driven")
    async with running(SERVICE, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(FRIDAY)
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://conversion") as http:
            yield House(parts, parts.desk.clock, issuer, http, database)
