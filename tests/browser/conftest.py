"""The company, the board and a browser, once for all tests of this folder. Where no browser is, they are skipped."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parent))

from browser_company import Company, at_work
from browser_viewer import People, found, launched


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    way = found()
    if way is None:
        pytest.skip("no browser: apt-get install chromium")
    return way


@pytest.fixture(scope="session")
def company(chromium: str) -> Iterator[Company]:
    with at_work() as told:
        yield told


@pytest_asyncio.fixture(scope="session")
async def people(chromium: str, company: Company) -> AsyncIterator[People]:
    async with async_playwright() as playwright:
        browser = await launched(playwright, chromium)
        yield People(browser, company.board)
        await browser.close()
