"""What a browser keeps and sends: cookies that no script reads, no form of another site, and an end of the session."""

from __future__ import annotations

import asyncio

import pytest
from browser_company import HUNTER, PAID, Company
from browser_viewer import People, pick
from playwright.async_api import Page, Route

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

NEIGHBOUR, STRANGER = "http://127.0.0.1:9", "http://elsewhere.test"
"""Another port of this machine is the same site to a browser, so cookies go along; the other is a site of its own."""


async def trap(page: Page, site: str, target: str, fields: dict[str, str]) -> None:
    """A page of another site, with a form that goes to the board when its button is clicked."""
    hidden = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    body = f'<form method="post" action="{target}">{hidden}<button>Win</button></form>'

    async def answer(route: Route) -> None:
        await route.fulfill(body=f"<!DOCTYPE html><title>trap</title>{body}", content_type="text/html")

    await page.route(f"{site}/**", answer)
    await page.goto(f"{site}/trap")


async def test_no_script_reads_the_session(people: People, company: Company) -> None:
    async with people.at(HUNTER) as (page, _):
        await page.goto("/")
        kept = {one["name"]: one for one in await page.context.cookies() if one["name"] == "board"}
        assert kept["board"]["httpOnly"]
        assert kept["board"]["sameSite"] == "Lax"
        assert kept["board"]["value"] not in await page.evaluate("() => document.cookie")
        assert kept["board"]["value"] not in await page.content()


@pytest.mark.parametrize("site", [NEIGHBOUR, STRANGER])
async def test_a_form_of_another_site_does_nothing(people: People, company: Company, site: str) -> None:
    async with people.at(HUNTER) as (page, _):
        fields = {"text": "not mine", "key": "forged", "lines": "", "proof": "x" * 43}
        await trap(page, site, f"{company.board}/pay/{HUNTER}/{PAID}/dispute", fields)
        async with page.expect_navigation():
            await page.get_by_role("button").click()
        await page.goto(f"/pay/{HUNTER}/{PAID}")
        assert await page.locator("#stage").inner_text() == "published"
        assert await page.locator("#disputes").count() == 0


@pytest.mark.parametrize("site", [NEIGHBOUR, STRANGER])
async def test_another_site_signs_nobody_out(people: People, company: Company, site: str) -> None:
    async with people.at(HUNTER) as (page, _):
        await trap(page, site, f"{company.board}/sign-out", {})
        async with page.expect_navigation():
            await page.get_by_role("button").click()
        await page.goto("/pay")
        assert await page.locator("#viewer").get_attribute("data-person") == HUNTER


async def test_who_signs_out_is_out_and_the_way_back_shows_nothing(people: People, company: Company) -> None:
    async with people.at(None) as (page, _):
        await pick(page, "greta")
        await page.goto("/pay/greta/" + PAID)
        await page.locator("#sign-out button").click()
        await page.locator("#sign-in").wait_for()
        assert [one for one in await page.context.cookies() if one["name"] == "board"] == []
        await page.go_back()
        await page.locator('button[name="person"]').first.wait_for()
        assert "Pay of greta" not in await page.content()


async def test_who_signs_out_is_not_sent_to_sign_in_by_the_page_they_leave(people: People, company: Company) -> None:
    async def slowly(route: Route) -> None:
        answer = await route.fetch(max_redirects=0)
        await asyncio.sleep(3.0)  # meanwhile the page that is left hears that its session has ended
        await route.fulfill(response=answer)

    async with people.at(None) as (page, _):
        await pick(page, "greta")
        await page.route("**/sign-out", slowly)
        async with page.expect_response(lambda answer: "/moves" in answer.url):
            await page.goto(f"/pay/greta/{PAID}")
        await page.locator("#sign-out button").click()
        await page.locator("#sign-in").wait_for()


async def test_who_signs_out_in_one_window_is_out_in_all(people: People, company: Company) -> None:
    async with people.at(None) as (line, _):
        await pick(line, "greta")
        await line.wait_for_function("() => window.beats")
        pay, out = await line.context.new_page(), await line.context.new_page()
        async with pay.expect_response(lambda answer: "/moves" in answer.url):
            await pay.goto(f"/pay/greta/{PAID}")
        await out.goto("/plans")
        await out.locator("#sign-out button").click()
        await out.locator("#sign-in").wait_for()
        await pay.locator('button[name="person"]').first.wait_for()
        await line.locator("#stale").wait_for()
