"""A sheet to draw boxes, arrows and words on, as SVG. It brings its own white paper, so that any page can carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

INK, SOFT, PAPER = "#1d2733", "#52606d", "#ffffff"
TINTS = {"blue": ("#e3edfb", "#2b63b5"), "green": ("#e2f3e6", "#2c7a3f"), "amber": ("#fdf0d5", "#8a5a00"),
         "rose": ("#fbe4e6", "#a83240"), "grey": ("#eef1f4", "#52606d")}  # fmt: skip
LINE = 18


@dataclass
class Sheet:
    """`title` and `about` are read out to those who do not see it."""

    title: str
    about: str
    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def box(
        self, x: int, y: int, width: int, height: int, lines: Sequence[str], tint: str = "grey", *, corner: int = 8
    ) -> None:
        """A box with words in its middle, the first of them strong."""
        fill, edge = TINTS[tint]
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{corner}" fill="{fill}" stroke="{edge}"/>'
        )
        top = y + height / 2 - LINE * (len(lines) - 1) / 2 + 5
        for number, line in enumerate(lines):
            self.words(x + width // 2, whole(top + number * LINE), line, strong=number == 0, middle=True)

    def words(
        self, x: int, y: int, text: str, *, strong: bool = False, middle: bool = False, soft: bool = False
    ) -> None:
        """One line of words; (x, y) is where it begins, or its middle."""
        more = ' font-weight="600"' if strong else ""
        more += ' text-anchor="middle"' if middle else ""
        self.parts.append(f'<text x="{x}" y="{y}" fill="{SOFT if soft else INK}"{more}>{escape(text)}</text>')

    def arrow(
        self, points: Sequence[tuple[int, int]], text: str = "", at: tuple[int, int] | None = None, *,
        dashed: bool = False
    ) -> None:  # fmt: skip
        """A line through these points with a head at its end, and words at a place."""
        way = " ".join(f"{x},{y}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<polyline points="{way}" fill="none" stroke="{SOFT}" stroke-width="1.6"{dash} marker-end="url(#head)"/>'
        )
        if text and at is not None:
            self.words(*at, text, middle=True, soft=True)

    def rule(self, x: int, y: int, to_x: int, to_y: int, *, dashed: bool = False) -> None:
        """A thin line."""
        dash = ' stroke-dasharray="3 4"' if dashed else ""
        self.parts.append(f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="#9aa5b1"{dash}/>')

    def text(self) -> str:
        """The file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="title about" font-family="system-ui, sans-serif" font-size="13">\n'
            f'<title id="title">{escape(self.title)}</title>\n<desc id="about">{escape(self.about)}</desc>\n'
            f'<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{SOFT}"/></marker></defs>\n'
            f'<rect width="{self.width}" height="{self.height}" rx="10" fill="{PAPER}"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def whole(value: float) -> int:
    return int(value + 0.5)
