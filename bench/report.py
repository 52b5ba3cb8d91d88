"""What a measurement says when it is done: a table, a verdict on each figure, `results/NAME.json`, a picture."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import picture

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """A ratio, the bound it is held to, and against what it was taken."""

    name: str
    value: float
    bound: float
    ceiling: str
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "MISSED"
        word = "at most" if self.at_most else "at least"
        return f"{verdict:<8} {self.value:>8.2f}  ({word} {self.bound:g})  {self.name}, against {self.ceiling}"

    def told(self) -> dict[str, Any]:
        word = "at_most" if self.at_most else "at_least"
        return {"figure": self.name, "value": round(self.value, 3), word: self.bound, "ceiling": self.ceiling}


@dataclass
class Report:
    """`rows`: the table under `columns`. `chart`: what the picture shows. `details`: what else belongs in the file."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: Sequence[Figure]
    chart: picture.Chart
    details: Mapping[str, Any] = field(default_factory=dict)

    def publish(self) -> int:
        """Prints and writes everything; the exit code is 1 where a figure was missed."""
        print(f"\n{self.title}\n")
        widths = [max(len(row[n]) for row in (self.columns, *self.rows)) for n in range(len(self.columns))]
        for row in (self.columns, *self.rows):
            first, *rest = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
            print("  " + "  ".join([f"{first.strip():<{widths[0]}}", *rest]).rstrip())
        print()
        for figure in self.figures:
            print(f"  {figure}")
        machine = {"python": platform.python_version(), "processors": os.cpu_count()}
        table = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        told = {"title": self.title, "machine": machine, "figures": [f.told() for f in self.figures], "table": table}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(json.dumps({**told, **self.details}, indent=2) + "\n")
        picture.draw(self.chart, self.title, RESULTS / f"{self.name}.svg")
        return 0 if all(figure.reached for figure in self.figures) else 1
