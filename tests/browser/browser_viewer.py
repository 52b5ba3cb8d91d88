"""Somebody before a browser, signed in by picking who one is; what goes wrong on a page is heard."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    StorageState,
    ViewportSize,
)

Scheme = Literal["dark", "light"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
LOCALES = {"en": "en-GB", "ru": "ru-RU"}
STREAM = "/moves"
BEATS = "addEventListener('htmx:sseMessage', () => { window.beats = (window.beats ?? 0) + 1; })"
"""A live page is told at once how things are; from then on it is what it was told."""


def found() -> str | None:
    """The browser of this machine."""
    return next((way for name in NAMES if (way := shutil.which(name))), None)


async def launched(playwright: Playwright, executable: str) -> Browser:
    """Headless. Who is root has no rights to give up, so chromium's own sandbox refuses; only there it is left out."""
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=executable, args=[*alone, "--disable-dev-shm-usage"])


@dataclass
class Heard:
    """What a page complained of while it was open: its console (the policy's refusals too), requests that failed."""

    complaints: list[str] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def something(self, within: float = 5.0) -> None:
        """Waits until there is a complaint."""
        async with asyncio.timeout(within):
            while not self.complaints:
                self._more.clear()
                await self._more.wait()

    def _complain(self, what: str) -> None:
        self.complaints.append(what)
        self._more.set()

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._complain(f"uncaught: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self._complain(f"{said.type}: {said.text}")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a live page hangs up, also on what the page just asks for again.
        live = urlsplit(request.url).path.endswith(STREAM) or request.resource_type == "xhr"
        if not (live and request.failure == "net::ERR_ABORTED"):
            self._complain(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(f"{response.status}: {response.request.method} {response.url}")


@dataclass
class People:
    """Who has signed in before is remembered, with their cookies."""

    browser: Browser
    board: str
    _cookies: dict[str, StorageState] = field(default_factory=dict)

    @asynccontextmanager
    async def at(
        self, person: str | None, *, language: str = "en", scheme: Scheme = "light", device: ViewportSize = DESKTOP
    ) -> AsyncIterator[tuple[Page, Heard]]:
        """A page of this person's own browser, before it goes anywhere."""
        kept = await self._signed_in(person) if person else None
        context = await self._context(language, scheme, device, kept)
        page, heard = await context.new_page(), Heard()
        heard.listen(page)
        yield page, heard
        await context.close()

    async def _context(
        self, language: str, scheme: Scheme, device: ViewportSize, cookies: StorageState | None = None
    ) -> BrowserContext:
        context = await self.browser.new_context(
            base_url=self.board,
            locale=LOCALES[language],
            timezone_id="America/New_York",  # not the company's: the pages show the company's
            color_scheme=scheme,
            viewport=device,
            storage_state=cookies,
        )
        context.set_default_timeout(30_000)
        await context.add_init_script(BEATS)
        return context

    async def _signed_in(self, person: str) -> StorageState:
        if person not in self._cookies:
            context = await self._context("en", "light", DESKTOP)
            await pick(await context.new_page(), person)
            self._cookies[person] = await context.storage_state()
            await context.close()
        return self._cookies[person]


async def pick(page: Page, person: str) -> None:
    """From wherever the board sends one to sign in, to the landing page."""
    await page.goto("/")
    await page.locator(f'button[name="person"][value="{person}"]').click()
    await page.locator("#viewer").wait_for()
