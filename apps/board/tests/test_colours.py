"""Every text can be read against what it stands on: WCAG AA, in both schemes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

SHEET = files("board").joinpath("static", "board.css").read_text(encoding="utf-8")
TEXT, SHAPE = 4.5, 3.0
ON = {
    # what is written or drawn -> what it stands on
    "ink": ("paper", "card", "sunk", "leads-wash", "deals-wash", "accounts-wash", "warn-wash"),
    "soft": ("paper", "card", "sunk"),
    "link": ("paper", "card", "sunk", "leads-wash", "warn-wash"),
    "leads": ("leads-wash", "card"),
    "deals": ("deals-wash", "card"),
    "accounts": ("accounts-wash", "card"),
    "good": ("good-wash", "card"),
    "warn": ("warn-wash", "card"),
    "bad": ("bad-wash", "card"),
    "button-ink": ("button",),
}
DRAWN = {
    "edge": ("card", "paper"),
    "focus": ("card", "paper", "sunk"),
    "leads": ("sunk",),
    "deals": ("sunk",),
    "accounts": ("sunk",),
}
"""Borders of fields, the ring around what has the focus, bars."""


def colours(sheet: str) -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    read = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for name, block in (("light", light), ("dark", dark))
    }
    return {"light": read["light"], "dark": read["light"] | read["dark"]}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def too_faint(found: dict[str, str]) -> list[str]:
    return [
        f"{front} on {back}: {contrast(found[front], found[back]):.2f}"
        for pairs, least in ((ON, TEXT), (DRAWN, SHAPE))
        for front, backs in pairs.items()
        for back in backs
        if contrast(found[front], found[back]) < least
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(scheme: str) -> None:
    assert too_faint(colours(SHEET)[scheme]) == []


def test_a_faint_colour_is_seen() -> None:
    assert too_faint(colours(SHEET)["light"] | {"soft": "#a0a6b0"})
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0


def test_colours_stand_in_variables_and_nowhere_else() -> None:
    rules = re.sub(r":root \{.*?\}", "", SHEET, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,6}\b(?![^{}]*\{)", rules.split("@media print")[0]) == []
