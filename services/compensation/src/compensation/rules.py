"""The kinds of rules a plan is made of: a closed union, each a small document of its own."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from compensation.documents import Written
from compensation.facts import TRIGGERS
from compensation.months import Month
from conveyor_events import Amount
from conveyor_events.money import plain

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Percent = Annotated[Amount, Field(ge=0, le=100)]
Positive = Annotated[Amount, Field(gt=0)]
NotNegative = Annotated[Amount, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Scale = Literal["month", "quarter", "year"]
Again = Annotated[int, Field(ge=1, le=36_500)]
Seated = Literal["sourced_by", "converted_by", "served_by"]
ONCE = "what makes the key: `[client, need]` pays once for each need of each client"
BASE = "`prospect_base`: verified clients, less those that are none; `buyer_base`: who has paid, less who churned"
SOLD = "which sales; `legacy`: repeat sales to whoever served the client before; `all`: first and repeat"
BESIDE = "with `sales: first`: also the part that the payee has in a repeat sale of somebody else"
RELEASED = "`as_paid`: earned as the client pays; `at_sale`: with the sale"
MODE = "`marginal`: each part at the rate of its band; `whole`: everything of that time at the rate of the band reached"
RATE = "exactly one of `flat`, `percent` and `bands`"


class Window(Written):
    """The days on which a rule pays; both ends belong to it."""

    since: date | None = Field(default=None, alias="from")
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"the window ends on {self.until} before it begins on {self.since}")
        return self

    def covers(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Cap(Written):
    """The most a rule pays one person in a month, quarter or year; what is above it is lost, not carried.

    Bounties, growth and commissions may have one. On a salary, which is the same every month, and on a guarantee, which
    is the least that is paid, it would say nothing and is refused.
    """

    amount: NotNegative
    per: Scale = "month"


class ClawbackStep(Written):
    """Up to this day after the payment (day 0 is the payment's own date) a refund takes so much back."""

    days: Days
    percent: Percent


class BandStep(Written):
    """A half-open band: from this value up to the next step's."""

    start: NotNegative = Field(alias="from")
    percent: Percent


class Bands(Written):
    """Rates by what was credited so far in the month, quarter or year.

    With a `quota` for that time the steps begin at percentages of it: `from: 80` is at 80 % of the quota.
    """

    mode: Annotated[Literal["marginal", "whole"], Field(description=MODE)]
    over: Annotated[Scale, Field(description="the time over which it is counted")] = "month"
    quota: Positive | None = None
    steps: Annotated[tuple[BandStep, ...], Field(min_length=1)]

    @property
    def in_money(self) -> tuple[BandStep, ...]:
        """The steps by what was credited, also where they are written as attainment of a quota."""
        if self.quota is None:
            return self.steps
        return tuple(step.model_copy(update={"start": step.start * self.quota / 100}) for step in self.steps)

    @field_validator("steps")
    @classmethod
    def _in_order(cls, steps: tuple[BandStep, ...]) -> tuple[BandStep, ...]:
        if steps[0].start != 0:
            raise ValueError("the first band begins at 0")
        for before, after in pairwise(steps):
            if after.start <= before.start:
                raise ValueError(f"the band from {plain(after.start)} does not begin above {plain(before.start)}")
        return steps

    @model_validator(mode="after")
    def _whole_grows(self) -> Self:
        rates = [step.percent for step in self.steps]
        if self.mode == "whole" and rates != sorted(rates):
            raise ValueError("in mode whole a higher band cannot have a lower rate: it would take back what was earned")
        return self


class _Rule(Written):
    id: Annotated[Id, Field(description="its own in the plan; each line of a statement names it")]
    title: Annotated[str | None, Field(description="for people")] = None
    valid: Annotated[Window, Field(description="the days on which it pays; all, if not given")] = Window()


def _uncapped(content: Any, why: str) -> Any:
    """The rule as written. A cap on a kind of rule where it says nothing is a fault that says why."""
    if isinstance(content, Mapping) and "cap" in content:
        raise ValueError(f"cap: {why}")
    return content


class Salary(_Rule):
    """A fixed amount a month, prorated by calendar days."""

    kind: Literal["salary"] = "salary"
    amount: NotNegative

    @model_validator(mode="before")
    @classmethod
    def _has_no_cap(cls, content: Any) -> Any:
        return _uncapped(content, "a salary is the same every month: write the amount that is meant")


NEVER_APPROVED = ("SurveyAnswered",)
"""Events that a plan may name so that the linter can say why not (L14); nothing is paid for them."""


class Bounty(_Rule):
    """An amount for an event, once for each key."""

    kind: Literal["bounty"]
    on: Annotated[tuple[str, ...], Field(min_length=1, description=f"the events that pay, of {', '.join(TRIGGERS)}")]
    seat: Annotated[Seated, Field(description="who is paid: whoever holds this seat, which the event must have")]
    amount: NotNegative
    once_per: Annotated[tuple[Literal["client", "need", "offer"], ...], Field(min_length=1, description=ONCE)]
    again_after_days: Annotated[Again | None, Field(description="paid again so long after the last time")] = None
    cap: Cap | None = None
    charged_to: Annotated[
        Literal["converted_by", "served_by"] | None,
        Field(description="whose variable pay bears it: understood so that the linter can say why not, never approved"),
    ] = None

    @model_validator(mode="after")
    def _pays_a_seat_of_the_event(self) -> Self:
        for name in self.on:
            if name in NEVER_APPROVED:
                continue
            if name not in TRIGGERS:
                raise ValueError(f"on: {name} is not an event that pays; those are {', '.join(TRIGGERS)}")
            if self.seat not in TRIGGERS[name]:
                raise ValueError(f"seat: {name} has no seat {self.seat}, only {', '.join(TRIGGERS[name])}")
        return self


class Growth(_Rule):
    """An amount for each unit by which a metric grew in the month. Below zero nothing is paid and the rest carried."""

    kind: Literal["growth"]
    metric: Annotated[Literal["prospect_base", "buyer_base"], Field(description=BASE)]
    amount: NotNegative
    cap: Cap | None = None


class Commission(_Rule):
    """A share of sales: flat per sale, a percentage, or bands. `sales: all` takes first and repeat sales alike."""

    kind: Literal["commission"]
    sales: Annotated[Literal["first", "repeat", "legacy", "all"], Field(description=SOLD)]
    co_sell: Annotated[bool, Field(description=BESIDE)] = False
    flat: Annotated[NotNegative | None, Field(description=f"an amount for each sale; {RATE}")] = None
    percent: Annotated[Percent | None, Field(description=f"of the sale's net; {RATE}")] = None
    bands: Annotated[Bands | None, Field(description=f"rates that grow with what was sold; {RATE}")] = None
    release: Annotated[Literal["at_sale", "as_paid"], Field(description=RELEASED)]
    clawback: Annotated[
        tuple[ClawbackStep, ...], Field(description="what a refund takes back; nothing, if not given")
    ] = ()
    cap: Cap | None = None

    @field_validator("clawback")
    @classmethod
    def _steps_in_order(cls, steps: tuple[ClawbackStep, ...]) -> tuple[ClawbackStep, ...]:
        for before, after in pairwise(steps):
            if after.days <= before.days:
                raise ValueError(f"the step up to day {after.days} does not come after day {before.days}")
        return steps

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if sum(rate is not None for rate in (self.flat, self.percent, self.bands)) != 1:
            raise ValueError("give exactly one of flat, percent and bands")
        if self.co_sell and self.sales != "first":
            raise ValueError("co_sell: the serving part of a repeat sale is paid by `sales: repeat` itself")
        return self

    def taken_back(self, day: int) -> Decimal:
        """The percentage a refund takes back so many days after the payment."""
        return next((step.percent for step in self.clawback if day <= step.days), Decimal(0))


class RampStep(Written):
    """From this month of service on (the first is 1) the guarantee is so much."""

    start: Annotated[int, Field(ge=1, le=1200, alias="from_month")]
    amount: NotNegative


class Guarantee(_Rule):
    """At least so much variable pay a month, while it is in force; prorated by calendar days, like a salary.

    `months`: only in so many first months of service. `recoverable`: what was added is an advance, paid back out of
    variable pay above the guarantee, and afterwards out of all variable pay.
    """

    kind: Literal["guarantee"]
    amount: NotNegative
    recoverable: bool = False
    months: Annotated[int, Field(ge=1, le=1200)] | None = None
    ramp: tuple[RampStep, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _has_no_cap(cls, content: Any) -> Any:
        return _uncapped(content, "a guarantee is the least that is paid: a cap belongs to the rule that pays more")

    @field_validator("ramp")
    @classmethod
    def _ramp_in_order(cls, steps: tuple[RampStep, ...]) -> tuple[RampStep, ...]:
        for before, after in pairwise(steps):
            if after.start <= before.start:
                raise ValueError(f"the step from month {after.start} does not come after month {before.start}")
        return steps

    def in_month(self, service: int) -> Decimal | None:
        """The amount in a month of service; None when it is over."""
        if self.months is not None and service > self.months:
            return None
        begun = [step.amount for step in self.ramp if step.start <= service]
        return begun[-1] if begun else self.amount


Rule = Annotated[Salary | Bounty | Growth | Commission | Guarantee, Field(discriminator="kind")]


@lru_cache(maxsize=4096)
def window_key(scale: Scale, month: Month) -> str:
    """The calendar window a month belongs to: 2026-03, 2026-Q1 or 2026."""
    if scale == "month":
        return str(month)
    return month.quarter if scale == "quarter" else f"{month.year:04d}"
