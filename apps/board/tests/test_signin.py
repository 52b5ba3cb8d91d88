"""Sign-in at a real issuer: who comes back with what was not begun here, or not for them, is nobody."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx2
import pytest
import pytest_asyncio
import uvicorn

from belt.io.http.app import Readiness
from belt.io.http.issuer import DevelopmentIssuer
from board.running import hall_of
from board.settings import BoardSettings
from board.signin import WAY, local
from board.web import app_of
from conveyor.signin.app import SignIn
from conveyor.signin.clients import Client
from conveyor.signin.people import Person

BOARD = "http://127.0.0.1:8080"
ANA = Person("ana", ("scout",), "tools: lead-gen")


@dataclass
class Door:
    """The board in this process, and a browser in front of it."""

    http: httpx2.AsyncClient
    settings: BoardSettings

    async def leave(self, then: str = "/day") -> str:
        """To the issuer: the address that the browser is sent to."""
        answer = await self.http.get("/sign-in", params={"then": then})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def pick(self, at: str) -> str:
        """At the issuer: the address that the browser is sent back to."""
        async with httpx2.AsyncClient() as issuer:
            shown = await issuer.get(at)
            ticket = re.findall(r'name="ticket" value="([^"]+)"', shown.text)[0]
            answer = await issuer.post(f"{self.settings.signin_name}/pick", data={"ticket": ticket, "person": "ana"})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix(BOARD)


@pytest_asyncio.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[str]:
    """A sign-in that is served over a real socket."""

    async def people() -> list[Person]:
        return [ANA]

    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        client = Client("board", frozenset({BOARD + WAY}))
        app = SignIn(address, DevelopmentIssuer(tmp_path), {client.id: client}, people).app()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        task = asyncio.create_task(server.serve(sockets=[door]))
        yield address
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def door(database: str, issuer: str, tmp_path: Path) -> AsyncIterator[Door]:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    nowhere = dict.fromkeys(("lead-gen", "conversion", "account-mgmt", "compensation"), "http://127.0.0.1:9")
    settings = BoardSettings(
        service="board",
        port=0,
        dsn=database,
        jwks=str(tmp_path / "jwks.json"),
        key_file=key,
        publishers=nowhere,
        public_address=BOARD,
        signin_address=issuer,
    )
    async with asyncpg.create_pool(database) as pool, hall_of(settings, pool) as hall:
        transport = httpx2.ASGITransport(app_of(hall, Readiness()))
        async with httpx2.AsyncClient(transport=transport, base_url=BOARD) as http:
            yield Door(http, settings)


async def test_who_was_picked_is_signed_in_and_goes_where_they_wanted(door: Door) -> None:
    at = await door.leave("/pay?until=2026-03")
    asked = dict(parse_qsl(urlsplit(at).query))
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == ("board", "code", "S256")
    back = await door.http.get(await door.pick(at))
    assert back.headers["location"] == "/pay?until=2026-03"
    cookie = next(one for one in back.headers.get_list("set-cookie") if one.startswith("board="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = await door.http.get("/what-if")
    assert page.status_code == 200
    assert 'data-person="ana"' in page.text


async def test_services_that_are_away_are_told_and_not_hidden(door: Door) -> None:
    await door.http.get(await door.pick(await door.leave()))
    for way in ("/", "/day", "/pay", "/clients", "/plans", "/conflicts"):
        page = await door.http.get(way)
        assert page.status_code == 200, way
        assert 'class="state away"' in page.text, way
        assert "Traceback" not in page.text


async def test_what_is_not_there_is_told_in_the_viewers_language(door: Door) -> None:
    for language, text in (("en", "There is no such page"), ("ru", "Такой страницы нет")):
        page = await door.http.get("/nothing/here", headers={"accept-language": language})
        assert page.status_code == 404
        assert text in page.text


async def test_a_form_without_a_session_goes_to_the_sign_in_and_a_forged_language_nowhere(door: Door) -> None:
    assert (await door.http.post("/sign-out", data={})).status_code == 303
    evil = {"origin": "https://evil.example"}
    assert (await door.http.post("/language", data={"language": "ru", "then": "/"}, headers=evil)).status_code == 403
    chosen = await door.http.post("/language", data={"language": "ru", "then": "https://evil.example"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
    assert "Вход" in (await door.http.get("/signed-out")).text


async def test_an_answer_counts_once_and_only_in_the_browser_that_left(door: Door) -> None:
    back = await door.pick(await door.leave())
    stranger = httpx2.AsyncClient(transport=door.http._transport, base_url=BOARD)
    assert (await stranger.get(back)).status_code == 400
    assert (await door.http.get(back)).status_code == 303
    assert (await door.http.get(back)).status_code == 400


@pytest.mark.parametrize("changed", ["state=forged", "code=forged", "iss=http://127.0.0.1:1", "error=access_denied"])
async def test_an_answer_that_was_changed_signs_nobody_in(door: Door, changed: str) -> None:
    name = changed.partition("=")[0]
    way, _, query = (await door.pick(await door.leave())).partition("?")
    kept = [part for part in query.split("&") if not part.startswith(f"{name}=")]
    answer = await door.http.get(f"{way}?{'&'.join([*kept, changed])}")
    assert answer.status_code == 400
    assert "board=" not in answer.headers.get("set-cookie", "")
    assert (await door.http.get("/day")).status_code == 303


async def test_the_code_of_one_errand_is_nothing_in_another(door: Door) -> None:
    """The nonce, the state and the verifier belong together: another errand's answer fits none of them."""
    one, other = [dict(parse_qsl(urlsplit(await door.pick(await door.leave())).query)) for _ in range(2)]
    mixed = await door.http.get(WAY, params={**one, "code": other["code"]})
    assert mixed.status_code == 400
    assert (await door.http.get("/day")).status_code == 303


async def test_two_windows_sign_in_at_once_and_each_goes_where_it_wanted(door: Door) -> None:
    one, other = await door.leave("/day"), await door.leave("/pay")
    for at, then in ((one, "/day"), (other, "/pay")):
        assert (await door.http.get(await door.pick(at))).headers["location"] == then


async def test_a_stream_without_a_session_begins_no_sign_in(door: Door) -> None:
    stream = await door.http.get("/moves", headers={"accept": "text/event-stream"})
    assert (stream.status_code, stream.headers.get("location"), stream.headers.get("set-cookie")) == (401, None, None)


async def test_a_part_without_a_session_sends_its_page_to_the_sign_in_and_back(door: Door) -> None:
    at = {"hx-request": "true", "hx-current-url": f"{BOARD}/pay?until=2026-03"}
    part = await door.http.get("/line/now", headers=at)
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in?then=/pay%3Funtil%3D2026-03")
    assert (await door.http.get("/line/now", headers=at | {"hx-current-url": "//evil.example//x"})).headers[
        "hx-redirect"
    ] == "/sign-in?then=/"


OBJECTS = "/pay/ana/2026-03/dispute"
WROTE = {"text": "the 14th <is> missing", "lines": "line-1", "key": "once"}


async def test_what_was_written_when_the_session_ended_is_shown_and_not_thrown_away(door: Door) -> None:
    page = await door.http.post(OBJECTS, data=WROTE, headers={"origin": BOARD, "referer": f"{BOARD}/pay/ana/2026-03"})
    assert page.status_code == 401
    assert "the 14th &lt;is&gt; missing</textarea>" in page.text
    assert 'href="/sign-in?then=/pay/ana/2026-03"' in page.text
    forged = await door.http.post(OBJECTS, data=WROTE, headers={"origin": "https://evil.example"})
    assert (forged.status_code, "14th" in forged.text) == (403, False)


async def test_a_form_of_an_earlier_session_is_sent_again_by_its_owner(door: Door) -> None:
    await door.http.get(await door.pick(await door.leave()))
    old = await _proof(door)
    door.http.cookies.clear()
    await door.http.get(await door.pick(await door.leave()))
    page = await door.http.post(OBJECTS, data={**WROTE, "proof": old}, headers={"origin": BOARD})
    assert page.status_code == 403
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text.split('id="kept"')[1]))
    assert sent == {"proof": await _proof(door), "lines": "line-1", "key": "once"}
    assert "the 14th &lt;is&gt; missing</textarea>" in page.text


async def test_who_signs_in_again_in_another_window_sends_the_form_that_is_open(door: Door) -> None:
    await door.http.get(await door.pick(await door.leave()))
    proof = await _proof(door)
    await door.http.get(await door.pick(await door.leave()))
    assert await _proof(door) == proof


async def test_what_no_service_answered_is_sent_again_as_the_same_command(door: Door) -> None:
    await door.http.get(await door.pick(await door.leave()))
    page = await door.http.post(OBJECTS, data={**WROTE, "proof": await _proof(door)}, headers={"origin": BOARD})
    assert page.status_code == 503
    assert 'name="key" value="once"' in page.text
    assert "the 14th &lt;is&gt; missing</textarea>" in page.text


async def _proof(door: Door) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', (await door.http.get("/what-if")).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "javascript:alert(1)", "/a\nb", ""]
)
def test_nobody_is_sent_to_another_site(then: str) -> None:
    assert local(then) == "/"
    assert local("/pay?until=2026-03") == "/pay?until=2026-03"


async def test_an_issuer_that_is_away_is_told(door: Door, database: str, tmp_path: Path) -> None:
    settings = door.settings.model_copy(update={"signin_address": "http://127.0.0.1:9"})
    async with asyncpg.create_pool(database) as pool, hall_of(settings, pool) as hall:
        transport = httpx2.ASGITransport(app_of(hall, Readiness()))
        async with httpx2.AsyncClient(transport=transport, base_url=BOARD) as http:
            assert (await http.get("/sign-in")).status_code == 503


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ("development", "http://board.example"),
        ("production", "http://127.0.0.1:8080"),
        ("production", "http://a.example"),
    ],
)
def test_sessions_are_for_https_or_for_this_machine(environment: str, address: str, tmp_path: Path) -> None:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    with pytest.raises(ValueError, match="loopback"):
        BoardSettings(
            service="board",
            port=0,
            dsn="postgresql://x@y/z",
            environment=environment,
            issuer="https://issuer.example",
            key_file=key,
            public_address=address,
        )


async def test_cookies_say_that_they_are_for_https_where_it_is_spoken(door: Door, database: str) -> None:
    settings = door.settings.model_copy(update={"public_address": "https://board.example"})
    async with asyncpg.create_pool(database) as pool, hall_of(settings, pool) as hall:
        assert hall.session_cookie == "__Host-board"
        transport = httpx2.ASGITransport(app_of(hall, Readiness()))
        async with httpx2.AsyncClient(transport=transport, base_url="https://board.example") as http:
            answer = await http.get("/sign-in")
            assert "; Secure" in answer.headers["set-cookie"]
            assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("role", ["api", "all"])
def test_no_pages_are_shown_without_the_address_of_every_service(tmp_path: Path, role: str) -> None:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    named = {"lead-gen": "http://127.0.0.1:9"}
    issuer = "https://issuer.example"
    settings = BoardSettings(
        service="board", port=0, dsn="postgresql://x@y/z", issuer=issuer, key_file=key, publishers=named
    )
    with pytest.raises(ValueError, match=r"^CONVEYOR_PUBLISHERS names no address of conversion, account-mgmt, compens"):
        settings.check_for(role)
    settings.check_for("worker")
