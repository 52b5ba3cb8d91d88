"""The figures on the board's pages equal the APIs' to the cent, for everybody of the demo and every month."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from board_browser import Browser, signed_in
from board_figures import cases, counts, money, overview, read, stated, statement, supposed
from demo_company import GRANTED, OBJECTS, Company, at_work, three_months

from conveyor.demo.company import APPROVES, DRAFTS, MONTHS, PEOPLE
from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import instant_text, parse_instant

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
MANAGERS = [one.id for one in PEOPLE.values() if one.role == "manager"]
PAID = [(one.id, one.role) for one in PEOPLE.values()]
VIEWERS = [*PAID, (DRAFTS, "payroll"), (APPROVES, "payroll"), ("frida", "finance"), ("arne", "auditor")]


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    with at_work() as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def company(demo: Running) -> AsyncIterator[Company]:
    async with Line.of(demo) as line, AsyncExitStack() as doors:
        yield await three_months(demo, line, doors)


@asynccontextmanager
async def session(company: Company, person: str, role: str) -> AsyncIterator[Browser]:
    """Signed in once, however often somebody looks."""
    if person not in company.sessions:
        company.sessions[person] = await company.doors.enter_async_context(signed_in(company.running, person, role))
    yield company.sessions[person]


@pytest.mark.parametrize(("person", "role"), PAID)
async def test_ones_statements_are_the_apis_in_every_month(company: Company, person: str, role: str) -> None:
    async with session(company, person, role) as browser:
        for month in MONTHS:
            told = await company.line.get(
                "compensation", f"/v1/statements/{person}/{month}", person=person, roles=(role,)
            )
            page = await browser.page(f"/pay/{person}/{month}")
            assert statement(page) == stated(told), month


async def test_an_objection_that_was_granted_is_a_line_of_the_month(company: Company) -> None:
    async with session(company, OBJECTS, "scout") as browser:
        shown = statement(await browser.page(f"/pay/{OBJECTS}/{MONTHS[-1]}"))
        assert Decimal(GRANTED) in {amount for _, _, amount, _, _ in shown["lines"]}


@pytest.mark.parametrize(("person", "role"), VIEWERS)
async def test_the_months_of_all_whose_pay_one_sees_are_the_apis(company: Company, person: str, role: str) -> None:
    asked = {"from": MONTHS[0], "to": MONTHS[-1]}
    line, who = company.line, {"person": person, "roles": (role,)}
    told = [one async for one in line.items("compensation", "/v1/earnings", asked, **who)]  # type: ignore[arg-type]
    expected = {
        f"{one['person']} {one['period']}": [(Decimal(t["payable"]), t["currency"]) for t in one["totals"]]
        for one in told
    }
    async with session(company, person, role) as browser:
        shown = overview(await browser.page(f"/pay?until={MONTHS[-1]}"))
    assert shown == expected
    if role == "payroll":
        assert {place.split()[0] for place in shown} == set(PEOPLE)


@pytest.mark.parametrize("payroll", [DRAFTS])
async def test_everybodys_statements_are_the_apis_for_payroll(company: Company, payroll: str) -> None:
    async with session(company, payroll, "payroll") as browser:
        for person in PEOPLE:
            told = await company.line.get(
                "compensation", f"/v1/statements/{person}/{MONTHS[-1]}", person=payroll, roles=("payroll",)
            )
            assert statement(await browser.page(f"/pay/{person}/{MONTHS[-1]}")) == stated(told), person


@pytest.mark.parametrize(("person", "role"), [*PAID, (DRAFTS, "payroll")])
async def test_conflicts_are_the_apis_case_by_case_and_pair_by_pair(company: Company, person: str, role: str) -> None:
    told = await company.line.get("compensation", "/v1/conflicts", {"limit": 50}, person=person, roles=(role,))
    async with session(company, person, role) as browser:
        stakes, pairs = cases(await browser.page("/conflicts"))
        assert stakes == {one["case_id"]: staked(one["at_stake"]) for one in told["items"]}
        assert pairs == {" ".join(pair["people"]): pair["cases"] for pair in told["by_pair"]}
        for case in told["items"]:
            page = read(await browser.page(f"/conflicts/{case['case_id']}"))
            for side in ("a", "b"):
                if case[side] is None:
                    continue
                (shown,) = page.by_id(f"claim-{side}").having("data-of", "stake")
                mine = [one for one in case["at_stake"] if one["person"] == case[side]["person"]]
                assert money(shown) == staked(mine)
            net = [money(one) for one in page.having("data-of", "net")]
            assert net == ([[(Decimal(case["net"]), case["currency"])]] if case["net"] else [])
    if role == "payroll":
        assert len(stakes) >= 2


def staked(stakes: list[dict[str, Any]]) -> list[tuple[Decimal, str]]:
    return [(Decimal(one["amount"]), one["currency"]) for one in stakes]


async def test_what_would_have_been_is_the_apis(company: Company) -> None:
    way = company.simulation["simulation_id"]
    told = (await company.line.get("compensation", f"/v1/simulations/{way}", person=DRAFTS, roles=("payroll",)))[
        "result"
    ]
    async with session(company, DRAFTS, "payroll") as browser:
        totals, people = supposed(await browser.page(f"/what-if/{way}"))
    assert totals == {one["currency"]: parts(one) for one in told["totals"]}
    assert people == {(one["person"], one["currency"]): parts(one) for one in told["people"]}
    assert len(people) > 5


def parts(one: dict[str, Any]) -> list[Decimal]:
    return [Decimal(one[part]["payable"]) for part in ("actual", "simulated", "delta")]


def day(me: str, now: Any) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """What stands in each part of somebody's day, as the stations list it."""
    tonight, in_a_month = instant_text(now + timedelta(days=1)), instant_text(now + timedelta(days=30))
    prospects, accounts, surveys = "/v1/prospects", "/v1/accounts", "/v1/surveys"
    return {
        "calls": ("lead-gen", f"{prospects}/calls", {"sourced_by": me, "before": tonight, "limit": 25}),
        "needs": ("lead-gen", prospects, {"sourced_by": me, "stage": "need_known"}),
        "rework": ("lead-gen", prospects, {"sourced_by": me, "stage": "rework"}),
        "given": ("lead-gen", prospects, {"sourced_by": me, "stage": "offered"}),
        "offers": ("conversion", "/v1/offers-to-answer", {"to": me}),
        "meetings": ("conversion", "/v1/opportunities", {"converted_by": me, "stage": "meeting_planned"}),
        "stalled": ("conversion", "/v1/opportunities", {"converted_by": me, "stalled": "true"}),
        "buyers": ("account-mgmt", "/v1/offers", {"to": me, "queue": "true", "waiting": "true"}),
        "risk": ("account-mgmt", accounts, {"served_by": me, "stage": "at_risk"}),
        "lapsing": ("account-mgmt", accounts, {"served_by": me, "lapses_before": in_a_month}),
        "contacts": ("account-mgmt", accounts, {"served_by": me, "contact_before": tonight}),
        "surveys": ("account-mgmt", surveys, {"asked_by": me, "stage": "agreed"}),
        "invited": ("account-mgmt", surveys, {"asked_by": me, "stage": "invited"}),
        "alerts": ("account-mgmt", surveys, {"asked_by": me, "alert": "true"}),
    }


OPENS = {
    "scout": {"lead-gen"},
    "hunter": {"lead-gen", "conversion", "account-mgmt"},
    "farmer": {"conversion", "account-mgmt"},
    "manager": {"lead-gen", "conversion", "account-mgmt"},
}


@pytest.mark.parametrize(("person", "role"), PAID)
async def test_how_much_is_in_ones_day_is_what_the_stations_list(company: Company, person: str, role: str) -> None:
    now = parse_instant((await company.line.get("lead-gen", "/v1/clock"))["at"])
    expected = {}
    for part, (station, path, filters) in day(person, now).items():
        if station in OPENS[role]:
            listed = {"limit": 50} | filters
            told = await company.line.get(station, path, listed, person=person, roles=(role,))
            expected[part] = f"{len(told['items'])}{'+' if told['next'] else ''}"
    async with session(company, person, role) as browser:
        assert counts(await browser.page("/day")) == expected


async def test_a_page_that_says_something_else_is_found(company: Company) -> None:
    person, month = "boris", MONTHS[-1]
    told = stated(await company.line.get("compensation", f"/v1/statements/{person}/{month}"))
    async with session(company, person, "hunter") as browser:
        page = await browser.page(f"/pay/{person}/{month}")
    assert statement(page) == told
    line_id = told["lines"][0][0]
    payable = f"{told['totals']['EUR']['payable']}"
    for right, wrong in (
        (f'value="{payable}"', f'value="{Decimal(payable) + Decimal("0.01")}"'),
        ("500.00", "500.01"),
        (f'id="line-{line_id}"', 'id="line-of-somebody-else"'),
        ("payline earned", "payline conditional"),
    ):
        assert right in page, right
        assert not alike(page.replace(right, wrong, 1), told), wrong
    running = f"{told['lines'][0][4]}"
    at = page.index('data-of="running"')
    assert not alike(page[:at] + page[at:].replace(f"{Decimal(running):,}", "0.00", 1), told)
    assert not alike(page.replace('data-total="payable"', ""), told)


def alike(page: str, told: dict[str, Any]) -> bool:
    try:
        return statement(page) == told
    except AssertionError:
        return False
