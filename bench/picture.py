"""Pictures of measurements: bars for contestants, curves for growth. SVG, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

OURS, THEIRS = "#2f7d4f", "#9a9a9a"
INKS = (OURS, "#c46a1b", "#35618f", "#8a3b6b", THEIRS, "#5f5f1f")


@dataclass(frozen=True)
class Bars:
    """One bar a contestant; `ours` are drawn in colour."""

    values: Mapping[str, float]
    ours: Sequence[str]
    unit: str


@dataclass(frozen=True)
class Curves:
    """Lines over a common axis. `x` may stand on a logarithmic scale."""

    x: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    across: str
    unit: str
    logarithmic: bool = True


Chart = Bars | Curves


def draw(chart: Chart, title: str, path: Path) -> None:
    """Writes the picture."""
    style = {"svg.hashsalt": "conveyor", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False}
    with mpl.rc_context(style):
        height = 0.45 * len(chart.values) + 1.4 if isinstance(chart, Bars) else 4.2
        figure, axes = plt.subplots(figsize=(8, height))
        axes.set_title(title, loc="left", fontsize=11)
        axes.spines["right"].set_visible(False)
        _bars(axes, chart) if isinstance(chart, Bars) else _curves(axes, chart)
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _bars(axes: Axes, chart: Bars) -> None:
    names = list(chart.values)
    inks = [OURS if name in chart.ours else THEIRS for name in names]
    drawn = axes.barh(names, [chart.values[name] for name in names], color=inks)
    axes.bar_label(drawn, labels=[f"{chart.values[name]:,.4g}" for name in names], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel(chart.unit)
    axes.margins(x=0.14)


def _curves(axes: Axes, chart: Curves) -> None:
    for (name, values), ink in zip(chart.lines.items(), INKS * 2, strict=False):
        axes.plot(chart.x, values, marker="o", label=name, color=ink)
    if chart.logarithmic:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.unit)
    axes.legend(frameon=False)
