"""axe-core, run inside a page as it stands: what hinders people who see, hear or move otherwise."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SCRIPT = Path(sys.prefix, "node", "node_modules", "axe-core", "axe.min.js")
GRAVE = ("serious", "critical")


@cache
def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


async def grave(page: Page, *, colours: bool = False) -> list[str]:
    """Each serious or critical finding: the rule, the place, what is wrong there. `colours`: only of those."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(script())
    rules: dict[str, Any] = {"runOnly": ["color-contrast"]} if colours else {}
    asked = rules | {"resultTypes": ["violations"]}
    found: dict[str, Any] = await page.evaluate("(asked) => axe.run(document, asked)", asked)
    return [
        f"{one['id']} ({one['impact']}) at {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
