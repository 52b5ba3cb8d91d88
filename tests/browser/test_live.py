"""What somebody does on an API stands on the open page at once, and a page that has lost the line says so."""

from __future__ import annotations

import asyncio
import time

import pytest
from browser_company import OTHER_LINE, OTHER_MANAGER, SELLS, Company
from browser_faces import hear
from browser_viewer import People
from playwright.async_api import Page

from conveyor.line import Line

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

COMMANDS, AT_ONCE = 50, 5
WITHIN = 1.0  # seconds, 95 of 100
FIGURE = "#prospect-working"
LOOKS_EVERY = 31_000  # milliseconds of the page: it asks by itself, whatever it hears
WATCH = """(figure) => {
  window.seen = [];
  const look = () => {
    const shown = Number(document.querySelector(figure).textContent);
    if (!seen.length || seen.at(-1)[0] !== shown) seen.push([shown, performance.timeOrigin + performance.now()]);
  };
  look();
  const live = document.getElementById('live');
  new MutationObserver(look).observe(live, {childList: true, subtree: true, characterData: true});
}"""


async def register(line: Line, number: int) -> None:
    """Somebody writes down one more client."""
    told = {"client_id": f"live-{number}", "line": OTHER_LINE, "name": f"Client {number}", "source": "fair"}
    await line.post("lead-gen", "/v1/prospects", told, person=SELLS, roles=("hunter",))


async def opened(page: Page) -> None:
    """The line, once it listens."""
    await page.goto(f"/?line={OTHER_LINE}")
    await hear(page)


async def figure(page: Page) -> int:
    return int(await page.locator(FIGURE).inner_text())


async def looked(page: Page, stale: bool) -> None:
    """The page has looked by itself until it says so; a beat that was under way may come between."""
    async with asyncio.timeout(30):
        while await page.locator("#stale").is_visible() is not stale:
            await page.clock.fast_forward(LOOKS_EVERY)
            await asyncio.sleep(0.5)


async def test_a_command_stands_on_the_open_page_within_a_second(people: People, company: Company) -> None:
    sent: list[float] = []
    async with people.at(OTHER_MANAGER) as (page, heard), Line.of(company.running) as line:
        await opened(page)
        await page.evaluate(WATCH, FIGURE)
        before = await figure(page)
        for number in range(1, COMMANDS + 1):
            sent.append(time.time())
            await register(line, number)
            if number % AT_ONCE == 0:
                await page.wait_for_function("(least) => seen.at(-1)[0] >= least", arg=before + number)
        assert heard.complaints == []
        shown = await page.evaluate("() => seen")
    took = [
        next(at for figure, at in shown if figure >= before + number) / 1000 - begun
        for number, begun in enumerate(sent, 1)
    ]
    ranked = sorted(took)
    print(
        f"\ncommand to page, {COMMANDS} in {time.time() - sent[0]:.1f} s: half {ranked[COMMANDS // 2]:.3f} s, "
        f"p95 {ranked[COMMANDS * 95 // 100]:.3f} s, most {ranked[-1]:.3f} s"
    )
    assert ranked[COMMANDS * 95 // 100] < WITHIN, ranked


async def test_a_beat_of_the_line_leaves_who_is_on_a_link_there(people: People, company: Company) -> None:
    async with people.at(OTHER_MANAGER) as (page, heard), Line.of(company.running) as line:
        await opened(page)
        link = page.locator("#account .longest a")
        await link.focus()
        there, beats = await link.get_attribute("href"), await page.evaluate("() => beats")
        await register(line, COMMANDS + 1)
        await page.wait_for_function("(before) => beats > before", arg=beats)
        assert await page.evaluate("() => document.activeElement.getAttribute('href')") == there
        assert await page.evaluate("() => document.activeElement.closest('[id]').id") == "account"
        assert heard.complaints == []


async def test_a_page_that_has_lost_the_line_says_so_and_comes_back(people: People, company: Company) -> None:
    async with people.at(OTHER_MANAGER) as (page, _), Line.of(company.running) as line:
        await page.clock.install()
        await opened(page)
        before = await figure(page)
        assert not await page.locator("#stale").is_visible()
        await page.context.set_offline(True)
        await looked(page, stale=True)
        await register(line, COMMANDS + 2)
        await page.context.set_offline(False)
        await looked(page, stale=False)
        await page.wait_for_function(
            "([figure, most]) => Number(document.querySelector(figure).textContent) > most", arg=[FIGURE, before]
        )
