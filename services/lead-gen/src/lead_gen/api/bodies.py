"""What callers send. Unknown fields are refused; every command also takes `occurred_at` and `by`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from belt.io.http.body import BaseBody, GivenId, NewId, Strict, example
from conveyor_events.staff import Break, Policy, WorkingCalendar
from conveyor_events.words import VARIANTS, Instant
from lead_gen.identity import IdentityKey, Kind
from lead_gen.prospect.commands import (
    Approach,
    Budget,
    CallOutcome,
    Check,
    GatekeeperRole,
    Influence,
    Wish,
)

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9000, 12, 31))]
"""Of a working life: days are counted from it in any zone, and the calendar has ends."""
_CLOSED = ConfigDict(extra="forbid", frozen=True)

# --- staff ----------------------------------------------------------------------------------------------------------


class HireBody(BaseBody):
    model_config = example(person="ana", name="Ana Berg", hired_on="2026-01-01")

    person: GivenId
    name: Word | None = None
    hired_on: Day


class RoleBody(BaseBody):
    """`since`: default is the business time of the command."""

    model_config = example(role="scout", since="2026-01-01T00:00:00Z")

    role: Word
    since: Instant | None = None
    until: Instant | None = None


class RevokeBody(BaseBody):
    """`until`: the first instant without the role; default is the business time of the command."""

    role: Word
    until: Instant | None = None


class AbsenceBody(BaseBody):
    model_config = example(since="2026-07-06T00:00:00+02:00", until="2026-07-20T00:00:00+02:00")

    since: Instant
    until: Instant


class LeaveBody(BaseBody):
    model_config = example(last_day="2026-12-31")

    last_day: Day


# --- lines ----------------------------------------------------------------------------------------------------------


class TeamBody(Strict):
    """The order of the members is the order of rotation."""

    team: GivenId
    members: Annotated[list[GivenId], Field(max_length=2_000)]


class BreakBody(Break):
    model_config = _CLOSED


class CalendarBody(WorkingCalendar):
    model_config = _CLOSED

    breaks: Annotated[list[BreakBody], Field(max_length=10)] = []  # type: ignore[assignment]


class PolicyBody(Policy):
    """The rules of a line; what is left out has its default."""

    model_config = _CLOSED

    calendar: CalendarBody = CalendarBody()


class StaffingBody(BaseBody):
    """`since`: default is the business time of the command."""

    model_config = example(
        variant=next(iter(VARIANTS)),
        zone="Europe/Berlin",
        currency="EUR",
        teams={
            "lead-gen": {"team": "north-finders", "members": ["ana"]},
            "conversion": {"team": "north-hunters", "members": ["ben"]},
            "account-mgmt": {"team": "north-keepers", "members": ["eva"]},
        },
        managers=["max"],
    )

    variant: Word
    since: Instant | None = None
    zone: Word
    currency: Word
    teams: Annotated[dict[str, TeamBody], Field(description="station: its team")]
    managers: Annotated[list[GivenId], Field(default_factory=list, max_length=200)]
    policy: PolicyBody = PolicyBody()


# --- prospects ------------------------------------------------------------------------------------------------------


class KeyBody(Strict):
    kind: Kind
    value: Word

    @property
    def key(self) -> IdentityKey:
        return IdentityKey(self.kind, self.value)


class RegisterBody(BaseBody):
    model_config = example(
        line="north",
        name="Drillworks Ltd",
        country="DE",
        identity_keys=[{"kind": "tax_no", "value": "DE123456789"}],
        source="fair",
    )

    client_id: NewId = None
    line: GivenId
    name: Word
    country: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code")] = None
    identity_keys: Annotated[list[KeyBody], Field(default_factory=list, max_length=20)]
    source: Annotated[Word, Field(description="a kind of place, such as trade-fair; it is published, so name nobody")]
    segment: Annotated[Word | None, Field(description="it is published")] = None


class VerifyBody(BaseBody):
    model_config = example(checks=["reachable_phone", "legal_active"])

    checks: Annotated[list[Check], Field(min_length=1, max_length=3)]


class CallBody(BaseBody):
    """`started_at`: default is the business time of the command."""

    model_config = example(outcome="gatekeeper_passed", duration_s=180, note="asked for the head of purchasing")

    outcome: CallOutcome
    started_at: Instant | None = None
    duration_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    next_call_at: Instant | None = None
    note: Text | None = None


class GatekeeperBody(BaseBody):
    """With an `approach` the gatekeeper was passed."""

    model_config = example(role="secretary", attitude=1, approach="topic", attempts=2)

    role: GatekeeperRole
    attitude: Annotated[int, Field(ge=-2, le=2)]
    best_time: Word | None = None
    approach: Approach | None = None
    attempts: Annotated[int, Field(ge=1, le=1_000)] = 1


class ContactBody(BaseBody):
    model_config = example(person="Udo Kern", position="buyer", channel="phone", influence="decides")

    person: Word
    position: Word
    channel: Word
    influence: Influence


class NeedBody(BaseBody):
    """Budget and wish are information, never a gate."""

    model_config = example(
        category="tools", statement="drills wear out", evidence=["said so on the phone"], budget="none", wish="low"
    )

    need_id: NewId = None
    category: Annotated[Word, Field(description="a kind of need; it is published, so name nobody")]
    statement: Text
    evidence: Annotated[list[Text], Field(min_length=1, max_length=50)]
    current_supplier: Word | None = None
    competitor_id: Annotated[GivenId | None, Field(description="the card of the rival they buy from")] = None
    budget: Budget = "unknown"
    wish: Wish = "unknown"


class OfferBody(BaseBody):
    """`to`: the receiver; without one the routing of the line chooses. After a rejection: with new `evidence`."""

    model_config = example(to="ben")

    offer_id: NewId = None
    to: GivenId | None = None
    evidence: Annotated[list[Text], Field(default_factory=list, max_length=50)]


class WithdrawBody(BaseBody):
    """`reason`: a code such as `client_asked_to_wait` is told to the receiver; a text of your own stays here."""

    reason: Annotated[str | None, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] = None


class InvalidateBody(BaseBody):
    model_config = example(reason="closed_down")

    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class ParkBody(BaseBody):
    """Without `until` the prospect waits until somebody resumes it."""

    model_config = example(until="2027-01-04T08:00:00Z", reason="moves house until January")

    until: Instant | None = None
    reason: Word


class ForbidBody(BaseBody):
    reason: Annotated[Text | None, Field(description="kept sealed")] = None


class ReassignBody(BaseBody):
    model_config = example(to="ana", reason="workload")

    to: GivenId
    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$", description="a code, such as leaver or workload")]


class MergeBody(BaseBody):
    into: Annotated[GivenId, Field(description="the client that stays")]


class EraseBody(BaseBody):
    """Who and when, nothing else: whose data it is says the address."""


class MigrateBody(BaseBody):
    """`served_by`: who serves a customer from now on; until `legacy_until` repeat sales name the one before, too."""

    model_config = example(variant=[*VARIANTS][-1])

    variant: Word
    served_by: GivenId | None = None
    legacy_until: Instant | None = None


class ClaimBody(BaseBody):
    """A claim says nothing but who and when."""
