"""Pay plans as data: one document a version, one role a plan, a closed union of rule kinds.

plan: ref-farmer
version: 1
role: farmer
currency: EUR
effective_from: 2026-01-01
salary: 2000.00
rules:
  - {id: F1, kind: commission, sales: repeat, percent: 2, release: as_paid}
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from importlib import resources
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from compensation.documents import Fault, FaultyDocument, Written, load, read
from compensation.months import Span
from compensation.rules import Bounty, Commission, Days, Growth, Guarantee, Id, Rule, Salary
from conveyor_events.money import fits, minor_units, plain
from conveyor_events.words import VARIANTS

FORFEIT = "what becomes of releases after these days: they go on, or are forfeited"
NAMED = "its id; the versions of a plan have the same"
MONEY = "ISO 4217; a sale in another currency is changed at the rate of its own day"
FROM = "its first day; it ends where the next version begins"
ZONE = "IANA time zone in which its days and months are meant; the first version's counts; the company's, if not given"
MADE_FOR = "the variants that it is written for; every one in which the role works, if not given"


class Tail(Written):
    """What somebody who left still gets: bounties for some days, releases without limit or for as many days."""

    days: Annotated[Days, Field(description="after the last day")] = 60
    after: Annotated[Literal["pay", "forfeit"], Field(description=FORFEIT)] = "pay"


class Plan(Written):
    """One version of a pay plan. `variants` it is written for; none: every one in which its role works."""

    plan: Annotated[Id, Field(description=NAMED)]
    version: Annotated[int, Field(ge=1)]
    role: Annotated[Id, Field(description="the role in which people are paid by it, such as `hunter`")]
    currency: Annotated[str, Field(description=MONEY)]
    effective_from: Annotated[date, Field(description=FROM)]
    title: Annotated[str | None, Field(description="for people")] = None
    zone: Annotated[str | None, Field(description=ZONE)] = None
    tail: Annotated[Tail, Field(description="what somebody who left still gets")] = Tail()
    variants: Annotated[tuple[str, ...], Field(description=MADE_FOR)] = ()
    rules: tuple[Rule, ...]

    @model_validator(mode="before")
    @classmethod
    def _salary_is_a_rule(cls, content: Any) -> Any:
        """`salary: 500.00` is short for a rule of kind salary with the id `salary`."""
        if not isinstance(content, Mapping) or content.get("salary") is None:
            return content
        rules = content.get("rules") or []
        if not isinstance(rules, list):
            return content
        rest = {key: value for key, value in content.items() if key != "salary"}
        return {**rest, "rules": [*rules, {"id": "salary", "kind": "salary", "amount": content["salary"]}]}

    @field_validator("currency")
    @classmethod
    def _a_currency(cls, currency: str) -> str:
        minor_units(currency)
        return currency

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        for name in variants:
            if name not in VARIANTS:
                raise ValueError(f"there is no variant {name!r}; there are {', '.join(VARIANTS)}")
        return variants

    @field_validator("zone")
    @classmethod
    def _a_zone(cls, zone: str | None) -> str | None:
        try:
            return ZoneInfo(zone).key if zone is not None else None
        except (ZoneInfoNotFoundError, ValueError) as wrong:
            raise ValueError(f"{zone!r} is not an IANA time zone such as Europe/Berlin") from wrong

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if not ids:
            raise ValueError("rules: a plan without a rule pays nothing")
        for rule_id in ids:
            if ids.count(rule_id) > 1:
                raise ValueError(f"rules: two rules have the id {rule_id}")
        return self

    @model_validator(mode="after")
    def _payable(self) -> Self:
        for rule in self.rules:
            for amount in _amounts(rule):
                if not fits(amount, self.currency):
                    raise ValueError(f"rules: {rule.id}: {plain(amount)} has more digits than {self.currency} has")
        return self


def _amounts(rule: Salary | Bounty | Growth | Commission | Guarantee) -> Iterator[Decimal]:
    if isinstance(rule, Guarantee):
        yield from (step.amount for step in rule.ramp)
    if isinstance(rule, Commission):
        yield from (rule.flat,) if rule.flat is not None else ()
        yield from (rule.bands.quota,) if rule.bands is not None and rule.bands.quota is not None else ()
    else:
        yield rule.amount
    if isinstance(rule, Bounty | Growth | Commission) and rule.cap:
        yield rule.cap.amount


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A plan in force, and since when the company knows that."""

    plan: Plan
    recorded_at: datetime

    @property
    def key(self) -> tuple[str, int]:
        return self.plan.plan, self.plan.version


@dataclass(frozen=True, slots=True)
class Assignment:
    """A person is paid by a plan, on one line or on all, from `since` to `until`, both days included.

    The same person, plan, role, line and `since` recorded again replaces what was known before, so that an end
    (or, with `until` before `since`, a withdrawal) can be added later.
    """

    person: str
    plan: str
    role: str
    since: date
    recorded_at: datetime
    until: date | None = None
    line: str | None = None

    @property
    def identity(self) -> tuple[str, str, str, str | None, date]:
        return self.person, self.plan, self.role, self.line, self.since

    @property
    def span(self) -> Span | None:
        """The days it covers; none when it was withdrawn."""
        return Span(self.since, self.until) if self.until is None or self.since <= self.until else None


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `source` in `target` on a business date."""

    rate_id: str
    source: str
    target: str
    day: date
    rate: Decimal
    recorded_at: datetime


def known_assignments(assignments: Iterable[Assignment], known_at: datetime | None) -> list[Assignment]:
    """The assignments as they were known then: the last record of each."""
    latest: dict[tuple[str, str, str, str | None, date], Assignment] = {}
    for assignment in assignments:
        if known_at is not None and assignment.recorded_at > known_at:
            continue
        before = latest.get(assignment.identity)
        if before is None or (before.recorded_at, before.until or date.max) < (
            assignment.recorded_at,
            assignment.until or date.max,
        ):
            latest[assignment.identity] = assignment
    return list(latest.values())


def parse(document: str | Mapping[str, Any]) -> Plan:
    """A plan from YAML or JSON text, or from decoded JSON (where amounts must be strings).

    Raises FaultyDocument, whose faults name their paths.
    """
    content = load(document) if isinstance(document, str) else document
    try:
        return read(Plan, content)
    except FaultyDocument as wrong:
        rules = content.get("rules") if isinstance(content, Mapping) else None
        short = f"rules[{len(rules) if isinstance(rules, list) else 0}].salary.amount"
        raise FaultyDocument(
            [replace(fault, path="salary") if fault.path == short else fault for fault in wrong.faults]
        ) from wrong


def shipped(name: str) -> Plan:
    """A plan that comes with the service, such as ref-hunter."""
    file = resources.files("compensation") / "plans" / f"{name}.yaml"
    if not file.is_file():
        raise FaultyDocument([Fault("", f"no plan {name!r} comes with the service; there are {', '.join(shelf())}")])
    return parse(file.read_text(encoding="utf-8"))


def shelf() -> list[str]:
    """The names of the plans that come with the service."""
    files = (resources.files("compensation") / "plans").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))
