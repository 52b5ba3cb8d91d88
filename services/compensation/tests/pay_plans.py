"""Random pay plans, as documents with texts for numbers."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

FIRST = date(2026, 1, 1)
CLAWBACK = [{"days": "30", "percent": "100"}, {"days": "90", "percent": "50"}]


def money(rnd: Random, low: int, high: int) -> str:
    return f"{Decimal(rnd.randint(low, high)).scaleb(-2)}"


def bands(mode: str, rnd: Random) -> dict[str, Any]:
    """Three bands over a month, quarter or year; now and then as percentages of a quota."""
    starts = sorted(rnd.sample(range(1, 40), 2))
    percents = sorted(rnd.sample(range(1, 15), 3))
    steps = [{"from": str(f * 1000), "percent": str(p)} for f, p in zip([0, *starts], percents, strict=True)]
    quota = {} if percents[0] % 3 else {"quota": str(50 + starts[0])}
    return {"mode": mode, "over": rnd.choice(["month", "quarter", "year"]), "steps": steps, **quota}


def commission(rnd: Random, name: str, sales: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name, "kind": "commission", "sales": sales}
    kind = rnd.choice(["flat", "percent", "marginal", "whole"])
    if kind == "flat":
        rule["flat"] = money(rnd, 100, 20000)
    elif kind == "percent":
        rule["percent"] = str(rnd.choice(["2", "7.5", "9", "0"]))
    else:
        rule["bands"] = bands(kind, rnd)
    rule["release"] = rnd.choice(["as_paid", "as_paid", "at_sale"])
    rule["clawback"] = rnd.choice([CLAWBACK, CLAWBACK, []])
    if sales == "first" and rnd.random() < 0.7:
        rule["co_sell"] = True
    if rnd.random() < 0.3:
        rule["cap"] = {"amount": money(rnd, 10000, 90000), "per": rnd.choice(["month", "quarter", "year"])}
    if rnd.random() < 0.15:
        rule["valid"] = {"from": "2026-02-10", "until": "2026-04-20"}
    return rule


def growth(rnd: Random, name: str, metric: str, most: int) -> dict[str, Any]:
    """So much a unit, at most; now and then with a cap that one or two units reach."""
    rule: dict[str, Any] = {"id": name, "kind": "growth", "metric": metric, "amount": money(rnd, 100, most)}
    if rnd.random() < 0.4:
        rule["cap"] = {"amount": money(rnd, 0, 2 * most), "per": rnd.choice(["month", "month", "quarter", "year"])}
    return rule


def guarantee(rnd: Random) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": "G", "kind": "guarantee", "amount": money(rnd, 5000, 150000)}
    rule["recoverable"] = rnd.random() < 0.6
    if rnd.random() < 0.6:
        rule["months"] = str(rnd.randint(1, 6))
    if rnd.random() < 0.4:
        months = sorted(rnd.sample(range(1, 6), 2))
        rule["ramp"] = [{"from_month": str(n), "amount": money(rnd, 0, 150000)} for n in months]
    if rnd.random() < 0.2:
        rule["valid"] = {"from": "2026-01-20", "until": "2026-05-10"}
    return rule


def document(rnd: Random, role: str, version: int) -> dict[str, Any]:
    """One version of the plan of a role."""
    rules: list[dict[str, Any]] = []
    if role == "scout":
        rules.append(
            {"id": "S1", "kind": "bounty", "on": ["LeadAccepted", "LeadOfferExpired"], "seat": "sourced_by",
             "once_per": ["client", "need"], "amount": money(rnd, 500, 3000)}
        )  # fmt: skip
        rules.append(growth(rnd, "S2", "prospect_base", 500))
    elif role == "hunter":
        rules.append(commission(rnd, "H1", "first"))
    else:
        rules.append(commission(rnd, "F1", "repeat"))
        rules.append(
            {"id": "F2", "kind": "bounty", "on": ["CustomerBecameRegular"], "seat": "served_by",
             "once_per": ["client"], "again_after_days": "60", "amount": money(rnd, 500, 3000)}
        )  # fmt: skip
    if rules[-1]["kind"] == "bounty" and rnd.random() < 0.3:
        rules[-1]["cap"] = {"amount": money(rnd, 1000, 6000), "per": "month"}
    if role != "scout" and rnd.random() < 0.5:
        rules.append(commission(rnd, "OLD", "legacy"))
    if rnd.random() < 0.4:
        rules.append(growth(rnd, "B", "buyer_base", 5000))
    if rnd.random() < 0.4:
        rules.append(guarantee(rnd))
    begins = FIRST + timedelta(days=0 if version == 1 else rnd.randint(20, 120))
    return {
        "plan": f"{role}-plan",
        "version": str(version),
        "role": role,
        "currency": "EUR",
        "effective_from": begins.isoformat(),
        "salary": money(rnd, 50000, 250000),
        "tail": {"days": rnd.choice(["60", "20"]), "after": rnd.choice(["pay", "forfeit"])},
        "rules": rules,
    }
