"""The board's own database, migrated once; what several tests share made importable."""

import sys
from pathlib import Path

import pytest_asyncio

from belt.io.store.migrate import upgrade
from conveyor_local.stack import Stack

sys.path.insert(0, str(Path(__file__).parent))


@pytest_asyncio.fixture(scope="session")
async def template(stack: Stack) -> str:
    name = "board_template"
    await upgrade(await stack.create_database(name), "board")
    return name
