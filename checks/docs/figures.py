"""The table in docs/performance.md: each figure of bench/results, its bound, and whether it was reached."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

RESULTS = "bench/results"
PAGE = "docs/performance.md"
PART = re.compile(r"(<!-- reckoned: figures -->\n).*?(\n<!-- end -->)", re.DOTALL)


def page(root: Path) -> str:
    """The page as it is, with the figures as they were measured last."""
    text = (root / PAGE).read_text(encoding="utf-8")
    if PART.search(text) is None:
        raise ValueError(f"{PAGE} has no place for the figures")
    return PART.sub(lambda at: at[1] + table(root) + at[2], text)


def table(root: Path) -> str:
    """One row a figure, in the order of the files."""
    rows = ["| measured by | figure | against | last | bound | |", "|---|---|---|---|---|---|"]
    for path in sorted((root / RESULTS).glob("*.json")):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for figure in found.get("figures", []):
            at_most = "at_most" in figure
            value, bound = figure["value"], figure["at_most" if at_most else "at_least"]
            reached = value <= bound if at_most else value >= bound
            word = f"{'at most' if at_most else 'at least'} {bound:g}"
            verdict = "reached" if reached else "**missed**"
            cells = [f"`make bench-{path.stem}`", figure["figure"], figure["ceiling"], f"{value:,.2f}", word, verdict]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
