"""The differences of a what-if as a picture: one bar a person, to the right for more, to the left for less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

ROW, LEFT, HALF, RIGHT, HEAD = 22, 140, 260, 120, 48


def picture(people: Sequence[Mapping[str, Any]], title: str) -> str:
    """SVG text. Each bar carries its amount, so the picture can be read without the table."""
    moved = [one for one in people if Decimal(one["delta"]["payable"])]
    rows = sorted(moved, key=lambda one: Decimal(one["delta"]["payable"]))
    most = max((abs(Decimal(one["delta"]["payable"])) for one in rows), default=Decimal(1))
    width, height = LEFT + 2 * HALF + RIGHT, HEAD + ROW * max(len(rows), 1) + 16
    middle = LEFT + HALF
    drawn = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
            f'font-size="13" role="img"><title>{escape(f"What if: {title}")}</title>'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" font-size="16" fill="#1a1a1a">{escape(f"What if: {title}")}</text>',
        f'<line x1="{middle}" y1="{HEAD - 8}" x2="{middle}" y2="{height - 8}" stroke="#767676"/>',
    ]
    for number, one in enumerate(rows):
        delta, top = Decimal(one["delta"]["payable"]), HEAD + number * ROW
        length = max(1, round(abs(delta) / most * (HALF - 90)))
        x, colour = (middle, "#1a7f37") if delta > 0 else (middle - length, "#b42318")
        end, anchor = (middle + length + 6, "start") if delta > 0 else (middle - length - 6, "end")
        label = f"{'+' if delta > 0 else ''}{one['delta']['payable']} {one['currency']}"
        drawn += [
            f'<text x="12" y="{top + 15}" fill="#1a1a1a">{escape(one["person"])}</text>',
            f'<rect x="{x}" y="{top + 4}" width="{length}" height="{ROW - 8}" fill="{colour}"/>',
            f'<text x="{end}" y="{top + 15}" text-anchor="{anchor}" fill="#1a1a1a">{escape(label)}</text>',
        ]
    if not rows:
        drawn.append(f'<text x="12" y="{HEAD + 15}" fill="#1a1a1a">Nobody would earn more or less.</text>')
    return "\n".join([*drawn, "</svg>", ""])
