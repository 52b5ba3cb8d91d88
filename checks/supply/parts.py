"""Everything that is locked: Python packages, Java archives of the local Kafka, npm packages of the checks and files
of them that browsers are given.

All of it is read from the lock files, never from what happens to be installed. Where a part is used is read from the
lock, too: `# via` says who asked for it.
"""

from __future__ import annotations

import json
import re
import tomllib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = "requirements.lock"
JARS = "deploy/local/src/conveyor_local/kafka.jars"
NPM_LOCK = "package-lock.json"
VENDORED = "src/*/static/vendored.toml"
NOT_OURS = {"node_modules", "__pycache__", "build"}

_ENTRY = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)(?: *; *([^\\\n]+?))? *\\?$", re.MULTILINE)
_VIA = re.compile(r"^ +# +(?:via +)?([\w.-]+)$", re.MULTILINE)


class Use(StrEnum):
    """Where a part ends up."""

    SERVICE = "service"  # runs in production: in the image of at least one service
    TOOLS = "tools"  # the command line and the local stack
    DEVELOPMENT = "development"  # builds, checks and tests


class Kind(StrEnum):
    """Where a part comes from, in the word that package URLs use."""

    PYTHON = "pypi"
    JAVA = "maven"
    NPM = "npm"


@dataclass(frozen=True, order=True)
class Part:
    """One locked part. `by`: who asked for it, by name. `said`: the licence its lock states, where it does."""

    kind: Kind
    name: str
    version: str
    use: Use
    marker: str | None = None
    hashes: tuple[tuple[str, str], ...] = ()
    by: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    said: str | None = None


@dataclass(frozen=True)
class Member:
    """A package of ours: where it runs, and what it asks for."""

    name: str
    version: str
    use: Use
    asks: frozenset[str]


def members(root: Path) -> dict[str, Member]:
    """The packages of this checkout, by name."""
    found: dict[str, Member] = {}
    for folder, use in (
        ("libs", Use.SERVICE),
        ("services", Use.SERVICE),
        ("apps", Use.SERVICE),
        ("cli", Use.TOOLS),
        ("deploy", Use.TOOLS),
    ):
        pattern = "pyproject.toml" if folder == "cli" else "*/pyproject.toml"
        for path in sorted((root / folder).glob(pattern)):
            project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
            asks = frozenset(canonicalize_name(Requirement(wish).name) for wish in project.get("dependencies", []))
            found[project["name"]] = Member(project["name"], project["version"], use, asks)
    return found


def parts(root: Path) -> list[Part]:
    """Every locked part, in order."""
    return sorted([*_python(root), *_java(root), *_npm(root), *_vendored(root)])


def _python(root: Path) -> Iterator[Part]:
    ours = members(root)
    text = (root / LOCK).read_text(encoding="utf-8")
    heads = list(_ENTRY.finditer(text))
    bodies = [text[head.end() : following] for head, following in zip(heads, _ends(heads, text), strict=True)]
    asked: dict[str, set[str]] = {}
    for head, body in zip(heads, bodies, strict=True):
        asked.setdefault(canonicalize_name(head[1]), set()).update(map(canonicalize_name, _VIA.findall(body)))
    for head, body in zip(heads, bodies, strict=True):
        name = canonicalize_name(head[1])
        reached = _members_above(name, asked, ours)
        uses = {ours[member].use for member in reached}
        use = Use.SERVICE if Use.SERVICE in uses else Use.TOOLS if uses else Use.DEVELOPMENT
        hashes = tuple(("sha256", digest) for digest in re.findall(r"--hash=sha256:([0-9a-f]+)", body))
        yield Part(Kind.PYTHON, name, head[2], use, head[3], hashes, frozenset(asked[name]), frozenset(reached))


def _ends(heads: list[re.Match[str]], text: str) -> Iterator[int]:
    yield from (head.start() for head in heads[1:])
    if heads:
        yield len(text)


def _members_above(name: str, asked: Mapping[str, set[str]], ours: Mapping[str, Member]) -> set[str]:
    """The packages of ours that bring this one with them, directly or through others."""
    seen, waiting = {name}, [name]
    while waiting:
        one = waiting.pop()
        above = asked.get(one, set()) | {member.name for member in ours.values() if one in ours and one in member.asks}
        waiting += above - seen
        seen |= above
    return seen & ours.keys() - {name}


def _java(root: Path) -> Iterator[Part]:
    path = root / JARS
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        digest, coordinates = line.split()
        group, artifact, version = coordinates.split(":")
        yield Part(
            Kind.JAVA,
            f"{group}:{artifact}",
            version,
            Use.TOOLS,
            None,
            (("sha256", digest),),
            members=frozenset({"conveyor-local"}),
        )


def _npm(root: Path) -> Iterator[Part]:
    """Node checks and tests; no service runs any of it."""
    found: dict[tuple[str, str], Part] = {}
    for path in _npm_locks(root):
        for place, entry in json.loads(path.read_text(encoding="utf-8"))["packages"].items():
            if not place or entry.get("link"):
                continue
            name = entry.get("name") or place.rpartition("node_modules/")[2]
            hashes = tuple(_integrity(entry.get("integrity", "")))
            said = entry.get("license")
            found[name, entry["version"]] = Part(
                Kind.NPM,
                name,
                entry["version"],
                Use.DEVELOPMENT,
                None,
                hashes,
                said=said if isinstance(said, str) else None,
            )
    yield from found.values()


def _vendored(root: Path) -> Iterator[Part]:
    """Single files of npm packages that an app of ours gives to browsers: they lie in its own folder."""
    for path in sorted((root / "apps").glob(f"*/{VENDORED}")):
        member = tomllib.loads((path.parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
        for one in tomllib.loads(path.read_text(encoding="utf-8")).values():
            hashes = (("sha256", one["sha256"]),)
            yield Part(Kind.NPM, one["name"], one["version"], Use.SERVICE, None, hashes, members=frozenset({member}))


def _npm_locks(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in NOT_OURS and not path.name.startswith("."):
            yield from _npm_locks(path)
        elif path.name == NPM_LOCK:
            yield path


def _integrity(text: str) -> Iterator[tuple[str, str]]:
    for one in text.split():
        algorithm, _, digest = one.partition("-")
        yield algorithm, b64decode(digest).hex()
