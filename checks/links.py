"""Rules for documents: what they link to is there, and they are found."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from checks.ours import files

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([A-Za-z_][\w.]*)`")


def links_lead_somewhere(root: Path) -> Iterator[str]:
    """Every relative link in the documents leads to a file, to a heading, or to a `name` that is in the code there."""
    for path in files(root, "*.md"):
        text = FENCED.sub(lambda block: "\n" * block[0].count("\n"), path.read_text())
        for found in LINK.finditer(text):
            words, link = found.groups()
            if "://" in link or link.startswith("mailto:"):
                continue
            at = f"{path.relative_to(root)}:{text.count(chr(10), 0, found.start()) + 1}: {link}"
            place, _, heading = link.partition("#")
            target = (path.parent / place).resolve() if place else path
            if not target.exists():
                yield f"{at} leads nowhere"
            elif heading and target.suffix == ".md" and heading not in _headings(target):
                yield f"{at}: no such heading"
            elif target.suffix == ".py" and (name := NAME.fullmatch(words)) and name[1] not in _names(target):
                yield f"{at}: no {name[1]} in it"


def documents_are_listed(root: Path) -> Iterator[str]:
    """Every page in docs/ stands in its index."""
    index = root / "docs/README.md"
    listed = {link.partition("#")[0] for _, link in LINK.findall(index.read_text())} if index.is_file() else set()
    for page in sorted((root / "docs").glob("*.md")):
        if page != index and page.name not in listed:
            yield f"docs/README.md: {page.name} is not listed"


def _headings(document: Path) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    titles = re.findall(r"^#+ +(.+?)\s*$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def _names(module: Path) -> set[str]:
    """What is defined in a module: functions, classes, constants; and Class.name for what is in a class."""
    found: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        mine = _defined(node)
        found |= mine
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
    return found


def _defined(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case _:
            return set()
