"""Every page in a real browser, in both languages: whole, silent, translated, no wider than a phone, open to all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from browser_axe import grave
from browser_company import PAYROLL, SCOUT, Company
from browser_faces import FACES, Face
from browser_shots import GUIDE, LARGEST, PICTURES, ROOT, picture, shoot
from browser_viewer import DESKTOP, PHONE, Heard, People, Scheme
from browser_words import untranslated, written
from playwright.async_api import Page, ViewportSize

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

WIDER = """() => {
  const page = document.documentElement, named = (one) => one.tagName + '.' + one.className + '#' + one.id;
  const outside = [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > page.clientWidth + 1 && !one.closest('.scroll, .document'));
  const cut = [...document.querySelectorAll('nav, .card, .figures > div, .station, .handover, .payline')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1);
  return [...outside, ...cut].map(named).concat(page.scrollWidth > page.clientWidth ? [page.scrollWidth] : []);
}"""
"""What sticks out of the page or out of its frame. Tables scroll by themselves."""


@dataclass
class Shown:
    """A page that is open, for all tests of it."""

    face: Face
    language: str
    page: Page
    heard: Heard
    status: int


def faces(*languages: str) -> pytest.MarkDecorator:
    """Each page in these languages, as far as it has them."""
    return pytest.mark.parametrize(
        "shown",
        [
            pytest.param((face, language), id=f"{face.name}-{language}")
            for face in FACES
            for language in face.languages
            if language in languages
        ],
        indirect=True,
        scope="module",
    )


@pytest_asyncio.fixture(scope="module")
async def shown(people: People, company: Company, request: pytest.FixtureRequest) -> AsyncIterator[Shown]:
    face, language = request.param
    async with people.at(face.person, language=language) as (page, heard):
        yield Shown(face, language, page, heard, await face.show(page, company))


@faces("en", "ru")
async def test_a_page_is_whole_and_complains_of_nothing(shown: Shown) -> None:
    if shown.language == "en":
        await shoot(shown.page, f"{shown.face.name}-desktop-light-en")
    assert shown.status == shown.face.status
    meant = str(shown.face.status) if shown.face.status >= 400 else "?"
    assert [one for one in shown.heard.complaints if meant not in one] == []


@faces("en", "ru")
async def test_a_page_speaks_one_language(shown: Shown) -> None:
    heading = (await shown.page.locator("h1").inner_text()).strip()
    assert heading
    assert shown.face.headed(shown.language) in heading
    assert await shown.page.locator("html").get_attribute("lang") == shown.language
    assert untranslated(await written(shown.page), shown.language) == []


@faces("en", "ru")
async def test_a_page_is_no_wider_than_a_phone(shown: Shown) -> None:
    await shown.page.set_viewport_size(PHONE)
    wider = await shown.page.evaluate(WIDER)
    if shown.language == "ru":
        await shoot(shown.page, f"{shown.face.name}-phone-light-ru")
    await shown.page.set_viewport_size(DESKTOP)
    assert wider == []
    assert await shown.page.evaluate(WIDER) == []


@faces("en", "ru")
async def test_axe_finds_nothing_serious_on_desk_and_phone_by_day_and_by_night(shown: Shown) -> None:
    found: list[str] = []
    looks: tuple[tuple[str, ViewportSize, Scheme], ...] = (
        ("desktop", DESKTOP, "light"),
        ("desktop", DESKTOP, "dark"),
        ("phone", PHONE, "dark"),
        ("phone", PHONE, "light"),
    )
    for device, size, scheme in looks if shown.language == "en" else looks[::3]:  # colours do not speak
        await shown.page.set_viewport_size(size)
        await shown.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        only_colours = (device == "desktop") == (scheme == "dark")  # all else was looked at before
        found += [f"{device}, {scheme}: {one}" for one in await grave(shown.page, colours=only_colours)]
        if (device, scheme) == ("desktop", "dark"):  # in English only
            await shoot(shown.page, f"{shown.face.name}-desktop-dark-en")
    assert found == []


@pytest.mark.parametrize("name", PICTURES)
async def test_the_guide_shows_the_page_in_a_small_picture(people: People, company: Company, name: str) -> None:
    of, language, scheme, size = PICTURES[name]
    face = next(one for one in FACES if one.name == of)
    async with people.at(face.person, language=language, scheme=scheme, device=size) as (page, _):
        await face.show(page, company)
        await picture(page, name)
    assert (GUIDE / f"{name}.png").stat().st_size <= LARGEST
    assert f"](pictures/{name}.png)" in (ROOT / "docs" / "board.md").read_text(encoding="utf-8")


async def test_what_a_page_may_not_do_is_heard(people: People, company: Company) -> None:
    wrong = {
        "console.error('something')": "something",
        "setTimeout(() => { throw new Error('thrown') })": "thrown",
        "document.body.setAttribute('style', 'color: red')": "Content Security Policy",
        "document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.invalid/x.png'}))": "img-src",
        "fetch('/static/none.js')": "404",
    }
    async with people.at(None) as (page, heard):
        await page.goto("/signed-out")
        assert heard.complaints == []
        for seed, complaint in wrong.items():
            heard.complaints.clear()
            await page.evaluate(f"() => {{ {seed}; }}")
            await heard.something()
            assert any(complaint in one for one in heard.complaints), (seed, heard.complaints)


@pytest.mark.parametrize(
    ("seed", "finding"),
    [
        ("Another word: Sign in to the line.title", ["Another word: Sign in to the line.title"]),
        ("You are signed out.", ["You are signed out."]),
        ("Sophia Marino, EUR", []),
    ],
)
def test_what_is_not_translated_is_seen(seed: str, finding: list[str]) -> None:
    assert untranslated([seed], "ru") == finding


async def test_a_name_without_an_end_is_broken(people: People, company: Company) -> None:
    for way, places in ((f"/clients/{company.client}", "h1, .plain li"), (f"/disputes/{company.dispute}", ".said *")):
        async with people.at(PAYROLL if "disputes" in way else SCOUT, device=PHONE) as (page, _):
            await page.goto(way)
            seed = "(these) => document.querySelectorAll(these).forEach((one) => one.append('W'.repeat(150)))"
            await page.evaluate(seed, f"{places}, .person")
            assert await page.evaluate(WIDER) == []


async def test_what_is_wider_than_a_phone_is_seen(people: People, company: Company) -> None:
    async with people.at(None, device=PHONE) as (page, _):
        await page.goto("/signed-out")
        assert await page.evaluate(WIDER) == []
        long = "one.textContent = 'W'.repeat(60); one.style.whiteSpace = 'nowrap'"
        await page.evaluate(f"() => {{ const one = document.querySelector('h1'); {long}; }}")
        assert await page.evaluate(WIDER) != []


@pytest.mark.parametrize(
    ("seed", "rule"),
    [
        ("one.textContent = 'pale'; one.style.color = '#9a9a9a'", "color-contrast"),
        ("one.append(document.createElement('button'))", "button-name"),
        ("one.append(document.createElement('input'))", "label"),
    ],
)
async def test_axe_finds_what_hinders(people: People, company: Company, seed: str, rule: str) -> None:
    async with people.at(None) as (page, _):
        await page.goto("/signed-out")
        assert await grave(page) == []
        await page.evaluate(f"() => {{ const one = document.createElement('p'); {seed}; main.append(one); }}")
        assert [one.partition(" ")[0] for one in await grave(page)] == [rule]
