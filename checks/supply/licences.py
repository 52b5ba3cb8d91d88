"""Under which licence each locked part comes, and whether it may come in: licences.toml says which may.

A Python package says it in its metadata; where it does not, licences.toml records it. So the list is the same on every
machine: a part that is locked but not installed here (another system, another Python) must be recorded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from boolean.boolean import Expression
from license_expression import (
    AND,
    OR,
    BaseSymbol,
    ExpressionError,
    LicenseWithExceptionSymbol,
    get_spdx_licensing,
)

from checks.supply.parts import Kind, Part, Use, parts

RULES = "checks/supply/licences.toml"
SPDX = get_spdx_licensing()
HEAD = """\
# Licences

What others wrote and Conveyor uses, from the lock files. `make licences` fails on a licence that
[licences.toml](../checks/supply/licences.toml) does not allow; `make sbom` writes the same parts, with hashes and who
needs whom, as a CycloneDX bill of materials. Conveyor itself is under [Apache-2.0](../LICENSE).

"""
USES = {
    Use.SERVICE: ("In the services", "What the image of a service contains; `conveyor-…` of this repository aside."),
    Use.TOOLS: ("Command line and local stack", "On a developer's machine only. Java archives are the local Kafka."),
    Use.DEVELOPMENT: ("Development", "Builds, checks and tests; nothing of it is shipped."),
}

# How classifiers and older metadata name what SPDX has a word for.
SPELLED = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}


@dataclass(frozen=True)
class Rules:
    """licences.toml."""

    anywhere: frozenset[str]
    outside_services: frozenset[str]
    exceptions: Mapping[str, Mapping[str, str]]
    known: Mapping[str, str]

    @classmethod
    def read(cls, root: Path) -> Rules:
        found: dict[str, Any] = tomllib.loads((root / RULES).read_text(encoding="utf-8"))
        allowed = found["allowed"]
        return cls(
            frozenset(allowed["anywhere"]), frozenset(allowed["outside_services"]), found["exceptions"], found["known"]
        )

    def licence(self, part: Part) -> str | None:
        """The licence as an SPDX expression; None if nobody knows."""
        name = f"{part.kind}:{part.name}"
        found = (
            self.exceptions.get(name, {}).get("licence")
            or self.known.get(name)
            or self.known.get(name.rpartition(":")[0] if part.kind is Kind.JAVA else name)
            or _spdx(part.said)
            or (_told(part) if part.kind is Kind.PYTHON else None)
        )
        return found if found and _spdx(found) else None

    def allows(self, part: Part, licence: str) -> bool:
        """Whether this licence is fine where the part is used."""
        exception = self.exceptions.get(f"{part.kind}:{part.name}")
        if exception is not None:
            return part.use is not Use.SERVICE or exception.get("where") == "anywhere"
        fine = self.anywhere if part.use is Use.SERVICE else self.anywhere | self.outside_services
        return _allowed(SPDX.parse(licence), fine)


def breaches(root: Path, rules: Rules) -> Iterator[str]:
    """Parts that may not come in, parts of which nothing is known, and rules that nothing needs."""
    locked = parts(root)
    for part in locked:
        licence = rules.licence(part)
        if licence is None:
            yield f"{part.name} {part.version}: no licence that is known; record it in {RULES}"
        elif not rules.allows(part, licence):
            yield f"{part.name} {part.version}: {licence} is not allowed in {part.use} ({RULES})"
    names = {f"{part.kind}:{part.name}" for part in locked}
    names |= {name.rpartition(":")[0] for name in names if name.startswith(Kind.JAVA)}
    for name in sorted((rules.exceptions.keys() | rules.known.keys()) - names):
        yield f"{RULES}: {name} is in no lock"
    yield from (f"{RULES}: {name}: why?" for name, one in rules.exceptions.items() if not one.get("why"))


@cache
def page(root: Path) -> str:
    """docs/licences.md."""
    rules, locked = Rules.read(root), parts(root)
    text = HEAD
    for use, (title, about) in USES.items():
        text += f"## {title}\n\n{about}\n\n| | version | licence |\n|---|---|---|\n"
        for part in locked:
            if part.use is use:
                origin = "" if part.kind is Kind.PYTHON else f" ({part.kind})"
                text += f"| {part.name}{origin} | {part.version} | {rules.licence(part) or 'unknown'} |\n"
        text += "\n"
    text += "## Exceptions\n\n"
    for name, one in sorted(rules.exceptions.items()):
        text += f"* **{name.partition(':')[2]}** ({one['licence']}): {one['why']}.\n"
    return text


def _told(part: Part) -> str | None:
    """What an installed package says of itself, in the newest of three ways."""
    try:
        found = metadata.distribution(part.name)
    except metadata.PackageNotFoundError:
        return None
    if found.version != part.version:
        return None
    told = found.metadata
    for field in ("License-Expression", "License"):
        expression = _spdx(next(iter(told.get_all(field) or []), None))
        if expression:
            return expression
    classes = {line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License ::")}
    return _spdx(classes.pop()) if len(classes) == 1 else None


def _spdx(text: str | None) -> str | None:
    """The text as an SPDX expression, if it is one or a spelling that we know."""
    wanted = SPELLED.get((text or "").strip().lower(), (text or "").strip())
    if not wanted or len(wanted) > 200:
        return None
    try:
        return str(SPDX.parse(wanted, validate=True).render())
    except (ExpressionError, ValueError):
        return None


def _allowed(licence: Expression, fine: frozenset[str]) -> bool:
    match licence:
        case OR():
            return any(_allowed(part, fine) for part in licence.args)
        case AND():
            return all(_allowed(part, fine) for part in licence.args)
        case LicenseWithExceptionSymbol() | BaseSymbol():
            return licence.render() in fine
        case _:
            return False
