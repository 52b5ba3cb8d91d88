"""Who works here, in which role, and who staffs which line. Published by lead-gen, read by every station."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conveyor_events.money import Amount
from conveyor_events.words import Event, Instant, PersonId

_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_OPEN = ConfigDict(frozen=True, extra="allow")
Weekday = Annotated[int, Field(ge=0, le=6)]


class Break(BaseModel):
    """A part of the working day in which no deadline runs, such as lunch."""

    model_config = _OPEN

    begins: Annotated[str, Field(pattern=_CLOCK)]
    ends: Annotated[str, Field(pattern=_CLOCK)]


class WorkingCalendar(BaseModel):
    """When deadlines run: working days and hours in the zone of the line."""

    model_config = _OPEN

    weekdays: Annotated[list[Weekday], Field(min_length=1, description="0 is Monday")] = [0, 1, 2, 3, 4]
    opens: Annotated[str, Field(pattern=_CLOCK)] = "09:00"
    closes: Annotated[str, Field(pattern=_CLOCK)] = "18:00"
    holidays: list[date] = []
    breaks: list[Break] = []

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("a working day opens before it closes")
        pauses = sorted((one.begins, one.ends) for one in self.breaks)
        marks = [self.opens, *(mark for pause in pauses for mark in pause), self.closes]
        if any(before >= after for before, after in pairwise(marks)):
            raise ValueError("breaks lie within the working day, one after the other")
        return self

    @property
    def pauses(self) -> list[tuple[str, str]]:
        """The breaks as pairs of times."""
        return [(one.begins, one.ends) for one in self.breaks]


class Policy(BaseModel):
    """The rules of a line: deadlines in working hours, windows in days, routing and limits."""

    model_config = _OPEN

    accept_within_hours: Annotated[int, Field(description="working hours to answer an offered lead")] = 8
    first_touch_within_hours: Annotated[int, Field(description="working hours to the first contact")] = 8
    handover_within_hours: Annotated[int, Field(description="working hours from a known need to its offer")] = 8
    auto_offer: Annotated[bool, Field(description="offer by itself when the handover is due")] = False
    account_accept_within_hours: Annotated[int, Field(description="working hours to answer an offered account")] = 16
    rework_days: Annotated[int, Field(description="how long a returned lead stays with its scout")] = 14
    protection_days: Annotated[int, Field(description="how long a client is closed to other scouts")] = 90
    credit_days: Annotated[int, Field(description="credit window from the offer of the lead")] = 90
    reroutes: Annotated[int, Field(description="further receivers before an offer is escalated")] = 2
    dispute_days: Annotated[int, Field(description="working days to dispute a rejection")] = 5
    routing: Annotated[str, Field(description="round_robin, least_loaded or named")] = "round_robin"
    calendar: WorkingCalendar = WorkingCalendar()
    discount_limit_pct: Annotated[Amount, Field(description="a larger discount needs a manager")] = Decimal(10)
    stalled_days: Annotated[int, Field(description="days of silence that make an opportunity a stalled one")] = 14
    reopen_days: Annotated[int, Field(description="how long a lost opportunity may be reopened")] = 90
    negotiation_plan_above: Annotated[
        Amount | None, Field(description="net from which on a negotiation needs a plan, in the line's currency")
    ] = None
    regular_purchases: Annotated[int, Field(description="purchases that make a regular customer")] = 3
    regular_days: Annotated[int, Field(description="within so many days")] = 365
    lapse_days: Annotated[int, Field(description="days without purchase until a customer has lapsed")] = 180


class StationTeam(BaseModel):
    """The team of one station; the order of members is the order of rotation."""

    model_config = _OPEN

    team: str
    members: list[PersonId]


class StaffHired(Event):
    """A person starts to work for the company."""

    person: PersonId
    hired_on: Annotated[date, Field(description="first working day")]


class RoleGranted(Event):
    """A person gets a role, for a time or until further notice."""

    person: PersonId
    role: str
    since: Instant
    until: Annotated[Instant | None, Field(description="exclusive; none is until further notice")] = None


class RoleRevoked(Event):
    """A role ends: nothing granted before holds from `until` on."""

    person: PersonId
    role: str
    until: Annotated[Instant, Field(description="first instant without the role")]


class AbsenceSet(Event):
    """A person is away in [since, until). Set again with the same `since` it replaces; an empty one cancels."""

    person: PersonId
    since: Instant
    until: Instant


class StaffLeft(Event):
    """A person leaves the company; their roles end with the last day."""

    person: PersonId
    last_day: date
    left_at: Annotated[Instant, Field(description="the end of the last day in the company's zone")]


class LineStaffed(Event):
    """A line gets its variant, teams, managers and policy, valid from `since` until it is staffed anew."""

    line: str
    variant: str
    since: Instant
    zone: Annotated[str, Field(description="IANA time zone of deadlines and day counts")]
    currency: Annotated[str, Field(description="ISO 4217 code")]
    teams: Annotated[dict[str, StationTeam], Field(description="station: its team")]
    managers: list[PersonId]
    policy: Policy = Policy()
