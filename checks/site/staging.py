"""What the site is built from: the documents, and whatever of the checkout they lead to, with links that stay inside.

README.md            -> index.md             the first page
docs/README.md       -> contents.md          everything at a glance
docs/tour.md         -> tour.md
docs/board/README.md -> board/index.md       so in every folder
libs/belt/README.md  -> source/libs/belt/index.md
libs/belt/a.py       -> source/libs/belt/a.py.txt   so that a browser shows it
libs/events/samples  -> source/libs/events/samples/index.md, a list of what lies there
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

START, CONTENTS, DOCS, SOURCE = "README.md", "docs/README.md", "docs", "source"
LINK = re.compile(r"(\[[^\]]*\]\()([^)\s]+)(\))")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
DIAGRAM = "```mermaid"
SCRIPT = "javascripts/mermaid.tiny.js"
HIDDEN = re.compile(r"(?<![^/])\.")  # what begins with a dot is left out of a site
UNSEEN = "---\nsearch:\n  exclude: true\n---\n"
NOT_OURS = {"__pycache__", "node_modules", "build"}
SHOWN_AS_THEY_ARE = {".json", ".svg", ".png"}


class LeadsNowhere(ValueError):
    """A link to nothing."""


def stage(root: Path, into: Path) -> dict[str, str]:
    """Fills an empty folder; returns the place of each thing in the checkout and in the site."""
    if into.exists():
        shutil.rmtree(into)
    waiting = [START, *(str(page.relative_to(root)) for page in sorted((root / DOCS).rglob("*.md")))]
    staged: dict[str, str] = {}
    while waiting:
        origin = waiting.pop()
        if origin in staged:
            continue
        place = staged[origin] = place_of(root, origin)
        target = into / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if place.endswith(".md"):
            text, led = _page(root, origin, place)
            waiting += led
            target.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(root / origin, target)
    return staged


def place_of(root: Path, origin: str) -> str:
    """Where something of the checkout is in the site."""
    if origin in (START, CONTENTS):
        return {START: "index.md", CONTENTS: "contents.md"}[origin]
    inside = origin.removeprefix(f"{DOCS}/")
    if inside == origin:
        inside = f"{SOURCE}/{re.sub(HIDDEN, '', origin)}"
    if (root / origin).is_dir():
        return f"{inside}/index.md"
    if origin.endswith(".md"):
        return re.sub(r"README\.md$", "index.md", inside)
    as_it_is = origin.startswith(f"{DOCS}/") and Path(origin).suffix in SHOWN_AS_THEY_ARE
    return inside if as_it_is else f"{inside}.txt"


def _page(root: Path, origin: str, place: str) -> tuple[str, list[str]]:
    """The page's text with links inside the site, and what they lead to."""
    if (root / origin).is_dir():
        text, folder = _list(root, origin), root / origin
    else:
        text, folder = (root / origin).read_text(encoding="utf-8"), (root / origin).parent
    led: list[str] = []

    def inside(link: re.Match[str]) -> str:
        before, aim, after = link.groups()
        if "://" in aim or aim.startswith(("mailto:", "#")):
            return link[0]
        path, sharp, heading = aim.partition("#")
        found = Path(os.path.normpath(folder / path))
        if not found.exists() or not found.is_relative_to(root):
            raise LeadsNowhere(f"{origin}: {aim}")
        to = str(found.relative_to(root))
        if found.is_dir() and (found / "README.md").is_file():
            to += "/README.md"
        led.append(to)
        return before + os.path.relpath(place_of(root, to), Path(place).parent) + sharp + heading + after

    parts = _outside_of_code(text)
    done = "".join(LINK.sub(inside, part) if changes else part for part, changes in parts)
    if DIAGRAM in text:
        # Before the theme's own script, which would otherwise fetch one from elsewhere.
        done += f'\n<script src="{os.path.relpath(SCRIPT, Path(place).parent)}"></script>\n'
    return done if place.partition("/")[0] != SOURCE else UNSEEN + done, led


def _outside_of_code(text: str) -> Iterator[tuple[str, bool]]:
    """The text in parts, each with whether it may change: what stands in a fenced block may not."""
    end = 0
    for block in FENCED.finditer(text):
        yield text[end : block.start()], True
        yield block[0], False
        end = block.end()
    yield text[end:], True


def _list(root: Path, origin: str) -> str:
    """A page for a folder: what lies there."""
    found = [path for path in sorted((root / origin).iterdir()) if path.name[0] != "." and path.name not in NOT_OURS]
    return f"# {origin}\n\n" + "".join(f"- [{path.name}]({path.name})\n" for path in found)
