"""What callers get. Replies to commands are stored for repetition, so they hold nothing personal."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel

from conveyor_events.staff import LineStaffed
from conveyor_events.words import Instant, Seat


class StaffReply(BaseModel):
    person: str
    version: int


class LineReply(BaseModel):
    line: str
    since: Instant
    version: int


class ProspectReply(BaseModel):
    client_id: str
    journey_id: str
    stage: str
    version: int


class NeedReply(ProspectReply):
    need_id: str | None


class OfferReply(ProspectReply):
    offer_id: str | None
    need_id: str | None
    to: str | None
    mode: str
    attempt: int
    accept_due_at: Instant | None


class Span(BaseModel):
    since: Instant
    until: Instant | None


class RoleSpan(Span):
    role: str


class Employment(BaseModel):
    first_day: date
    last_day: date | None


class PersonShown(BaseModel):
    """`name` only for those who may see personal data."""

    person: str
    name: str | None = None
    active: bool
    employments: list[Employment]
    roles: list[RoleSpan]
    absences: list[Span]


class StaffList(BaseModel):
    items: list[PersonShown]
    next: str | None


class LineShown(BaseModel):
    line: str
    current: LineStaffed | None
    staffings: list[LineStaffed]


class LineList(BaseModel):
    items: list[LineShown]
    next: str | None


class NeedShown(BaseModel):
    """Statement, evidence and supplier only for those who may see them."""

    need_id: str
    category: str
    budget: str
    wish: str
    competitor_id: str | None
    statement: str | None = None
    evidence: list[str] | None = None
    current_supplier: str | None = None


class OfferShown(BaseModel):
    offer_id: str
    need_id: str
    to: Seat | None
    mode: str
    attempt: int
    accept_due_at: Instant | None


class Personal(BaseModel):
    """For who holds the client, who receives it, and the managers of the line."""

    name: str
    identity_keys: list[dict[str, str]]
    contacts: list[dict[str, Any]]
    gatekeepers: list[dict[str, Any]]
    calls: list[dict[str, Any]]


class ProspectShown(BaseModel):
    client_id: str
    line: str
    variant: str
    journey_id: str
    stage: str
    source: str
    segment: str | None
    country: str | None
    sourced_by: Seat
    converted_by: Seat | None
    registered_at: Instant | None
    verified_at: Instant | None
    protected_until: Instant | None
    handover_due_at: Instant | None
    rework_until: Instant | None
    parked_until: Instant | None
    need: NeedShown | None
    offer: OfferShown | None
    personal: Personal | None
    version: int


class ProspectRow(BaseModel):
    client_id: str
    line: str
    variant: str
    journey_id: str
    stage: str
    source: str
    segment: str | None
    country: str | None
    sourced_by: str
    converted_by: str | None
    registered_at: Instant
    protected_until: Instant | None
    verified_at: Instant | None
    next_call_at: Instant | None
    need_id: str | None
    handover_due_at: Instant | None
    overdue: int
    offer_id: str | None
    offered_to: str | None
    accept_due_at: Instant | None
    rework_until: Instant | None
    parked_until: Instant | None
    version: int


class Counts(BaseModel):
    counts: dict[str, int]
    total: int


class ProspectList(BaseModel):
    items: list[ProspectRow]
    next: str | None


class Dossier(BaseModel):
    """What the receiver of a lead has to know of the client."""

    offer_id: str
    client_id: str
    line: str
    sourced_by: Seat
    country: str | None
    source: str
    segment: str | None
    need: NeedShown
    personal: Personal
