"""Everything is reached with the keyboard, in the order in which it stands; and nothing is far."""

from __future__ import annotations

import pytest
from browser_company import HUNTER, LINE, MANAGER, PAID, Company
from browser_faces import FACES, Face
from browser_hands import REACHABLE, Clicks, Stop, step
from browser_viewer import People

from board.words import texts

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

MOST_CLICKS = 3
WALKED = ("line", "clients", "client", "statement", "plan", "what-if", "conflicts", "conflict", "dispute")


@pytest.mark.parametrize("face", [one for one in FACES if one.name in WALKED], ids=lambda face: face.name)
async def test_the_keyboard_reaches_everything_and_one_sees_where_it_is(
    people: People, company: Company, face: Face
) -> None:
    async with people.at(face.person) as (page, _):
        await face.show(page, company)
        expected: list[int] = await page.evaluate(REACHABLE)
        await page.locator("[data-stop]").first.focus()
        stops: list[Stop] = [await step(page) for _ in expected[1:]]
        assert [one.stop for one in stops] == expected[1:]
        assert [one.name for one in stops if not one.seen] == []


async def test_focus_that_is_not_seen_is_found(people: People, company: Company) -> None:
    async with people.at(None) as (page, _):
        await page.goto("/signed-out")
        assert (await step(page)).seen
        await page.evaluate("() => document.querySelectorAll('a').forEach((one) => { one.style.outline = 'none'; })")
        assert not (await step(page)).seen


async def test_the_cause_of_any_cent_is_three_clicks_away(people: People, company: Company) -> None:
    async with people.at(HUNTER) as (page, _):
        await page.goto("/")
        mouse = Clicks(page)
        await mouse.on(page.locator("#nav-pay"))
        await mouse.on(page.locator(f'#pay a[href="/pay/{HUNTER}/{PAID}"]'))
        lines = page.locator("details.payline")
        assert await lines.count() > 5
        for number in range(await lines.count()):
            line, one_more = lines.nth(number), Clicks(page, mouse.many)
            await one_more.on(line.locator("summary"))
            await line.locator(".steps .result").wait_for()
            amount = await line.locator("summary .money").get_attribute("value")
            assert await line.locator(".steps .result .money").get_attribute("value") == amount
            causes = await line.locator(".causes tr").count()
            assert causes or texts("en")["pay.no_causes"] in await line.inner_text()
            assert one_more.many <= MOST_CLICKS


@pytest.mark.parametrize("at", ["prospects", "opportunities", "accounts"])
async def test_the_way_of_any_client_is_three_clicks_away(people: People, company: Company, at: str) -> None:
    async with people.at(MANAGER) as (page, _):
        await page.goto("/")
        mouse = Clicks(page)
        await mouse.on(page.locator("#nav-clients"))
        await mouse.on(page.locator(f'#lists a[href^="/clients?at={at}"]'))
        client = page.locator("#clients tbody th a").last
        there = await client.get_attribute("href")
        await mouse.on(client)
        await page.locator("#band").wait_for()
        assert page.url.endswith(str(there))
        assert await page.locator("#events tbody tr").count() > 0
        assert mouse.many <= MOST_CLICKS


async def test_whose_client_is_known_by_its_id_is_found_with_one_click(people: People, company: Company) -> None:
    async with people.at(MANAGER) as (page, _):
        await page.goto(f"/?line={LINE}")
        await page.locator("#find").fill(company.client)
        await page.get_by_role("search").get_by_role("button").click()
        await page.locator("#band").wait_for()
