"""One line of a statement, and everything needed to follow how its amount came about."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid5

from compensation.months import Month
from conveyor_events.money import plain, round_half_up
from conveyor_events.words import instant_text

Kind = Literal[
    "fixed", "bounty", "growth", "commission", "release", "clawback", "correction", "adjustment", "guarantee", "carry"
]
State = Literal["conditional", "earned"]
KINDS: tuple[Kind, ...] = (
    "fixed", "bounty", "growth", "commission", "release", "clawback", "correction", "adjustment", "guarantee", "carry"
)  # fmt: skip

_NAMESPACE = UUID("6f3c1f0e-5d0b-5c57-9b0c-2a4d1f6f9a11")


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a base that lies in one band, and what its rate makes of it."""

    above: Decimal
    below: Decimal | None
    base: Decimal
    percent: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Calc:
    """How an amount came about. Only what belongs to the kind of line is set; `exact` is the amount unrounded."""

    exact: Decimal | None = None
    note: str | None = None
    # salary
    monthly: Decimal | None = None
    days: int | None = None
    of_days: int | None = None
    # bounty and growth
    each: Decimal | None = None
    units: int | None = None
    gained: int | None = None
    lost: int | None = None
    carried: int | None = None
    # commission: the whole base, the payee's part of it, and its rate
    of_base: Decimal | None = None
    base: Decimal | None = None
    weight: Decimal | None = None
    of_weights: Decimal | None = None
    flat: Decimal | None = None
    percent: Decimal | None = None
    mode: str | None = None
    window: str | None = None
    credited_before: Decimal | None = None
    quota: Decimal | None = None
    attainment: Decimal | None = None
    """Percent of the quota that the sale reaches."""
    slices: tuple[Slice, ...] = ()
    uncapped: Decimal | None = None
    # foreign currency
    foreign: Decimal | None = None
    foreign_currency: str | None = None
    rate: Decimal | None = None
    rate_id: str | None = None
    # release and clawback: the part of the entitlement (or of the released amount) that moved
    entitlement: Decimal | None = None
    moved: Decimal | None = None
    of_money: Decimal | None = None
    remainder: bool | None = None
    paid_on: date | None = None
    day: int | None = None
    step: Decimal | None = None
    # guarantee: how much, and what was advanced and is still to come back
    guaranteed: Decimal | None = None
    advanced: Decimal | None = None
    case: str | None = None
    """The open conflict that makes the line conditional."""
    # adjustment
    asked_by: str | None = None
    approved_by: str | None = None
    adjustment_id: str | None = None
    dispute_id: str | None = None
    # correction
    recomputed: Decimal | None = None
    frozen: Decimal | None = None
    corrected: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """What is set, amounts as plain strings."""
        return {f.name: _json(value) for f in fields(self) if (value := getattr(self, f.name)) not in (None, ())}


def _json(value: object) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case tuple():
            return [{f.name: _json(getattr(part, f.name)) for f in fields(part)} for part in value]
        case date():
            return value.isoformat()
        case _:
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An amount for a person in a month, with its reasons. Lines are never changed, only followed by others."""

    line_id: UUID
    person: str
    period: Month
    kind: Kind
    amount: Decimal
    currency: str
    state: State
    plan: str
    version: int
    rule: str
    causes: tuple[str, ...]
    calc: Calc
    at: datetime | None = None
    on_line: str | None = None
    client_id: str | None = None
    sale_id: str | None = None
    reverses: UUID | None = None
    relates_to: Month | None = None
    corrects: UUID | None = None
    fixed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "line_id": str(self.line_id),
            "person": self.person,
            "period": str(self.period),
            "kind": self.kind,
            "amount": payable_text(self.amount, self.currency),
            "currency": self.currency,
            "state": self.state,
            "plan": self.plan,
            "version": self.version,
            "rule": self.rule,
            "causes": list(self.causes),
            "calc": self.calc.to_json(),
            "at": instant_text(self.at) if self.at else None,
            "line": self.on_line,
            "client_id": self.client_id,
            "sale_id": self.sale_id,
            "reverses": str(self.reverses) if self.reverses else None,
            "corrects": str(self.corrects) if self.corrects else None,
            "relates_to_period": str(self.relates_to) if self.relates_to else None,
        }


def payable_text(amount: Decimal, currency: str) -> str:
    """The amount with as many digits as the currency has minor units: 0.00, not 0."""
    return plain(round_half_up(amount, currency))


def line_id(cause: str, rule: str, plan: str, version: int, payee: str, leg: str) -> UUID:
    """The same reasons give the same id, in every replay."""
    return uuid5(_NAMESPACE, "\x1f".join((cause, rule, plan, str(version), payee, leg)))


def total(lines: Iterable[Line]) -> Decimal:
    """The sum of the lines."""
    return sum((line.amount for line in lines), Decimal(0))


def reading_order(line: Line) -> tuple[int, str, str, str]:
    """Fixed pay first, then by kind and business time."""
    return KINDS.index(line.kind), instant_text(line.at) if line.at else "", line.sale_id or "", str(line.line_id)
