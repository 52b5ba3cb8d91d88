"""A plan's document as people read it: YAML, and beside each line what the linter says of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

RULE = re.compile(r"^\s*- id: ['\"]?([^'\"\s]+)")
FIRST = ("id", "plan", "version", "role", "title", "currency", "effective_from", "salary", "kind")


@dataclass(frozen=True)
class Row:
    """A line of the text; `rule`: a rule begins here. `findings`: what is said of it."""

    number: int
    text: str
    rule: str | None
    findings: Sequence[Mapping[str, Any]]


def rows(document: str | Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Findings about a rule stand where the rule begins, those about the plan at its first line.

    A finding about another plan, which the linter saw beside this one, stands at the first line too.
    """
    read = json.loads(document) if isinstance(document, str) else document
    text = written(read).rstrip("\n").split("\n")
    heads = {match[1]: number for number, line in enumerate(text) if (match := RULE.match(line))}
    by_line: dict[int, list[Mapping[str, Any]]] = {}
    for finding in findings:
        here = finding.get("plan") in (None, read.get("plan"))
        number = heads.get(finding.get("rule") or "", 0) if here else 0
        by_line.setdefault(number, []).append(finding)
    names = {number: rule for rule, number in heads.items()}
    return [Row(n + 1, line, names.get(n), by_line.get(n, ())) for n, line in enumerate(text)]


class _Typed(yaml.SafeDumper):
    """Writes every text as it would be typed: 500.00, not '500.00'. `read` takes it as the same text."""


_Typed.yaml_implicit_resolvers = {}  # no text looks like a number


def written(document: Mapping[str, Any]) -> str:
    """The document as YAML, the telling fields first."""
    shown: str = yaml.dump(_ordered(document), Dumper=_Typed, sort_keys=False, allow_unicode=True, width=100)
    return shown


def _ordered(value: Any) -> Any:
    match value:
        case Mapping():
            keys = sorted(value, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))
            return {key: _ordered(value[key]) for key in keys}
        case list():
            return [_ordered(one) for one in value]
        case _:
            return value


class Unreadable(ValueError):
    """What was written is no YAML, or no document."""


def read(text: str) -> dict[str, Any]:
    """A document as it was typed: every scalar stays the text that was written. Raises Unreadable."""
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (the loader that makes nothing but text)
    except yaml.YAMLError as wrong:
        raise Unreadable(str(wrong).split("\n")[0]) from None
    if not isinstance(found, dict):
        raise Unreadable("a document is a mapping")
    return found
