"""Pictures of pages: each as an artefact in build/screenshots."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"


async def shoot(page: Page, name: str) -> None:
    """The whole page as it stands."""
    await page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")
