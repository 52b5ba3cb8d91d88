"""What the linter says, and what it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compensation.plan import Plan
from compensation.rules import Rule
from conveyor_events.words import Station, role_at

Level = Literal["block", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`plan` and `rule` are where it stands; `between` are the roles it sets against each other."""

    code: str
    level: Level
    plan: str
    rule: str | None
    between: tuple[str, ...]
    message: str
    example: str


@dataclass(frozen=True, slots=True)
class Line:
    """The plans of the roles of one line. A role without a plan here is not judged."""

    variant: str
    plans: tuple[Plan, ...]
    accept_within_hours: int | None = None
    """How long an offer waits for its answer; None: not known here."""

    def role(self, station: Station) -> str:
        return str(role_at(self.variant, station))

    @property
    def scout(self) -> str:
        return self.role(Station.LEAD_GEN)

    @property
    def hunter(self) -> str:
        return self.role(Station.CONVERSION)

    @property
    def farmer(self) -> str:
        return self.role(Station.ACCOUNT_MGMT)

    def of(self, role: str) -> Iterator[Plan]:
        return (plan for plan in self.plans if plan.role == role)

    def rules(self, role: str) -> Iterator[tuple[Plan, Rule]]:
        return ((plan, rule) for plan in self.of(role) for rule in plan.rules)
