"""What hands do: Tab until something has the focus, and a click that is counted."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator, Page

REACHABLE = """() => {
  const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  return [...document.querySelectorAll(all)]
    .filter((one) => one.checkVisibility() && !one.disabled)
    .map((one, number) => (one.dataset.stop = number));
}"""
STOP = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const ringed = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const name = one.tagName + '#' + one.id + ' ' + (one.getAttribute('href') || one.name || '');
  return {stop: Number(one.dataset.stop ?? -1), name, seen: ringed && inside};
}"""


@dataclass(frozen=True)
class Stop:
    """Where the focus is: the number that REACHABLE gave, and whether one can see that it is there."""

    stop: int
    name: str
    seen: bool


async def step(page: Page) -> Stop:
    """One Tab further."""
    await page.keyboard.press("Tab")
    return Stop(**await page.evaluate(STOP))


async def reach(page: Page, wanted: Locator, most: int = 150) -> None:
    """Tab until it has the focus; all the way one sees where one is."""
    target = await wanted.element_handle()
    for _ in range(most):
        stop = await step(page)
        assert stop.seen, f"the focus is nowhere to be seen: {stop.name}"
        if await page.evaluate("(one) => one === document.activeElement", target):
            return
    raise AssertionError(f"{wanted} is not reached with the keyboard")


@dataclass
class Clicks:
    """A mouse that counts."""

    page: Page
    many: int = 0

    async def on(self, what: Locator) -> None:
        self.many += 1
        await what.click()
