"""The stream of one conflict: detected → claims_invited → resolved. Found by `conflict.py`, decided by a person.

Whoever decides is none of the two. A case may grow while it is open: another rejection, or the sale it leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from belt.core.decider import Private, Public, Refused
from compensation.conflict import Case, Claim
from conveyor_events.pay import ConflictDetected, ConflictResolved, Contender, ContestedLead
from conveyor_events.words import Seat

CATEGORY = "conflict"


@dataclass(frozen=True)
class Detect:
    """`since`: when the last of the case's events was recorded."""

    case: Case
    since: datetime
    at: datetime


@dataclass(frozen=True)
class InviteClaims:
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class StateClaim:
    """What one of the two has to say."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Resolve:
    outcome: str
    reason: str
    by: str
    at: datetime


Command = Detect | InviteClaims | StateClaim | Resolve


@dataclass(frozen=True)
class Detected:
    at: datetime
    case: Case
    since: datetime


@dataclass(frozen=True)
class ClaimsInvited:
    at: datetime
    until: datetime
    by: str


@dataclass(frozen=True)
class ClaimStated:
    at: datetime
    by: str
    client: str
    text: Private[str]


@dataclass(frozen=True)
class Resolved:
    at: datetime
    outcome: str
    by: str
    client: str
    reason: Private[str]


Event = Detected | ClaimsInvited | ClaimStated | Resolved
EVENTS = (Detected, ClaimsInvited, ClaimStated, Resolved)


@dataclass(frozen=True)
class Conflict:
    case: Case | None = None
    stage: str = "none"
    until: datetime | None = None
    claims: Mapping[str, str] = field(default_factory=dict)
    outcome: str | None = None
    by: str | None = None
    reason: str | None = None


def decide(command: Command, state: Conflict) -> Sequence[Event]:
    c = command
    if isinstance(c, Detect):
        if state.outcome is not None or state.case == c.case:
            return []
        return [Detected(c.at, c.case, c.since)]
    if state.case is None:
        raise Refused("conflict.unknown")
    if isinstance(c, Resolve):
        return _resolve(c, state, state.case)
    if state.outcome is not None:
        raise Refused("conflict.resolved", outcome=state.outcome)
    match c:
        case InviteClaims():
            return [ClaimsInvited(c.at, c.until, c.by)] if state.stage == "detected" else []
        case StateClaim():
            if c.by not in state.case.people:
                raise Refused("conflict.unknown")
            if state.until is None or c.at >= state.until:
                raise Refused("conflict.no-claims-now", until=state.until.isoformat() if state.until else None)
            return [ClaimStated(c.at, c.by, state.case.client, c.text)] if state.claims.get(c.by) != c.text else []
        case _:
            assert_never(c)


def _resolve(c: Resolve, state: Conflict, case: Case) -> Sequence[Event]:
    if c.by in case.people:
        raise Refused("conflict.own")
    if state.outcome is not None:
        if state.outcome == c.outcome:
            return []
        raise Refused("conflict.resolved", outcome=state.outcome)
    if case.b is None and c.outcome not in ("credit_a", "dismissed"):
        raise Refused("conflict.one-claim")
    return [Resolved(c.at, c.outcome, c.by, case.client, c.reason)]


def evolve(state: Conflict, event: Event) -> Conflict:
    match event:
        case Detected():
            return replace(state, case=event.case, stage="detected" if state.case is None else state.stage)
        case ClaimsInvited():
            return replace(state, stage="claims_invited", until=event.until)
        case ClaimStated():
            return replace(state, claims={**state.claims, event.by: event.text})
        case Resolved():
            return replace(state, stage="resolved", outcome=event.outcome, by=event.by, reason=event.reason)
        case _:
            assert_never(event)


def publish(event: Event, state: Conflict) -> Sequence[Public]:
    case = state.case
    if case is None:
        return []
    lead = None
    if case.lead is not None:
        offer, need = case.lead.offer_id, case.lead.need_id
        lead = ContestedLead(
            offer_id=offer, need_id=need, rejected_at=case.lead.rejected_at, rejection=case.lead.event_id
        )
    match event:
        case Detected():
            told: ConflictDetected | ConflictResolved = ConflictDetected(
                case_id=case.case_id,
                person=case.a.person,
                kind=case.kind,
                line=case.line,
                a=_contender(case.a),
                b=_contender(case.b) if case.b else None,
                events=list(case.events),
                since=event.since,
                sale_id=case.sale_id,
                lead=lead,
            )
        case Resolved():
            told = ConflictResolved(
                case_id=case.case_id,
                person=case.a.person,
                kind=case.kind,
                line=case.line,
                outcome=event.outcome,
                a=_seat(case.a),
                b=_seat(case.b) if case.b else None,
                by=event.by,
                sale_id=case.sale_id,
                lead=lead,
            )
        case _:
            return []
    return [Public(told, event.at, case.a.person, client_id=case.client)]


def _seat(claim: Claim) -> Seat:
    return Seat(person=claim.person, role=claim.role)


def _contender(claim: Claim) -> Contender:
    return Contender(seat=_seat(claim), since=claim.at, event_id=claim.event_id)
