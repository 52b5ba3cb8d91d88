"""The board beside the real line: what the APIs say is what stands on the pages, and nothing else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from board_browser import amounts, board_of, figure, links, signed_in, total, until
from board_waiting import STATIONS, oldest, waiting
from journey_firm import Firm, plans

from conveyor.line import Line
from conveyor.running import Running
from conveyor_events.words import instant_text

MONTH = "2026-03"
COMMANDS = 50
MANAGER, PEER, STRANGER = "seen-manager", "seen-peer", "elsewhere-scout"
PAGES = ("/", "/day", "/pay", "/clients", "/plans", "/conflicts", "/what-if")
ROLES = ("scout", "hunter", "farmer", "manager", "payroll", "finance", "auditor", "operator")
UNWRITTEN = re.compile(r"\{\{|\{%|None<|>None|Undefined")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!127\.0\.0\.1)", re.IGNORECASE
)


@dataclass
class Told:
    """What the firm has done before anybody looks."""

    firm: Firm
    client: str
    deal: str


@pytest_asyncio.fixture(scope="module")
async def line(running: Running) -> AsyncIterator[Line]:
    async with Line.of(running) as found:
        yield found


@pytest_asyncio.fixture(scope="module")
async def told(line: Line, running: Running) -> Told:
    await plans(line)
    firm = Firm(line, "seen", "scout-hunter-farmer")
    await firm.open(managers=(MANAGER,), more={PEER: "scout"})
    await Firm(line, "elsewhere", "scout-hunter-farmer").open()
    client, deal = await firm.deal("2026-03-10T11:00:00Z", "10000.00", "2000.00")
    await firm.paid(deal, "2026-03-15T11:00:00Z", "4000.00")
    await firm.served(client, "2026-03-16T11:00:00Z")
    await firm.repeat(client, "2026-03-28T11:00:00Z", "4000.00")
    await firm.verified("2026-03-11T11:00:00Z")
    await firm.prospect("2026-03-12T11:00:00Z")
    await line.drained()

    async def taken_in() -> bool:
        async with signed_in(running, MANAGER, "manager") as browser:
            return figure(await browser.page("/?line=seen"), "account-total") == "1"

    await until(taken_in)
    return Told(firm, client, deal)


def violations(page: str) -> list[str]:
    """What a strict policy would refuse, and what no page should show."""
    return [*INLINE.findall(page), *UNWRITTEN.findall(page)]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("role", ROLES)
async def test_every_page_is_shown_to_every_role_in_both_languages(
    running: Running, told: Told, role: str, language: str
) -> None:
    person = f"seen-{role}"
    async with signed_in(running, person, role, language=language) as browser:
        for way in (*PAGES, f"/pay/{person}/{MONTH}", f"/clients/{told.client}"):
            shown = await browser.http.get(way)
            assert shown.status_code in (200, 404), (way, shown.text[:1_000])
            assert f'<html lang="{language}">' in shown.text
            assert shown.headers["content-language"] == language
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in shown.headers["content-security-policy"]
            assert shown.headers["cache-control"] == "no-store"
            assert violations(shown.text) == [], way


def test_what_a_strict_policy_would_refuse_is_seen() -> None:
    for bad in (
        '<p style="color:red">',
        "<script>alert(1)</script>",
        '<a onclick="x()">',
        '<img src="https://cdn.example/x">',
    ):
        assert violations(bad), bad


@pytest.mark.parametrize(("seat", "role"), [("scout", "scout"), ("hunter", "hunter"), ("farmer", "farmer")])
async def test_ones_pay_is_the_apis_to_the_cent(running: Running, line: Line, told: Told, seat: str, role: str) -> None:
    person = f"seen-{seat}"
    stated = await told.firm.statement(person, MONTH)
    async with signed_in(running, person, role) as browser:
        page = await browser.page(f"/pay/{person}/{MONTH}")
        for name, amount in stated["totals"][0].items():
            if name in ("fixed", "variable", "conditional"):
                assert total(page, name) == amount
        assert stated["totals"][0]["payable"] in figure_data(page, "payable")
        shown = re.findall(r'<details class="payline.*?</summary>', page, re.DOTALL)
        assert [amounts(one)[0] for one in shown] == [one["amount"] for one in stated["lines"]]
        overview = await browser.page(f"/pay?until={MONTH}")
        assert stated["totals"][0]["payable"] in amounts(overview)


async def test_payroll_sees_everybodys_pay_as_the_api_tells_it(running: Running, line: Line, told: Told) -> None:
    earned = [one async for one in line.items("compensation", "/v1/earnings", {"from": MONTH, "to": MONTH})]
    async with signed_in(running, "paula", "payroll") as browser:
        page = await browser.page(f"/pay?until={MONTH}")
    table = page[page.index('<table id="pay"') : page.index("</table>")]
    for statement in earned:
        row = re.search(rf"<th scope=\"row\">{statement['person']}</th>.*?</tr>", table, re.DOTALL)
        assert row is not None
        for part in statement["totals"]:
            assert part["payable"] in amounts(row[0])


def figure_data(page: str, id_: str) -> list[str]:
    found = re.search(rf'id="{id_}"[^>]*>.*?</dd>', page, re.DOTALL)
    assert found is not None
    return amounts(found[0])


VIEWERS = (
    ("seen-scout", "scout"),
    ("seen-hunter", "hunter"),
    ("seen-farmer", "farmer"),
    (MANAGER, "manager"),
    ("frida", "finance"),
    (STRANGER, "scout"),
)


@pytest.mark.parametrize(("person", "role"), VIEWERS)
async def test_whoever_looks_sees_how_much_waits_at_all_three_stations_as_they_say_it(
    running: Running, line: Line, told: Told, person: str, role: str
) -> None:
    async with signed_in(running, person, role) as browser:
        for where in ("seen", None):

            async def alike(where: str | None = where) -> bool:
                figures, clock = await waiting(line, person, role, where)
                page = await browser.page(f"/?line={where}" if where else "/")
                return {id_: figure(page, id_) for id_ in figures} == figures and oldest(page) == clock

            await until(alike)
    figures, _ = await waiting(line, person, role, "seen")
    assert figures["prospect-working"] == "2"
    assert figures["account-total"] == "1"
    assert figures["opportunity-total"] == "0"
    assert figures["lead-total"] == figures["buyer-total"] == "0"


async def test_what_a_station_says_waits_is_what_its_lists_hold(running: Running, line: Line, told: Told) -> None:
    figures, _ = await waiting(line, MANAGER, "manager", "seen")
    prospects = (await line.get("lead-gen", "/v1/prospects/counts", {"line": "seen"}))["counts"]
    working = sum(prospects.get(stage, 0) for stage in ("registered", "contacting", "in_dialogue"))
    assert figures["prospect-working"] == str(working)
    opportunities = (await line.get("conversion", "/v1/opportunity-counts", {"line": "seen"}))["counts"]
    assert figures["opportunity-total"] == str(sum(opportunities.values()) - opportunities.get("won", 0))
    accounts = await line.get("account-mgmt", "/v1/accounts", {"line": "seen", "counts": "true"})
    assert figures["account-total"] == str(sum(accounts["counts"].values()))


async def test_the_oldest_clock_and_how_much_waits_name_nobody(running: Running, line: Line, told: Told) -> None:
    await told.firm.offered(instant_text(datetime.now(UTC)))
    client = f"seen-client-{told.firm.clients}"
    async with signed_in(running, STRANGER, "scout") as stranger, signed_in(running, MANAGER, "manager") as manager:

        async def there() -> bool:
            page = await manager.page("/?line=seen")
            return figure(page, "lead-total") == "1" and client in page

        await until(there)
        theirs, ours = await stranger.page("/?line=seen"), await manager.page("/?line=seen")
        assert figure(theirs, "lead-total") == "1"
        assert oldest(theirs) == oldest(ours) != []
        assert client not in theirs
        assert "seen-" not in theirs
        for station in STATIONS:
            said = str(await line.get(station, "/v1/waiting", person=STRANGER, roles=("scout",)))
            assert "'seen'" in said
            assert "seen-" not in said, "neither a client nor anybody's name"


async def test_any_journey_and_the_cause_of_any_cent_are_three_clicks_away(running: Running, told: Told) -> None:
    async with signed_in(running, "seen-hunter", "hunter") as browser:
        landing = await browser.page("/")
        assert {"/pay", "/clients"} <= links(landing)
        statement = f"/pay/seen-hunter/{MONTH}"
        assert statement in links(await browser.page(f"/pay?until={MONTH}"))
        lines = set(re.findall(r'hx-get="(/pay/lines/[^"]+)"', await browser.page(statement)))
        assert lines
        for way in lines:
            unfolded = await browser.page(way)
            assert 'class="steps"' in unfolded
        accounts = await browser.page("/clients?at=accounts&line=seen")
        assert f"/clients/{told.client}" in links(accounts)
        journey = await browser.page(f"/clients/{told.client}")
        assert 'id="band"' in journey
        assert journey.count('<tr id="e-') >= 10


async def test_nobody_sees_what_the_apis_would_refuse(running: Running, told: Told) -> None:
    async with signed_in(running, STRANGER, "scout") as browser:
        landing = await browser.page("/")
        assert told.client not in landing
        assert "seen-" not in landing
        assert "seen-" not in await browser.page("/line/now?line=seen")
        await browser.page(f"/pay/seen-hunter/{MONTH}", 404)
        await browser.page(f"/pay/seen-hunter/{MONTH}/statement.csv", 404)
        shown = await browser.page(f"/clients/{told.client}", 404)
        assert "seen-hunter" not in shown
        assert "10000" not in shown
    async with signed_in(running, "seen-scout", "scout") as browser:
        landing = await browser.page("/?line=seen")
        assert "seen-client-" in landing
        assert '<tr class="deals">' not in landing, "no scope of a scout opens the second station"
    async with signed_in(running, "frida", "finance") as browser:
        landing = await browser.page("/?line=seen")
        assert 'id="rows-closed"' in landing
        assert "seen-" not in landing


async def test_a_peer_sees_how_far_a_client_is_and_nothing_personal(running: Running, told: Told) -> None:
    async with signed_in(running, PEER, "scout") as browser:
        shown = await browser.page(f"/clients/{told.client}")
        assert "<dd>tools</dd>" in shown, "what kind of need it is"
        assert "drills wear out" not in shown
        assert "Client seen-client" not in shown
    async with signed_in(running, "seen-scout", "scout") as browser:
        shown = await browser.page(f"/clients/{told.client}")
        assert "tools: drills wear out" in shown
        assert "Client seen-client" in shown


@pytest.mark.parametrize("way", ["/clients/calls", "/clients/counts", "/pay?until=0000-01", "/pay/seen-hunter/0000-01"])
async def test_what_is_no_client_and_no_month_is_not_there(running: Running, told: Told, way: str) -> None:
    async with signed_in(running, "seen-hunter", "hunter") as browser:
        await browser.page(way, 404)


async def test_without_a_session_there_is_nothing_but_the_way_to_the_sign_in(running: Running, told: Told) -> None:
    async with httpx2.AsyncClient(base_url=board_of(running)) as http:
        for way in (*PAGES, "/line/moves", "/line/now", f"/pay/seen-hunter/{MONTH}", f"/clients/{told.client}"):
            answer = await http.get(way)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in?then=")
        part = await http.get("/line/now", headers={"hx-request": "true"})
        assert part.status_code == 401


async def test_a_command_shows_on_the_open_page_within_a_second(running: Running, told: Told) -> None:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    async with signed_in(running, MANAGER, "manager") as browser:
        before = int(figure(await browser.page("/line/now?line=seen"), "prospect-working"))
        async with browser.http.stream("GET", "/line/moves") as stream:
            heard = stream.aiter_lines()
            while (await anext(heard)) != "event: hello":
                pass
            for number in range(1, COMMANDS + 1):
                begun = loop.time()
                await told.firm.prospect("2026-03-13T11:00:00Z")
                async with asyncio.timeout(10):
                    while int(figure(await browser.page("/line/now?line=seen"), "prospect-working")) < before + number:
                        while (await anext(heard)) != "event: moved":
                            pass
                took.append(loop.time() - begun)
    assert sorted(took)[int(len(took) * 0.95) - 1] < 1.0, took


async def test_who_sees_only_numbers_hears_only_numbers(running: Running, told: Told) -> None:
    async with (
        signed_in(running, "frida", "finance") as finance,
        finance.http.stream("GET", "/line/moves?line=seen") as stream,
    ):
        heard = stream.aiter_lines()
        await first(heard, "event: hello")
        client = await told.firm.prospect("2026-03-14T11:00:00Z")
        async with asyncio.timeout(10):
            await first(heard, "event: moved")
            said = [await anext(heard)]
            while (line := await anext(heard)) or not any(one.startswith("event: now") for one in said):
                said.append(line)
    assert said[0] == "data: lead-gen"
    shown = " ".join(said)
    assert 'id="prospect-total"' in shown
    assert client not in shown
    assert "seen-" not in shown


async def first(heard: Any, wanted: str) -> None:
    while (await anext(heard)) != wanted:
        pass


async def test_a_form_of_another_site_does_nothing(running: Running, told: Told) -> None:
    async with signed_in(running, "seen-hunter", "hunter") as browser:
        page = await browser.page(f"/pay/seen-hunter/{MONTH}")
        proof = re.search(r'name="proof" value="([^"]+)"', page)
        assert proof is not None
        way = f"/pay/seen-hunter/{MONTH}/dispute"
        ours = {"origin": board_of(running)}
        fields = {"text": "mine", "key": "k", "lines": ""}
        for data, headers in (
            (fields, ours),
            (fields | {"proof": "x" * 43}, ours),
            (fields | {"proof": proof[1]}, {"origin": "https://evil.example"}),
            (fields | {"proof": proof[1]}, {"sec-fetch-site": "cross-site"}),
        ):
            assert (await browser.http.post(way, data=data, headers=headers)).status_code == 403
        assert (await browser.http.post(way, json=fields | {"proof": proof[1]}, headers=ours)).status_code == 403
        assert (await browser.http.post("/sign-out", data={}, headers=ours)).status_code == 403
        assert (await browser.page("/pay")).count("dispute_") == 0
        disputes = await browser.http.get("/pay")
        assert 'id="disputes"' not in disputes.text


async def test_signing_out_ends_the_session_for_good(running: Running, told: Told) -> None:
    async with signed_in(running, "seen-farmer", "farmer") as browser:
        cookies = dict(browser.http.cookies)
        gone = await browser.send("/sign-out", await browser.page("/"))
        assert gone.url.path == "/signed-out"
    async with httpx2.AsyncClient(base_url=board_of(running), cookies=cookies) as thief:
        assert (await thief.get("/pay")).status_code == 303


async def test_a_what_if_is_asked_and_drawn(running: Running, told: Told) -> None:
    async with signed_in(running, "paula", "payroll") as browser:
        form = await browser.page("/what-if?plan=ref-hunter")
        assert "plan: ref-hunter" in form
        document = re.search(r'<textarea id="document"[^>]*>(.*?)</textarea>', form, re.DOTALL)
        assert document is not None
        changed = document[1].replace("percent: 6", "percent: 9").replace("version: 1", "version: 2")
        asked = await browser.send(
            "/what-if", form, document=changed, line="seen", from_start="yes", **{"from": MONTH, "to": MONTH}
        )
        assert asked.url.path.startswith("/what-if/"), asked.text[:3_000]
        way = asked.url.path

        async def done() -> bool:
            return 'id="people"' in await browser.page(way)

        await until(done)
        result = await browser.page(way)
        assert "seen-hunter" in result
        assert 'class="gain"' in result
