"""Whom somebody leads, by what the first station says of the lines."""

from __future__ import annotations

from board.apis import Answer


def led(lines: Answer, person: str) -> list[str]:
    """Everybody in the teams of the lines that the person manages today."""
    mine = [line["current"] for line in lines.items if line["current"] and person in line["current"]["managers"]]
    return sorted({member for one in mine for team in one["teams"].values() for member in team["members"]})
