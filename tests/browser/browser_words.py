"""What stands on a page to be read, and what of it is not in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from playwright.async_api import Page

from board.words import texts

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
READ = """() => {
  const told = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), above = walk.currentNode.parentElement;
    if (text && !above.closest('[lang]:not(html), [translate=no], code, textarea, script')) told.push(text);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
    for (const one of document.querySelectorAll('[' + name + ']')) told.push(one.getAttribute(name).trim());
  return told;
}"""


async def written(page: Page) -> list[str]:
    """Every text of the page, and every name that is only heard; not what says that it is in another language."""
    told: Any = await page.evaluate(READ)
    return [str(one) for one in told]


def untranslated(told: Iterable[str], language: str) -> list[str]:
    """Names of texts in place of the texts, and texts of the other language."""
    here, keys = texts(language), texts("en").keys()
    own = set(here.values())
    foreign = {
        text
        for other in ("en", "ru")
        if other != language
        for key, text in texts(other).items()
        if text != here[key] and text not in own and "{" not in text
    }
    return [
        one for one in told if one in foreign or keys & set(one.split()) or (language == "en" and CYRILLIC.search(one))
    ]
