"""conveyor.pay.v1: what happened in the pay office before compensation tells each sample."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from happened import Cases, Happened, client

from compensation import approval
from compensation.conflict import Case, Claim, LeadRejected
from compensation.office import adjustment, dispute, ledger, payout, resolution, sheet
from conveyor_events import Envelope, pay

WHO = "olga"


def activated(d: pay.PlanActivated, t: Envelope) -> Happened:
    drafted = approval.PlanDrafted(t.occurred_at, d.plan, d.version, d.role, d.currency, d.effective_from, "{}", WHO)
    event = approval.PlanApproved(t.occurred_at, d.plan, d.version, WHO)
    book = approval.PlanBook({d.version: approval.Written(drafted, approved=event)})
    return Happened("plan", event, book)


def closed(d: pay.PeriodClosed, t: Envelope) -> Happened:
    event = ledger.PeriodClosed(t.occurred_at, d.period, d.cutoff, d.statements, d.digest, d.previous)
    return Happened(ledger.CATEGORY, event, ledger.Ledger({d.period: event}))


def published(d: pay.StatementPublished, t: Envelope) -> Happened:
    totals = json.dumps([one.model_dump(mode="json") | {"lines": 3} for one in d.totals])
    frozen = sheet.StatementFrozen(t.occurred_at, d.period, d.person, "[]", totals, d.digest)
    return Happened(sheet.CATEGORY, sheet.Published(t.occurred_at, d.objection_until, WHO), sheet.Sheet(frozen))


def case(d: Any, t: Envelope, a: Claim, b: Claim | None) -> Case:
    lead = d.lead and LeadRejected(d.lead.offer_id, d.lead.need_id, d.lead.rejected_at, d.lead.rejection)
    events = tuple(getattr(d, "events", ()))
    return Case(d.case_id, d.kind, client(t), d.line, a, b, t.occurred_at, events, d.sale_id, lead=lead)


def detected(d: pay.ConflictDetected, t: Envelope) -> Happened:
    def claim(one: pay.Contender) -> Claim:
        return Claim(one.seat.person, one.seat.role, one.since, one.event_id)

    found = case(d, t, claim(d.a), claim(d.b) if d.b else None)
    event = resolution.Detected(t.occurred_at, found, d.since)
    return Happened(resolution.CATEGORY, event, resolution.Conflict(found))


def resolved(d: pay.ConflictResolved, t: Envelope) -> Happened:
    def claim(seat: Any) -> Claim:
        return Claim(seat.person, seat.role, t.occurred_at, "an event")

    event = resolution.Resolved(t.occurred_at, d.outcome, d.by, client(t), "never told")
    return Happened(
        resolution.CATEGORY, event, resolution.Conflict(case(d, t, claim(d.a), claim(d.b) if d.b else None))
    )


def posted(d: pay.AdjustmentPosted, t: Envelope) -> Happened:
    asked = adjustment.Asked(d.adjustment_id, d.person, d.amount, d.currency, d.reason, d.relates_to)
    proposed = adjustment.AdjustmentProposed(t.occurred_at, asked, d.asked_by, d.dispute_id)
    event = adjustment.AdjustmentPosted(t.occurred_at, d.approved_by)
    return Happened(adjustment.CATEGORY, event, adjustment.Adjustment(proposed, "posted"))


def decided(d: pay.DisputeResolved, t: Envelope) -> Happened:
    opened = dispute.DisputeOpened(t.occurred_at, d.dispute_id, d.person, d.period, (), (), t.occurred_at, "never told")
    amount = Decimal("75.50") if d.adjustment_id else None
    event = dispute.DisputeDecided(t.occurred_at, d.person, d.outcome, amount, "EUR", d.by, "never told")
    return Happened(dispute.CATEGORY, event, dispute.Dispute(opened))


def exported(d: pay.PayoutExported, t: Envelope) -> Happened:
    """Five statements in one currency; the digest of the sample is that of this very file."""
    amounts = {"ana": "1050.00", "boris": "1100.00", "clara": "2080.00", "dina": "1080.00", "egor": "1000.00"}
    rows = tuple(payout.PayoutRow(person, "EUR", Decimal(amount)) for person, amount in amounts.items())
    event = payout.Exported(t.occurred_at, d.run, d.period, tuple(amounts), rows, WHO)
    return Happened(payout.CATEGORY, event, payout.Payout(event))


CASES: Cases = {
    pay.PlanActivated: activated,
    pay.PeriodClosed: closed,
    pay.StatementPublished: published,
    pay.ConflictDetected: detected,
    pay.ConflictResolved: resolved,
    pay.AdjustmentPosted: posted,
    pay.DisputeResolved: decided,
    pay.PayoutExported: exported,
}
