"""What is asked: which months, and what is to be otherwise in them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from compensation.documents import FaultyDocument, Written, read
from compensation.months import Month
from compensation.plan import Plan, parse
from conveyor_events.words import VARIANTS

MOST_MONTHS = 120
MOST_PLANS = 20
Hours = Annotated[int, Field(ge=0, le=10_000)]


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that is tried: `instead` of those of its id (else of its role), or `beside` them.

    It takes effect on its own date, or with `from_start` on the first day of the months that are asked for.
    """

    plan: Plan
    place: Literal["instead", "beside"] = "instead"
    from_start: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How many working hours a lead, and a buyer, may wait for an answer. None: as it was."""

    accept_within_hours: int | None = None
    account_accept_within_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Months are both included. `line`: only who works there is shown, and only there variant and policy change."""

    first: Month
    last: Month
    line: str | None = None
    drafts: tuple[Draft, ...] = ()
    variant: str | None = None
    policy: Policy = Policy()

    @property
    def months(self) -> list[Month]:
        return list(self.first.through(self.last))


def _month(value: object) -> Month:
    return value if isinstance(value, Month) else Month.parse(str(value))


class _Tried(Written):
    document: dict[str, Any]
    place: Literal["instead", "beside"] = "instead"
    from_start: bool = False


class _Asked(Written):
    first: Annotated[Month, BeforeValidator(_month), Field(alias="from")]
    last: Annotated[Month, BeforeValidator(_month), Field(alias="to")]
    line: str | None = None
    plans: Annotated[tuple[_Tried, ...], Field(max_length=MOST_PLANS)] = ()
    variant: str | None = None
    accept_within_hours: Hours | None = None
    account_accept_within_hours: Hours | None = None

    @field_validator("variant")
    @classmethod
    def _a_variant(cls, variant: str | None) -> str | None:
        if variant is not None and variant not in VARIANTS:
            raise ValueError(f"there is no {variant!r}; there are {', '.join(VARIANTS)}")
        return variant

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"to: the months end with {self.last} before they begin with {self.first}")
        if self.last > self.first.plus(MOST_MONTHS - 1):
            raise ValueError(f"to: more than {MOST_MONTHS} months")
        return self


def read_scenario(content: Mapping[str, Any]) -> Scenario:
    """The scenario of a document. Raises FaultyDocument; faults of a plan begin with `plans[0].document`."""
    asked = read(_Asked, content)
    drafts, faults = [], []
    for number, tried in enumerate(asked.plans):
        try:
            drafts.append(Draft(parse(tried.document), tried.place, tried.from_start))
        except FaultyDocument as wrong:
            at = f"plans[{number}].document"
            faults += [replace(f, path=f"{at}.{f.path}" if f.path else at) for f in wrong.faults]
    if faults:
        raise FaultyDocument(faults)
    policy = Policy(asked.accept_within_hours, asked.account_accept_within_hours)
    return Scenario(asked.first, asked.last, asked.line, tuple(drafts), asked.variant, policy)


def document_digest(document: Mapping[str, Any] | str) -> str:
    """The same plan gives the same digest, whatever the order of its keys."""
    content = json.loads(document) if isinstance(document, str) else document
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
