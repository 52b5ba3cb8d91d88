"""What must hold of pay (I7 to I13), worked out again from the records alone, under the plans of stories.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from evidence import Evidence
from verdict_line import once

BOUNTY, FIRST, REPEAT = Decimal("20.00"), Decimal("0.06"), Decimal("0.02")
FIXED = Decimal("100.00")
HOUSE = "house"


def agreed(found: Evidence) -> dict[str, Decimal]:
    """What each person has earned beside the fixed pay, over all months."""
    earned: dict[str, Decimal] = defaultdict(Decimal)
    needs = set()
    for record in once(found, "conveyor.deals.LeadAccepted", "conveyor.deals.LeadOfferExpired"):
        need = record.key, record.data["need_id"]
        if need not in needs:
            needs.add(need)
            earned[record.data["sourced_by"]["person"]] += BOUNTY
    for area, seat, rate in (("deals", "converted_by", FIRST), ("accounts", "served_by", REPEAT)):
        for kind, sign in (("PaymentReceived", 1), ("PaymentRefunded", -1)):
            for record in once(found, f"conveyor.{area}.{kind}"):
                earned[record.data["sale"][seat]["person"]] += sign * rate * Decimal(record.data["net"])
    earned.pop(HOUSE, None)  # nobody served the client then, so nobody is paid
    return earned


def pay_is_what_was_agreed(found: Evidence) -> Iterator[str]:
    """To the cent, whatever month it fell into."""
    if not found.statements:
        return
    wanted = agreed(found)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for (person, _), statement in found.statements.items():
        for total in statement["totals"]:
            paid[person] += Decimal(total["payable"]) - FIXED
    for person in sorted(set(paid) | {p for p, amount in wanted.items() if amount}):
        if paid[person] != wanted[person]:
            yield f"{person} gets {paid[person]} where {wanted[person]} was earned"


def sums_are_sums(found: Evidence) -> Iterator[str]:
    """A statement's totals are those of its lines, and no line stands in two statements."""
    seen: dict[str, str] = {}
    for (person, month), statement in found.statements.items():
        earned: dict[str, Decimal] = defaultdict(Decimal)
        for line in statement["lines"]:
            where = f"{person} {month}"
            if line["state"] == "earned":
                earned[line["currency"]] += Decimal(line["amount"])
            if seen.setdefault(line["line_id"], where) != where or line["person"] != person:
                yield f"line {line['line_id']} stands in {seen[line['line_id']]} and in {where}"
        for total in statement["totals"]:
            if Decimal(total["earned"]) != earned[total["currency"]]:
                yield f"{person} {month}: lines make {earned[total['currency']]}, the total says {total['earned']}"


def every_line_names_its_cause(found: Evidence) -> Iterator[str]:
    """Every cause is an event that Kafka has; no two lines pay the same cause twice; what is taken back was given."""
    known = {record.event_id for record in found.records}
    reasons: dict[tuple[object, ...], str] = {}
    given: dict[str, Decimal] = defaultdict(Decimal)
    for (person, month), statement in found.statements.items():
        for line in statement["lines"]:
            if line["kind"] == "fixed":
                continue
            if not line["causes"] or not set(line["causes"]) <= known:
                yield f"{person} {month}: line {line['line_id']} names no known cause"
            reason = (person, line["rule"], line["kind"], tuple(sorted(line["causes"])), line["reverses"])
            if line["kind"] in ("bounty", "release") and reason in reasons:
                yield f"{person}: {line['line_id']} and {reasons[reason]} pay for the same"
            reasons[reason] = line["line_id"]
            if line["state"] == "earned" and line["sale_id"] is not None:
                given[line["sale_id"]] += Decimal(line["amount"])
    for sale, amount in given.items():
        if amount < 0:
            yield f"more was taken back than given for sale {sale}: {amount}"


def closed_months_did_not_change(found: Evidence) -> Iterator[str]:
    for (person, month), before in found.frozen.items():
        now = found.statements.get((person, month))
        if now is None:
            yield f"the closed statement of {person} {month} is gone"
            continue
        for part in ("digest", "totals", "lines"):
            if now.get(part) != before.get(part):
                yield f"the closed statement of {person} {month} has another {part} now"


def verified_by_its_own_means(found: Evidence) -> Iterator[str]:
    """`conveyor verify`: the chain of digests, and every closed month folded again from the facts."""
    told = found.verification
    if told is not None and not told["ok"]:
        yield f"verification says {told['faults'][:2]} {told['laws'][:2]}"
