"""The bill of materials in CycloneDX: what the locks and our packages install, by hash, licence, and who needs whom.

Said twice it is the same file, on any machine: no serial number, no time, no address of an index.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from checks.supply.licences import Rules
from checks.supply.parts import Kind, Member, Part, Use, members, parts

OURS = "Apache-2.0"
SCOPES = {
    Use.SERVICE: ComponentScope.REQUIRED,
    Use.TOOLS: ComponentScope.OPTIONAL,
    Use.DEVELOPMENT: ComponentScope.EXCLUDED,
}
ALGORITHMS = {"sha256": HashAlgorithm.SHA_256, "sha512": HashAlgorithm.SHA_512, "sha1": HashAlgorithm.SHA_1}
PASSING = ("serialNumber", "timestamp")  # what the standard lets out and would differ each time


def bom(root: Path, only: str | None = None) -> str:
    """The bill as JSON: of everything, or of one package of ours (`conveyor-lead-gen`: what its image installs)."""
    ours, locked, rules = members(root), parts(root), Rules.read(root)
    if only is not None:
        if only not in ours:
            raise LookupError(f"no package {only}; there are {', '.join(sorted(ours))}")
        ours = {member.name: member for member in _below(only, ours)}
        locked = [part for part in locked if only in part.members]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    head = Component(
        name=only or "conveyor",
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=only or "conveyor",
        licenses=[_licence(OURS)],
    )
    found = Bom()
    found.metadata.component = head
    mine = {name: _member(member) for name, member in ours.items() if name != only} | ({only: head} if only else {})
    theirs = {part: _part(part, rules) for part in locked}
    for component in (*(one for one in mine.values() if one is not head), *theirs.values()):
        found.components.add(component)
    if only is None:
        found.register_dependency(head, mine.values())
    for name, component in mine.items():
        needed = [mine[ask] for ask in ours[name].asks if ask in mine]
        needed += [theirs[part] for part in locked if name in part.by or _local(name, part)]
        found.register_dependency(component, needed)
    for part, component in theirs.items():
        needed = [] if part.kind is not Kind.PYTHON else [theirs[one] for one in locked if part.name in one.by]
        found.register_dependency(component, needed)
    if only is None:
        direct = [theirs[part] for part in locked if part.use is Use.DEVELOPMENT and not part.by]
        found.register_dependency(head, direct)
    document = json.loads(JsonV1Dot6(found).output_as_string())
    document.pop(PASSING[0], None)
    document["metadata"].pop(PASSING[1], None)
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _below(name: str, ours: Mapping[str, Member]) -> Iterator[Member]:
    """A package of ours and those of ours that it needs."""
    waiting, seen = [name], set[str]()
    while waiting:
        one = waiting.pop()
        if one in ours and one not in seen:
            seen.add(one)
            yield ours[one]
            waiting += ours[one].asks


def _local(name: str, part: Part) -> bool:
    """Java archives are asked for by the local stack itself, in a file of its own."""
    return part.kind is Kind.JAVA and name in part.members


def _member(member: Member) -> Component:
    return Component(
        name=member.name,
        version=member.version,
        type=ComponentType.LIBRARY,
        bom_ref=member.name,
        scope=SCOPES[member.use],
        licenses=[_licence(OURS)],
        properties=[Property(name="conveyor:use", value=member.use)],
    )


def _part(part: Part, rules: Rules) -> Component:
    group, _, name = part.name.rpartition("/" if part.kind is Kind.NPM else ":")
    address = PackageURL(type=part.kind, namespace=group or None, name=name, version=part.version)
    said: dict[str, Any] = {"conveyor:use": part.use, "conveyor:when": part.marker}
    said |= {f"conveyor:in:{member}": "yes" for member in part.members}
    licence = rules.licence(part)
    return Component(
        name=name,
        group=group or None,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(address),
        purl=address,
        scope=SCOPES[part.use],
        licenses=[_licence(licence)] if licence else [],
        hashes=[HashType(alg=ALGORITHMS[how], content=digest) for how, digest in part.hashes],
        properties=[Property(name=what, value=str(value)) for what, value in said.items() if value],
    )


def _licence(expression: str) -> DisjunctiveLicense | LicenseExpression:
    return DisjunctiveLicense(id=expression) if " " not in expression else LicenseExpression(expression)
