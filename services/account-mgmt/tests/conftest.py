"""The story of one buyer, told once and used by every test; and the real service on a real database."""

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

from account_desk import Counter
from account_story import NEW_YEAR

from account_mgmt.main import SERVICE

TEMPLATE = "account_mgmt_template"


@pytest_asyncio.fixture(scope="session")
async def template(stack: Stack) -> str:
    """A database with this service's migrations, to be copied for each test."""
    await upgrade(await stack.create_database(TEMPLATE), SERVICE.package)
    return TEMPLATE


@pytest_asyncio.fixture
async def counter(database: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """The service's HTTP side and what it stands on, without Kafka: what it would hear is told to it directly."""
    key, issuer = tmp_path / "sealing.key", DevelopmentIssuer(tmp_path)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(service=SERVICE.name, port=0, dsn=database, jwks=str(issuer.jwks), key_file=key, clock="driven")
    async with running(SERVICE, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(NEW_YEAR)
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://account-mgmt") as http:
            yield Counter(parts, parts.desk.clock, issuer, http, database)
