"""A dispute on the pages alone: found on one's pay and raised with the keyboard, decided by somebody else."""

from __future__ import annotations

import pytest
from browser_company import PAID, PAYROLL, Company
from browser_hands import reach
from browser_viewer import People

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
