"""The PrometheusRule that is made from the plain file of alerts, and what an expression of either asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD = """\
# Written by `python -m checks.docs --write` from alerts.yaml, which promtool can read. Change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: conveyor
  labels:
    app.kubernetes.io/part-of: conveyor
spec:
"""
MATCHER = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")
GROUPED = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
TEXT = re.compile(r'"[^"]*"')
SHOWN = re.compile(r"\b(?:conveyor|process|python)_[a-z_]+\b|\bup\b")
DRAWN = re.compile(r"\$labels\.([a-z_]+)")


@dataclass(frozen=True)
class Asks:
    """What an expression asks for: metrics with the labels they are chosen by, and labels that are kept."""

    chosen: tuple[tuple[str, frozenset[str]], ...]
    kept: frozenset[str]

    def metrics(self) -> set[str]:
        return {name for name, _ in self.chosen}


def resource(file: Path) -> str:
    """The plain file, as the operator takes it."""
    lines = file.read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line == "groups:")
    return HEAD + "".join(f"  {line}".rstrip() + "\n" for line in lines[start:])


def asks(expression: str) -> Asks:
    """Which metrics and labels an expression names. Whoever writes one keeps to the names in docs/metrics.md."""
    kept = frozenset(label.strip() for found in GROUPED.finditer(expression) for label in found[1].split(","))
    return Asks(tuple(_chosen(expression)), kept - {""})


def _chosen(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    for found in SHOWN.finditer(TEXT.sub(lambda text: '"' + "·" * (len(text[0]) - 2) + '"', expression)):
        rest = expression[found.end() :].lstrip()
        chosen = TEXT.sub('""', rest)[1:].partition("}")[0] if rest.startswith("{") else ""
        yield found[0], frozenset(MATCHER.findall(chosen))


def drawn(text: str) -> set[str]:
    """The labels that a text for people shows."""
    return set(DRAWN.findall(text))
