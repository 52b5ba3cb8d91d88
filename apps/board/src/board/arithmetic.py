"""How an amount came about, step by step, from what the statement's line says of itself. Pure.

Each step names a text (`calc.…`) and the figures in it; nothing is computed here. The figures are the API's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A sentence with figures in it. `amounts` are written as amounts, `plain` as they are."""

    key: str
    amounts: Figures = field(default_factory=dict)
    plain: Figures = field(default_factory=dict)


def steps(line: Mapping[str, Any]) -> list[Step]:
    """The steps of a line, from the base to its amount."""
    calc: Figures = line["calc"]
    found = [*_base(calc), *_rate(calc), *_moved(calc), *_counted(calc, line["kind"]), *_corrected(calc)]
    exact, amount = calc.get("exact"), calc.get("uncapped", line["amount"])
    if exact is not None and exact != amount:
        found.append(Step("rounded", {"exact": exact, "amount": amount}))
    if "uncapped" in calc:
        found.append(Step("capped", _some(calc, "uncapped")))
    return found


def _some(calc: Figures, *names: str) -> dict[str, Any]:
    return {name: calc[name] for name in names}


def _base(calc: Figures) -> Iterator[Step]:
    """The base: in which currency, whose part of it."""
    if "foreign" in calc and "rate" in calc:
        yield Step(
            "foreign", _some(calc, "foreign"), {"currency": calc.get("foreign_currency", ""), "rate": calc["rate"]}
        )
    if {"of_base", "base", "weight", "of_weights"} <= calc.keys() and calc["weight"] != calc["of_weights"]:
        yield Step("part", _some(calc, "of_base", "base"), _some(calc, "weight", "of_weights"))
    elif "base" in calc:
        yield Step("base", _some(calc, "base"))


def _rate(calc: Figures) -> Iterator[Step]:
    """What the rates make of it."""
    if "credited_before" in calc:
        yield Step("before", _some(calc, "credited_before"), {"window": calc.get("window", "")})
    if {"quota", "attainment"} <= calc.keys():
        yield Step("quota", _some(calc, "quota"), _some(calc, "attainment"))
    for one in calc.get("slices", ()):
        key = "slice_open" if one.get("below") is None else "slice"
        amounts = {"above": one["above"], "base": one["base"], "amount": one["amount"], "below": one.get("below")}
        yield Step(key, {k: v for k, v in amounts.items() if v is not None}, {"percent": one["percent"]})
    if "percent" in calc and not calc.get("slices"):
        yield Step("percent", plain=_some(calc, "percent"))
    if "flat" in calc:
        yield Step("flat", _some(calc, "flat"))


def _moved(calc: Figures) -> Iterator[Step]:
    """What of an entitlement was released, or taken back."""
    if "entitlement" in calc:
        yield Step("entitlement", _some(calc, "entitlement"))
    if {"moved", "of_money"} <= calc.keys():
        yield Step("remainder" if calc.get("remainder") else "moved", _some(calc, "moved", "of_money"))
    if "step" in calc:
        yield Step("step", plain={"step": calc["step"], "day": calc.get("day", "")})


def _counted(calc: Figures, kind: str) -> Iterator[Step]:
    """Salaries by days, bounties and growth by units, guarantees."""
    if {"monthly", "days", "of_days"} <= calc.keys():
        yield Step("salary", _some(calc, "monthly"), _some(calc, "days", "of_days"))
    if kind == "growth" and "each" in calc:
        counts = {name: calc.get(name, 0) for name in ("gained", "lost", "carried", "units")}
        yield Step("growth", _some(calc, "each"), counts)
    elif "each" in calc:
        yield Step("each", _some(calc, "each"))
    if "guaranteed" in calc:
        yield Step("guaranteed", _some(calc, "guaranteed"))
    if "advanced" in calc:
        yield Step("advanced", _some(calc, "advanced"))
    if "asked_by" in calc:
        yield Step("asked", plain={"asked_by": calc["asked_by"], "approved_by": calc.get("approved_by", "–")})


def _corrected(calc: Figures) -> Iterator[Step]:
    if {"recomputed", "frozen"} <= calc.keys():
        yield Step("corrected", {**_some(calc, "recomputed", "frozen"), "corrected": calc.get("corrected", "0")})
