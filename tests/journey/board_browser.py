"""Somebody at the board: signs in as a browser would, opens pages, sends the forms that stand on them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx2

from conveyor.pages import BOARD
from conveyor.running import Running, address

LINKS = re.compile(r'href="(/[^"#]*)')
AMOUNTS = re.compile(r'<data class="money" value="([^"]+)"')


def board_of(running: Running) -> str:
    return address(running.pages[BOARD].port)


@dataclass
class Browser:
    """One person with one session."""

    http: httpx2.AsyncClient
    person: str

    async def page(self, way: str, status: int = 200) -> str:
        shown = await self.http.get(way)
        assert shown.status_code == status, (way, shown.status_code, shown.text[:2_000])
        return shown.text

    async def send(self, way: str, page: str, **fields: str) -> httpx2.Response:
        """Sends the form of the page that goes this way, filled in."""
        form = re.search(rf'<form[^>]*action="{re.escape(way)}".*?</form>', page, re.DOTALL)
        assert form is not None, f"no form goes to {way}"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
        origin = {"origin": str(self.http.base_url).rstrip("/")}
        return await self.http.post(way, data={**hidden, **fields}, headers=origin)


@asynccontextmanager
async def signed_in(running: Running, person: str, *roles: str, language: str = "en") -> AsyncIterator[Browser]:
    """Goes to the sign-in, says who one is, and comes back."""
    board = board_of(running)
    headers = {"accept-language": language}
    async with httpx2.AsyncClient(base_url=board, follow_redirects=True, headers=headers, timeout=30) as http:
        asked = await http.get("/sign-in?then=/")
        ticket = re.search(r'name="ticket" value="([^"]+)"', asked.text)
        assert ticket is not None, asked.text
        picked = {"ticket": ticket[1], "name": person, "role": list(roles)}
        at_home = await http.post(str(asked.url.join("/pick")), data=picked)
        assert str(at_home.url) == f"{board}/", at_home.text[:2_000]
        yield Browser(http, person)


def figure(page: str, id_: str) -> str:
    """The text of the element with this id."""
    found = re.search(rf'id="{re.escape(id_)}"[^>]*>(.*?)</', page, re.DOTALL)
    assert found is not None, f"no element {id_}"
    return re.sub(r"<[^>]*>", "", found[1]).strip()


def total(page: str, name: str) -> str:
    """An amount among the totals of a statement, as machines read it."""
    found = re.search(rf'data-total="{name}">\s*<data class="money" value="([^"]+)"', page)
    assert found is not None, f"no total {name}"
    return found[1]


def amounts(page: str) -> list[str]:
    return [unescape(one) for one in AMOUNTS.findall(page)]


def links(page: str) -> set[str]:
    return {unescape(one) for one in LINKS.findall(page)}


async def until(look: Any, within: float = 30.0) -> None:
    """Waits for a condition that somebody else brings about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not await look():
        assert loop.time() < end, "it did not come about"
        await asyncio.sleep(0.05)
