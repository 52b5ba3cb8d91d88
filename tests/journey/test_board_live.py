"""My day, pay and conflicts are live: whoever looks is told of what concerns them, and the page shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from board_browser import Browser, amounts, figure, signed_in, total
from journey_firm import Firm, plans

from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import instant_text

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]
MONTH = "2026-03"
HEAD, SECOND = "live-manager", "live-scout-too"
WITHIN = 5.0


@pytest_asyncio.fixture(scope="module")
async def line(running: Running) -> AsyncIterator[Line]:
    async with Line.of(running) as found:
        yield found


@pytest_asyncio.fixture(scope="module")
async def firm(line: Line) -> Firm:
    await plans(line)
    firm = Firm(line, "live", "scout-hunter-farmer")
    await firm.open(more={SECOND: "scout"}, managers=(HEAD,))
    await Firm(line, "aside", "scout-hunter-farmer").open()
    await line.drained()
    return firm


class Open:
    """A page that is open: it hears its stream, and asks for itself again when it is told to."""

    def __init__(self, browser: Browser, way: str, heard: AsyncIterator[str]) -> None:
        self.browser, self.way, self._heard = browser, way, heard
        self.asked = 0

    async def told(self) -> None:
        """Waits until something moved that concerns the page."""
        while (await anext(self._heard)) != "event: moved":
            pass

    async def until(self, shown: Callable[[str], bool]) -> str:
        """Only when it is told to does the page ask again."""
        async with asyncio.timeout(WITHIN):
            while True:
                await self.told()
                self.asked += 1
                page = await self.browser.page(self.way)
                if shown(page):
                    return page


async def look(
    running: Running, person: str, role: str, way: str, moves: str, then: Callable[[Open], Awaitable[None]]
) -> None:
    """Opens a page, hears its stream, and goes on."""
    async with signed_in(running, person, role) as browser, browser.http.stream("GET", moves) as stream:
        assert stream.status_code == 200
        heard = stream.aiter_lines()
        while (await anext(heard)) != "event: hello":
            pass
        await then(Open(browser, way, heard))


async def test_my_day_shows_an_offer_as_soon_as_it_is_mine(running: Running, firm: Firm) -> None:
    async def then(day: Open) -> None:
        before = await day.browser.page("/day")
        assert f'sse-connect="/moves?of={firm.hunter}"' in before
        many = int(figure(before, "offers-count"))
        await firm.offered(instant_text(datetime.now(UTC)))
        client = f"live-client-{firm.clients}"
        shown = await day.until(lambda page: figure(page, "offers-count") == str(many + 1))
        assert client in shown

    await look(running, firm.hunter, "hunter", "/day", f"/moves?of={firm.hunter}", then)


async def test_my_pay_shows_a_payment_to_the_cent(running: Running, firm: Firm) -> None:
    way = f"/pay/{firm.hunter}/{MONTH}"
    _, deal = await firm.deal("2026-03-10T11:00:00Z", "10000.00", "2000.00")
    await firm.line.drained()

    async def then(pay: Open) -> None:
        before = await pay.browser.page(way)
        assert 'hx-select="#pay-part"' in before
        await firm.paid(deal, "2026-03-15T11:00:00Z", "4000.00")
        was = total(before, "variable")
        shown = await pay.until(lambda page: total(page, "variable") != was)
        stated = await firm.statement(firm.hunter, MONTH)
        assert total(shown, "variable") == stated["totals"][0]["variable"]
        assert pay.asked <= 4

    await look(running, firm.hunter, "hunter", way, f"/moves?of={firm.hunter}", then)


async def test_conflicts_show_a_case_as_soon_as_it_is_one(running: Running, firm: Firm) -> None:
    registered: dict[str, Any] = {
        "line": "live",
        "name": "Twice",
        "source": "fair",
        "identity_keys": [{"kind": "domain", "value": "twice.example"}],
    }
    first, second = "live-twice", "live-twice-again"
    await firm.line.post("lead-gen", "/v1/prospects", {"client_id": first, "by": firm.scout, **registered})
    await firm.line.drained()

    async def then(conflicts: Open) -> None:
        before = await conflicts.browser.page("/conflicts")
        assert 'hx-select="#conflicts-part"' in before
        assert first not in before
        with pytest.raises(Problem, match="409"):
            await firm.line.post("lead-gen", "/v1/prospects", {"client_id": second, "by": SECOND, **registered})
        shown = await conflicts.until(lambda page: first in page)
        row = shown[shown.index('<table id="cases"') :]
        assert "C1" in row
        cases = (await firm.line.get("compensation", "/v1/conflicts", {"person": SECOND}))["items"]
        assert [one["client_id"] for one in cases] == [first]
        assert amounts(row[: row.index("</table>")]) == [
            stake["amount"]
            for one in (await firm.line.get("compensation", "/v1/conflicts", person=SECOND, roles=("scout",)))["items"]
            for stake in one["at_stake"]
        ]

    await look(running, SECOND, "scout", "/conflicts", "/moves", then)


async def test_a_decision_made_on_the_board_is_heard_by_whom_it_concerns(running: Running, firm: Firm) -> None:
    async with signed_in(running, "paula", "payroll") as payroll:
        (case,) = (await firm.line.get("compensation", "/v1/conflicts", {"person": SECOND}))["items"]
        way = f"/conflicts/{case['case_id']}"

        async def then(page: Open) -> None:
            sent = await payroll.send(f"{way}/invite", await payroll.page(way))
            assert sent.status_code == 200
            await page.until(lambda shown: 'id="stage">claims invited' in shown)

        await look(running, SECOND, "scout", way, "/moves", then)


async def test_who_is_not_concerned_is_left_in_peace(running: Running, firm: Firm) -> None:
    async def aside(quiet: Open) -> None:
        async def concerned(day: Open) -> None:
            nothing = asyncio.ensure_future(quiet.told())
            await firm.offered(instant_text(datetime.now(UTC)))
            async with asyncio.timeout(WITHIN):
                await day.told()
                await day.told()
            assert not nothing.done()
            nothing.cancel()

        await look(running, HEAD, "manager", "/day", f"/moves?of={firm.scout}", concerned)

    await look(running, "aside-scout", "scout", "/day", "/moves", aside)


async def test_nobody_listens_to_what_concerns_somebody_elses_pages(running: Running, firm: Firm) -> None:
    for person, role in (("aside-scout", "scout"), (firm.farmer, "farmer"), ("aside-manager", "manager")):
        async with signed_in(running, person, role) as browser:
            await browser.page(f"/moves?of={firm.hunter}", 404)
