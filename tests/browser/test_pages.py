"""Every page in a real browser, in both languages: whole, silent, translated, and no wider than a phone."""

from __future__ import annotations

import pytest
from browser_company import Company
from browser_faces import FACES, Face
from browser_shots import shoot
from browser_viewer import DESKTOP, PHONE, People
from browser_words import untranslated, written

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

WIDER = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > most + 1 && !one.closest('.scroll, .document, nav'))
    .map((one) => one.tagName + '.' + one.className + '#' + one.id + ' ' + one.getBoundingClientRect().right);
}"""


@pytest.mark.parametrize(
    ("face", "language"),
    [pytest.param(face, language, id=f"{face.name}-{language}") for face in FACES for language in face.languages],
)
async def test_a_page_is_whole_and_fits_a_phone(people: People, company: Company, face: Face, language: str) -> None:
    async with people.at(face.person, language=language) as (page, heard):
        assert await face.show(page, company) == face.status
        expected = [] if face.status == 200 else [one for one in heard.complaints if str(face.status) in one]
        assert [one for one in heard.complaints if one not in expected] == []
        heading = (await page.locator("h1").inner_text()).strip()
        assert heading
        assert face.headed(language) in heading
        assert await page.locator("html").get_attribute("lang") == language
        assert untranslated(await written(page), language) == []
        await shoot(page, f"{face.name}-desktop-light-{language}")
        await page.set_viewport_size(PHONE)
        assert await page.evaluate(WIDER) == []
        await shoot(page, f"{face.name}-phone-light-{language}")
        await page.set_viewport_size(DESKTOP)
        assert await page.evaluate(WIDER) == []
