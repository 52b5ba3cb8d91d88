"""What the house itself adds to the facts: conflicts it found, and how they were decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from belt.core.ids import derived
from compensation.conflict import Case, Claim
from compensation.facts import Fact, Lead, Ruled, Seat, contested


def found(case: Case, recorded: Mapping[str, datetime]) -> Fact:
    """The case as a fact. It is known since the last of its events was recorded (`recorded`, by event id)."""
    data = contested(case.case_id, case.kind, case.sale_id, case.b.event_id if case.b else None)
    known = max(recorded[event] for event in case.events)
    return Fact(case.case_id, "ConflictDetected", case.at, known, case.client, None, data)


def ruled(case: Case, outcome: str, at: datetime) -> Fact:
    """The decision as a fact."""
    lead = Lead(case.lead.offer_id, case.lead.need_id, case.lead.rejected_at) if case.lead else None
    b = _seat(case.b) if case.b is not None else None
    data = Ruled(case.case_id, case.kind, outcome, case.line, _seat(case.a), b, case.sale_id, lead)
    return Fact(derived(case.case_id, "ruled"), "ConflictResolved", at, at, case.client, None, data)


def named(cases: Iterable[Case], kind: str, client: str) -> list[Case]:
    """The cases of a kind about a client, oldest first."""
    return [case for case in cases if case.kind == kind and case.client == client]


def _seat(claim: Claim) -> Seat:
    return Seat(claim.person, claim.role)
