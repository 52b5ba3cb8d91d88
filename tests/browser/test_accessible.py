"""No page hinders anybody: axe finds nothing serious, in both schemes, on a desk and on a phone."""

from __future__ import annotations

import pytest
from browser_axe import grave
from browser_company import Company
from browser_faces import FACES, Face
from browser_shots import shoot
from browser_viewer import DESKTOP, PHONE, People

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
async def test_axe_finds_nothing_serious(people: People, company: Company, face: Face) -> None:
    async with people.at(face.person) as (page, _):
        await face.show(page, company)
        found: list[str] = []
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                found += [f"{device}, {scheme}: {one}" for one in await grave(page)]
                if scheme == "dark":
                    await shoot(page, f"{face.name}-{device}-dark-en")
        assert found == []


@pytest.mark.parametrize(
    ("seed", "rule"),
    [
        ("one.style.color = '#9a9a9a'; one.textContent = 'pale'", "color-contrast"),
        ("one.append(document.createElement('button'))", "button-name"),
        ("one.append(document.createElement('input'))", "label"),
    ],
)
async def test_what_hinders_is_found(people: People, company: Company, seed: str, rule: str) -> None:
    face = next(one for one in FACES if one.name == "no-such-page")
    async with people.at(face.person) as (page, _):
        await face.show(page, company)
        await page.evaluate(f"() => {{ const one = document.createElement('p'); {seed}; main.append(one); }}")
        assert [one.partition(" ")[0] for one in await grave(page)] == [rule]
