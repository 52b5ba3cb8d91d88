"""What a line is reckoned from, in the few words that fit into a table."""

from __future__ import annotations

from decimal import Decimal

from compensation.line import Line
from conveyor_events.money import plain


def base(line: Line) -> Decimal | None:
    """The amount that the rate is applied to: of a salary the month, of a release the entitlement."""
    calc = line.calc
    found = (calc.base, calc.monthly, calc.entitlement, calc.recomputed)
    return next((amount for amount in found if amount is not None), None)


def rates(line: Line) -> str:
    """The rate, or every slice with its own."""
    calc = line.calc
    if calc.slices:
        return " + ".join(f"{plain(part.base)} × {plain(part.percent)} %" for part in calc.slices)
    if calc.percent is not None:
        return f"{plain(calc.percent)} %"
    if calc.days is not None and calc.of_days is not None:
        return f"{calc.days}/{calc.of_days}"
    if calc.each is not None:
        return f"{calc.units} × {plain(calc.each)}" if calc.units is not None else plain(calc.each)
    if calc.moved is not None and calc.of_money is not None:
        step = f" × {plain(calc.step)} %" if calc.step is not None else ""
        return f"{plain(calc.moved)}/{plain(calc.of_money)}{step}"
    return plain(calc.flat) if calc.flat is not None else ""
