"""What several tests share made importable, and the real service on a real database."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

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

from pay_office import NOW, Office, at

from compensation.clerk import archive
from compensation.main import SERVICE


@pytest.fixture(autouse=True)
def a_file_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of a story are few; a person's of a company are read some at a time."""
    monkeypatch.setattr(archive, "SOME_CLIENTS", 2)


@asynccontextmanager
async def _opened(
    stack: Stack, folder: Path, database: str, now: datetime, deadline: float = 10.0
) -> AsyncIterator[Office]:
    """The service's HTTP side without Kafka: what it would hear is told to it directly."""
    dsn = await stack.create_database(database)
    await upgrade(dsn, SERVICE.package)
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
        request_deadline=deadline,
    )
    async with running(SERVICE, settings, role="api") as parts:
        assert parts.app is not None
        assert isinstance(parts.desk.clock, DrivenClock)
        parts.desk.clock.set(now)
        transport = httpx.ASGITransport(parts.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://compensation") as http:
            yield Office(http, issuer, dsn, parts.desk)


@pytest_asyncio.fixture(scope="session")
async def office(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """May, with March closed. For reading only."""
    async with _opened(stack, tmp_path_factory.mktemp("office"), "compensation_office", NOW) as made:
        await made.open()
        await made.march_is_closed(made.desk)
        yield made


@pytest_asyncio.fixture
async def own_office(stack: Stack, tmp_path: Path) -> AsyncIterator[Office]:
    """March has begun, and nobody has said anything yet. For one test alone."""
    async with _opened(stack, tmp_path, f"compensation_{uuid4().hex}", at(3, 1)) as made:
        yield made


@pytest_asyncio.fixture
async def hasty_office(stack: Stack, tmp_path: Path) -> AsyncIterator[Office]:
    """The same, where every request has half a second."""
    async with _opened(stack, tmp_path, f"compensation_{uuid4().hex}", at(3, 1), deadline=0.5) as made:
        yield made
