"""The pages that show the doors come from here alone, and every answer tells browsers to be careful."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from doorways import Place

from belt.io.http.pages import KINDS


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path, request_deadline=0.3)
    yield here
    await here.client.aclose()


class References(HTMLParser):
    """What a page loads, leads to or runs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset"):
                self.addresses.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style") and data.strip():
            self.inline.append(data)


async def test_the_page_loads_only_what_is_served_here_and_runs_no_script_of_its_own(place: Place) -> None:
    answer = await place.client.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = References(answer.text)
    assert page.inline == []
    assert set(page.addresses) == {"openapi.json"} | {f"docs/{name}" for name in KINDS}
    for address in page.addresses:
        part = await place.client.get("/" + address)
        assert part.status_code == 200, address
    assert (await place.client.get("/openapi.json")).json() == place.app.openapi()


async def test_nothing_that_the_page_loads_names_another_host_to_load_from(place: Place) -> None:
    start = (await place.client.get("/docs/start.js")).text
    style = (await place.client.get("/docs/swagger-ui.css")).text
    assert "//" not in start
    assert "validatorUrl: null" in start, "Swagger UI would ask a validator on another host"
    loaded = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]{0,40})", style)
    assert loaded
    assert all(address.startswith("data:") for address in loaded)


async def test_the_policy_of_the_page_allows_no_other_host_and_no_inline_script(place: Place) -> None:
    told = (await place.client.get("/docs")).headers["content-security-policy"]
    policy = {name: words for name, *words in (rule.split() for rule in told.split(";"))}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    allowed = {word for name in policy for word in policy[name]}
    assert allowed == {"'none'", "'self'", "data:"}
    assert "data:" not in policy["script-src"] + policy["connect-src"] + policy["style-src"]


@pytest.mark.parametrize("path", ["/livez", "/v1/things", "/v1/wrong/fault", "/nowhere", "/v1/slow", "/openapi.json"])
async def test_every_answer_may_do_nothing_in_a_browser(place: Place, path: str) -> None:
    headers = (await place.get(path)).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


async def test_only_the_parts_of_the_page_are_served(place: Place) -> None:
    for path in ("/docs/", "/docs/redoc.standalone.js", "/docs/..%2f..%2fcore.py", "/docs/../core.py", "/docs/%2e%2e"):
        assert (await place.client.get(path)).status_code == 404, path


async def test_the_pages_can_be_left_out(tmp_path: Path) -> None:
    place = Place(tmp_path, pages=False)
    for path in ("/docs", "/openapi.json", "/docs/start.js"):
        assert (await place.client.get(path)).status_code == 404
