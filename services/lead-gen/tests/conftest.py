"""The stories of this folder, importable for its tests; and the real service on a real database."""

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

from lead_gen_office import Office
from lead_gen_story import at

from lead_gen.main import SERVICE

TEMPLATE = "lead_gen_template"


@pytest_asyncio.fixture(scope="session")
async def template(stack: Stack) -> str:
    """A database with this service's migrations, to be copied for each test."""
    await upgrade(await stack.create_database(TEMPLATE), SERVICE.package)
    return TEMPLATE


@pytest_asyncio.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    """The service's HTTP side and what it stands on, without Kafka: what it would hear is told to it directly."""
    key, issuer = tmp_path / "sealing.key", DevelopmentIssuer(tmp_path)
    key.write_text("0123456789abcdef0123456789abcdef")
    settings = Settings(service=SERVICE.name, port=0, dsn=database, jwks=str(issuer.jwks), key_file=key, clock="driven")
    async with running(SERVICE, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(at(2, 9))
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://lead-gen") as http:
            yield Office(parts, parts.desk.clock, issuer, http, database)
