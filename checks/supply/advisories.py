"""Advisories in the OSV format, from files: the same answer offline, whatever the network says.

A folder of JSON or YAML documents, one advisory each, as the public databases hand them out. What cannot be judged
counts as found: silence must mean that somebody looked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from checks.supply.parts import Kind, Part

ECOSYSTEMS = {"PyPI": Kind.PYTHON, "Maven": Kind.JAVA, "npm": Kind.NPM}
SUFFIXES = {".json", ".yaml", ".yml"}
BEGINNING = "0"


class Unreadable(ValueError):
    """A source of advisories that is none: absent, empty, or not in the format."""


@dataclass(frozen=True, order=True)
class Finding:
    """One part and what is known against it."""

    part: str
    advisory: str
    about: str


def read(place: Path) -> list[Mapping[str, Any]]:
    """Every advisory in a file or below a folder."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES)
    found: list[Mapping[str, Any]] = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError) as wrong:
            raise Unreadable(f"{path}: {wrong}") from wrong
        for one in document if isinstance(document, list) else [document]:
            if (
                not isinstance(one, dict)
                or not isinstance(one.get("id"), str)
                or not isinstance(one.get("affected"), list)
            ):
                raise Unreadable(f"{path}: no advisory in the OSV format")
            found.append(one)
    if not found:
        raise Unreadable(f"{place}: no advisories in it")
    return found


def against(parts: Iterable[Part], advisories: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """What the advisories say of these parts. Withdrawn ones say nothing."""
    by_name: dict[tuple[Kind, str], list[Part]] = {}
    for part in parts:
        by_name.setdefault((part.kind, part.name), []).append(part)
    found = {
        Finding(f"{part.name} {part.version}", advisory["id"], _about(advisory))
        for advisory in advisories
        if not advisory.get("withdrawn")
        for affected in advisory["affected"]
        for part in by_name.get(_name(affected.get("package", {})), [])
        if _concerns(affected, part.version)
    }
    return sorted(found)


def _name(package: Mapping[str, Any]) -> tuple[Kind, str]:
    kind = ECOSYSTEMS.get(str(package.get("ecosystem", "")).partition(":")[0])
    name = str(package.get("name", ""))
    return (kind or Kind.PYTHON, canonicalize_name(name) if kind is Kind.PYTHON else name if kind else "")


def _about(advisory: Mapping[str, Any]) -> str:
    return " ".join(str(advisory.get("summary") or advisory.get("details") or "").split())[:200]


def _concerns(affected: Mapping[str, Any], version: str) -> bool:
    """Whether the version is listed, or lies in one of the ranges. Neither lists nor ranges: every version."""
    listed, ranges = affected.get("versions") or [], affected.get("ranges") or []
    if version in listed:
        return True
    usable = [one for one in ranges if one.get("type") in ("ECOSYSTEM", "SEMVER")]
    if not listed and not usable:
        return True
    return any(_inside(one.get("events") or [], version) for one in usable)


def _inside(events: list[Mapping[str, str]], version: str) -> bool:
    """Events in order of version: from `introduced` on it is in, from `fixed` on or after `last_affected` out again."""
    try:
        at = Version(version)
        steps = sorted(
            (Version("0.dev0" if place == BEGINNING else place), kind != "introduced", kind)
            for event in events
            for kind, place in event.items()
        )
    except InvalidVersion:
        return True
    within = False
    for place, _, kind in steps:
        if kind == "introduced" and at >= place:
            within = True
        elif (kind == "fixed" and at >= place) or (kind == "last_affected" and at > place):
            within = False
    return within
