"""What must not be in a site of ours: pages that nobody finds, links to nothing, anything that comes from elsewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from checks.site.staging import DOCS

FETCHED = {"src", "srcset", "poster", "data"}
FETCHED_LINKS = {"link", "use", "image"}  # where href fetches; in others it leads
STYLED = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


def unlisted(nav: Any, staged: Mapping[str, str]) -> Iterator[str]:
    """Documents that the navigation does not name, and names of none."""
    named = list(_named(nav))
    for origin, place in sorted(staged.items()):
        if origin.startswith(f"{DOCS}/") and origin.endswith(".md") and place not in named:
            yield f"{origin} is not in the navigation"
    yield from (f"the navigation names {place}, which there is not" for place in named if place not in staged.values())
    yield from (
        f"the navigation names {place} twice" for place in sorted({one for one in named if named.count(one) > 1})
    )


def nav_of(config: Path) -> Any:
    """The navigation in a configuration."""
    return tomllib.loads(config.read_text(encoding="utf-8"))["project"]["nav"]


def _named(nav: Any) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case list():
            for each in nav:
                yield from _named(each)
        case dict():
            for each in nav.values():
                yield from _named(each)
        case _:
            raise TypeError(f"{nav!r} is no part of a navigation")


@dataclass
class Page(HTMLParser):
    """What a page fetches, where it leads, and what can be led to."""

    fetches: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name") and tag != "meta":
                self.ids.add(value)
            elif name in FETCHED or (tag in FETCHED_LINKS and name in ("href", "xlink:href")):
                self.fetches += value.split(",") if name == "srcset" else [value]
            elif name == "href":
                self.leads.append(value)
            elif name == "style":
                self.fetches += _styled(value)


def read(site: Path) -> dict[str, Page]:
    """Every page of a built site, by its place."""
    pages: dict[str, Page] = {}
    for path in sorted(site.rglob("*.html")):
        page = pages[str(path.relative_to(site))] = Page()
        page.feed(path.read_text(encoding="utf-8"))
    return pages


def foreign(site: Path, pages: Mapping[str, Page]) -> Iterator[str]:
    """What pages and style sheets fetch from other hosts."""
    for place, page in pages.items():
        yield from (f"{place} fetches {aim}" for aim in page.fetches if _is_elsewhere(aim))
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.svg")]):
        text = path.read_text(encoding="utf-8")
        yield from (f"{path.relative_to(site)} fetches {aim}" for aim in _styled(text) if _is_elsewhere(aim))


def dead(site: Path, pages: Mapping[str, Page]) -> Iterator[str]:
    """Links inside the site that lead to nothing."""
    for place, page in pages.items():
        for aim in dict.fromkeys([*page.fetches, *page.leads]):
            parts = urlsplit(aim)
            if parts.scheme or parts.netloc or aim.startswith("/") or place == "404.html":
                continue
            path = (site / place).parent / unquote(parts.path) if parts.path else site / place
            found = path.resolve()
            if not found.is_file() and not (found / "index.html").is_file():
                yield f"{place} leads to {aim}, which there is not"
                continue
            if not parts.fragment or found.suffix != ".html":
                continue
            if unquote(parts.fragment) not in pages[str(found.relative_to(site.resolve()))].ids:
                yield f"{place} leads to {aim}, where nothing is called so"


def _is_elsewhere(aim: str) -> bool:
    return aim.strip().lower().startswith(("http:", "https:", "//", "ws:", "wss:"))


def _styled(text: str) -> Iterable[str]:
    return [one or other for one, other in STYLED.findall(text)]
