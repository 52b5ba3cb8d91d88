"""Every page there is to look at: who looks, where it is, what stands above it, and when it is all there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from browser_company import FARMER, HUNTER, MANAGER, PAID, PAYROLL, SCOUT, Company
from playwright.async_api import Page

from board.words import Words
from conveyor.demo.company import ZONE

LANGUAGES = ("en", "ru")


@dataclass(frozen=True)
class Face:
    """One page. `heading`: a text's key, or what to write with; `there`: what shows that it is complete."""

    name: str
    person: str | None
    way: str
    heading: str | Callable[[Words], str]
    there: str = "h1"
    then: Callable[[Page], Awaitable[None]] | None = None
    status: int = 200
    languages: tuple[str, ...] = LANGUAGES

    def headed(self, language: str) -> str:
        words = Words(language, ZoneInfo(ZONE))
        return self.heading(words) if callable(self.heading) else words(self.heading)

    async def show(self, page: Page, company: Company) -> int:
        """Opens it and waits until it is complete; returns the status."""
        answer = await page.goto(self.way.format(**vars(company)))
        await page.locator(self.there).first.wait_for()
        if self.then is not None:
            await self.then(page)
        assert answer is not None
        return answer.status


async def unfold(page: Page) -> None:
    """A line that came from a client's deed."""
    await page.locator("details.payline:has([title]) summary").first.click()
    await page.locator(".unfolded .causes").first.wait_for()


async def hear(page: Page) -> None:
    """The first beat of the line has come in."""
    await page.wait_for_function("() => window.beats")


FACES = (
    Face("sign-in", None, "/", lambda _: "Sign in to board", "button[name=person]", languages=("en",)),
    Face("signed-out", None, "/signed-out", "signin.title"),
    Face("line", MANAGER, "/", "line.title", "#stations", hear),
    Face("line-of-a-scout", SCOUT, "/", "line.title", "#stations", hear),
    Face("clients", MANAGER, "/clients?at=accounts&line=factories", "nav.clients", "#clients"),
    Face("client", MANAGER, "/clients/{client}", lambda _: "", "#band"),
    Face("day-scout", SCOUT, "/day", "day.title", "#calls"),
    Face("day-hunter", HUNTER, "/day", "day.title", "#offers"),
    Face("day-farmer", FARMER, "/day", "day.title", "#risk"),
    Face("day-of-another", MANAGER, f"/day?of={HUNTER}", lambda t: t("day.of", person=HUNTER), "#offers"),
    Face("pay", HUNTER, "/pay", "pay.title", "#pay"),
    Face("pay-of-all", PAYROLL, "/pay", "pay.title", "#pay"),
    Face("statement", HUNTER, f"/pay/{HUNTER}/{PAID}", lambda t: t("pay.of", person=HUNTER), ".payline", unfold),
    Face("dispute", PAYROLL, "/disputes/{dispute}", "dispute.title", "#decision"),
    Face("plans", PAYROLL, "/plans", "plan.title", "#plans"),
    Face(
        "plan",
        PAYROLL,
        "/plans/demo-eager-hunter/1",
        lambda t: f"demo-eager-hunter {t('plan.number', number=1)}",
        ".findings",
    ),
    Face("what-if", PAYROLL, "/what-if?plan=ref-hunter", "whatif.title", "#document"),
    Face("what-if-result", PAYROLL, "/what-if/{simulation}", "whatif.title", "#people"),
    Face("conflicts", PAYROLL, "/conflicts", "conflict.title", "#cases"),
    Face("conflict", PAYROLL, "/conflicts/{case}", lambda _: "", "#claim-b"),
    Face("nothing-there", HUNTER, "/pay?until=2025-06", "pay.title", ".state.empty"),
    Face("no-such-page", HUNTER, "/nowhere", "error.status.404", "#error", status=404),
)
"""The sign-in is the development issuer's own page, in English alone."""
