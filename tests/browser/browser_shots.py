"""Pictures of pages: each as an artefact in build/screenshots, and the few that the guide shows in docs/pictures."""

from __future__ import annotations

import os
from pathlib import Path

from browser_viewer import PHONE, Scheme
from playwright.async_api import Page, ViewportSize

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"


async def shoot(page: Page, name: str) -> None:
    """The whole page as it stands."""
    await page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")


LARGEST = 100_000
"""Bytes of a picture in the documents."""
SHEET = ViewportSize(width=1100, height=700)
GUIDE = ROOT / "docs" / "pictures"
PICTURES: dict[str, tuple[str, str, Scheme, ViewportSize]] = {
    # name in the guide -> page, language, scheme, size
    "board-line": ("line", "en", "light", ViewportSize(width=1100, height=550)),
    "board-client": ("client", "en", "light", SHEET),
    "board-day": ("day-hunter", "en", "light", ViewportSize(width=1100, height=560)),
    "board-statement": ("statement", "en", "light", ViewportSize(width=1100, height=620)),
    "board-plan": ("plan", "en", "dark", ViewportSize(width=1100, height=640)),
    "board-what-if": ("what-if-result", "en", "light", SHEET),
    "board-conflicts": ("conflicts", "ru", "light", ViewportSize(width=1100, height=520)),
    "board-phone": ("line", "en", "light", PHONE),
}


async def picture(page: Page, name: str) -> None:
    """What the window shows; with CONVEYOR_PICTURES=1 for the guide, too."""
    shot = await page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")
    if os.environ.get("CONVEYOR_PICTURES") == "1":
        (GUIDE / f"{name}.png").write_bytes(shot)
