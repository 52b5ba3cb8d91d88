"""A dispute on the pages alone: found on one's pay and raised with the keyboard, decided by somebody else."""

from __future__ import annotations

import pytest
from browser_company import PAID, PAYROLL, SELLS, Company
from browser_hands import reach
from browser_viewer import People, pick

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

SELLER = "felix"
TEXT = "The release of the 28th is too small."


async def test_a_dispute_goes_from_a_line_of_pay_to_its_decision(people: People, company: Company) -> None:
    async with people.at(SELLER) as (mine, heard), people.at(PAYROLL) as (office, also_heard):
        await mine.goto("/")
        await reach(mine, mine.locator("#nav-pay"))
        await mine.keyboard.press("Enter")
        await reach(mine, mine.locator(f'#pay a[href="/pay/{SELLER}/{PAID}"]'))
        await mine.keyboard.press("Enter")
        lines = mine.locator("details.payline:not(.conditional):has([title])")
        await reach(mine, lines.first.locator("summary"))
        await mine.keyboard.press("Enter")
        await lines.first.locator(".steps .result").wait_for()
        amount = await lines.first.locator("summary .money").get_attribute("value")
        line_id = (await lines.first.get_attribute("id") or "").removeprefix("line-")
        await reach(mine, mine.locator("#dispute-lines"))
        for _ in range(await mine.locator("#dispute-lines option").count()):
            if await mine.locator("#dispute-lines").input_value() != line_id:
                await mine.keyboard.press("ArrowDown")
        assert await mine.locator("#dispute-lines").input_value() == line_id
        await reach(mine, mine.locator("#dispute-text"))
        await mine.keyboard.type(TEXT)
        await reach(mine, mine.locator("#dispute-send"))
        await mine.keyboard.press("Enter")
        await mine.locator("#said").wait_for()
        assert await mine.locator("#stage").inner_text() == "disputed"

        await office.goto("/")
        await office.locator("#nav-pay").click()
        await office.locator("#disputes tr", has_text=SELLER).get_by_role("link").click()
        assert TEXT in await office.locator("#said").inner_text()
        assert await office.locator("table .money").get_attribute("value") == amount
        await office.locator("#review").click()
        await office.locator("#outcome-choice").select_option("partly")
        await office.locator("#grant").fill("100.00")
        await office.locator("#currency").fill("EUR")
        await office.locator("#decide-reason").fill("Half of it was paid twice.")
        await office.locator("#decide").click()
        await office.locator("#outcome").wait_for()
        assert await office.locator("#decision").count() == 0

        await mine.reload()
        await mine.locator("#disputes").get_by_role("link").click()
        assert await mine.locator("#outcome .money").get_attribute("value") == "100.00"
        assert "partly" in await mine.locator("#outcome").inner_text()
        assert heard.complaints == also_heard.complaints == []


async def test_what_was_written_outlives_the_session(people: People, company: Company) -> None:
    async with people.at(SELLS) as (page, _):
        await page.goto(f"/pay/{SELLS}/{PAID}")
        await page.locator("#dispute-text").fill(TEXT)
        await page.context.clear_cookies()
        await page.evaluate("() => htmx.trigger(document.getElementById('pay-now'), 'sse:moved')")
        await page.locator(".ended p").wait_for()
        assert await page.locator("#dispute-text").input_value() == TEXT
        await page.locator("#dispute-send").click()
        await page.locator("#kept").wait_for()
        assert await page.locator("#kept-text").input_value() == TEXT
        await page.go_back()
        await page.locator("#dispute-text").wait_for(state="detached")


async def test_what_was_written_before_another_sign_in_is_sent_after_a_look(people: People, company: Company) -> None:
    async with people.at(SELLS) as (page, _):
        await page.goto(f"/pay/{SELLS}/{PAID}")
        await page.locator("#dispute-text").fill(TEXT)
        await page.context.clear_cookies()
        await pick(await page.context.new_page(), SELLS)
        await page.locator("#dispute-send").click()
        assert await page.locator("#kept-text").input_value() == TEXT
        await page.locator("#kept-send").click()
        await page.locator("#said").wait_for()
        assert await page.locator("#disputes li").count() == 1


async def test_what_is_refused_keeps_what_was_written(people: People, company: Company) -> None:
    async with people.at(SELLS) as (mine, _), people.at(PAYROLL, language="ru") as (office, _):
        await mine.goto(f"/pay/{SELLS}/{PAID}")
        if not await mine.locator("#disputes li").count():
            await mine.locator("#dispute-text").fill(TEXT)
            await mine.locator("#dispute-send").click()
        await office.goto(str(await mine.locator("#disputes a").first.get_attribute("href")))
        await office.locator("#review").click()
        await office.locator("#outcome-choice").select_option("partly")
        await office.locator("#grant").fill("half")
        await office.locator("#currency").fill("EUR")
        await office.locator("#decide-reason").fill(TEXT)
        await office.locator("#decide").click()
        await office.locator(".state.away").wait_for()
        assert await office.locator("#decide-reason").input_value() == TEXT
        assert await office.locator("#outcome-choice").input_value() == "partly"
        await office.locator("#grant").fill("1 000,50")
        await office.locator("#decide").click()
        await office.locator("#outcome").wait_for()
        assert await office.locator("#outcome .money").get_attribute("value") == "1000.50"
