"""What compensation tells the payroll."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from conveyor_events.money import Amount
from conveyor_events.sale import Currency
from conveyor_events.words import Event, Instant, Seat

Period = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="a calendar month such as 2026-03")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]
Outcome = Literal["credit_a", "credit_b", "split", "house", "dismissed"]


class PlanActivated(Event):
    """A version of a pay plan takes effect."""

    plan: str
    version: int
    role: str
    effective_from: Annotated[date, Field(description="first day on which the version pays")]
    currency: Currency


class PeriodClosed(Event):
    """A month's lines are frozen. What becomes known later is corrected in an open month."""

    period: Period
    cutoff: Annotated[Instant, Field(description="what was recorded by then is in the month")]
    statements: Annotated[int, Field(ge=0)]
    digest: Annotated[Digest, Field(description="over the month's statements and the digest of the month before")]
    previous: Annotated[Digest | None, Field(description="digest of the month closed before; none for the first")]


class Payable(BaseModel):
    """What a statement pays out in one currency."""

    model_config = ConfigDict(frozen=True, extra="allow")

    currency: Currency
    payable: Amount


class StatementPublished(Event):
    """A person may see the statement of a closed month, and has until `objection_until` to dispute it."""

    person: str
    period: Period
    totals: list[Payable]
    digest: Digest
    objection_until: Instant


class Contender(BaseModel):
    """Somebody who may think that the client, or the sale, is theirs; since when, and by which event."""

    model_config = ConfigDict(frozen=True, extra="allow")

    seat: Seat
    since: Instant
    event_id: str


class ContestedLead(BaseModel):
    """The lead a conflict is about: counted from when it was rejected, if its finder is credited."""

    model_config = ConfigDict(frozen=True, extra="allow")

    offer_id: str
    need_id: str
    rejected_at: Instant
    rejection: Annotated[str, Field(description="id of the event that rejected it")]


class ConflictDetected(Event):
    """Two people may both think that something is theirs. What is paid for it is conditional until it is resolved."""

    case_id: str
    person: Annotated[str, Field(description="whose claim is the older one")]
    kind: Annotated[str, Field(pattern=r"^C[1-9]$")]
    line: str
    a: Annotated[Contender, Field(description="the older claim")]
    b: Contender | None
    events: list[str]
    since: Annotated[Instant, Field(description="when the last of its events was recorded")]
    sale_id: str | None = None
    lead: ContestedLead | None = None


class ConflictResolved(Event):
    """A conflict is decided, once and for all."""

    case_id: str
    person: Annotated[str, Field(description="whose claim is the older one")]
    kind: Annotated[str, Field(pattern=r"^C[1-9]$")]
    line: str
    outcome: Outcome
    a: Seat
    b: Seat | None
    by: str
    sale_id: str | None = None
    lead: ContestedLead | None = None


class AdjustmentPosted(Event):
    """An amount beside the rules, asked for by one person and approved by another."""

    adjustment_id: str
    person: str
    amount: Amount
    currency: Currency
    relates_to: Annotated[Period | None, Field(description="the month it is about; none: the month it is posted in")]
    reason: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="a code, not a sentence")]
    asked_by: str
    approved_by: str
    dispute_id: str | None = None


class DisputeResolved(Event):
    """A person's objection to a statement is decided."""

    dispute_id: str
    person: str
    period: Period
    outcome: Literal["accepted", "partly", "refused"]
    by: str
    adjustment_id: str | None = None


class PayoutExported(Event):
    """Final statements were handed to whoever transfers the money. The total is that of the file."""

    run: str
    period: Period
    statements: Annotated[int, Field(ge=0)]
    totals: list[Payable]
    digest: Annotated[Digest, Field(description="of the file")]
