"""What the pay office looks things up in: one table for each of its streams."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from belt.io.store.projection import StreamView, version_columns
from compensation.line import payable_text
from compensation.office import adjustment, dispute, ledger, payout, resolution, sheet, simulation
from compensation.views import TABLES

Row = Mapping[str, Any]


def _table(name: str, key: str, *columns: Any) -> Table:
    return Table(name, TABLES, Column(key, Text, primary_key=True), *columns, *version_columns())


LEDGER = _table("ledger", "company", Column("closed", JSONB, nullable=False), Column("closing", JSONB))
STATEMENTS = _table(
    "statements",
    "statement",
    Column("period", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("totals", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("frozen_at", DateTime(timezone=True), nullable=False),
    Column("objection_until", DateTime(timezone=True)),
    Column("disputes", JSONB, nullable=False),
    Column("run_id", Text),
    Index("statements_of_person", "person", "period"),
    Index("statements_of_period", "period", "stage"),
)
CONFLICTS = _table(
    "conflicts",
    "case_id",
    Column("kind", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("claimed", JSONB, nullable=False),
    Column("outcome", Text),
    Column("resolved_by", Text),
    Column("resolved_at", DateTime(timezone=True)),
)
ADJUSTMENTS = _table(
    "adjustments",
    "adjustment_id",
    Column("person", Text, nullable=False),
    Column("amount", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("relates_to_period", Text),
    Column("stage", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("dispute_id", Text),
)
DISPUTES = _table(
    "disputes",
    "dispute_id",
    Column("person", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("stage", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("respond_by", DateTime(timezone=True), nullable=False),
    Column("overdue", JSONB, nullable=False),
    Column("outcome", Text),
    Column("amount", Text),
    Column("currency", Text),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Index("disputes_of_person", "person"),
)
PAYOUTS = _table(
    "payouts",
    "run_id",
    Column("period", Text, nullable=False),
    Column("people", JSONB, nullable=False),
    Column("rows", JSONB, nullable=False),
    Column("totals", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("exported_at", DateTime(timezone=True), nullable=False),
)

WAITS = Table(
    "closing_waits",
    TABLES,
    Column("period", Text, primary_key=True),
    Column("reasons", JSONB, nullable=False),
    Column("looked_at", DateTime(timezone=True), nullable=False),
)
"""What a close waits for, as the clerk saw it last."""


SIMULATIONS = _table(
    "simulations",
    "simulation_id",
    Column("stage", Text, nullable=False),
    Column("scenario", JSONB, nullable=False),
    Column("documents", JSONB, nullable=False),
    Column("by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("result", JSONB),
    Column("ledger", JSONB),
    Column("reason", Text),
    Index("simulations_stage", "stage", "asked_at"),
)
PROGRESS = Table(
    "simulation_progress",
    TABLES,
    Column("simulation_id", Text, primary_key=True),
    Column("done", Integer, nullable=False),
    Column("people", Integer, nullable=False),
)
"""How far a running one is. Only for whoever watches: a simulation that is interrupted begins anew."""


def ledger_row(row: Row | None, event: ledger.Event) -> Row:
    closed = list(row["closed"]) if row is not None else []
    if isinstance(event, ledger.CloseBegun):
        return {"company": ledger.COMPANY, "closed": closed, "closing": asdict(event)}
    return {"company": ledger.COMPANY, "closed": [*closed, asdict(event)], "closing": None}


_STAGES: dict[type, str] = {
    sheet.Published: "published",
    sheet.Acknowledged: "acknowledged",
    sheet.StatementDisputed: "disputed",
    sheet.Finalized: "final",
    sheet.StatementPaid: "paid",
}


def statement_row(row: Row | None, event: sheet.Event) -> Row | None:
    if isinstance(event, sheet.StatementFrozen):
        return {
            "statement": sheet.key(event.period, event.person),
            "period": event.period,
            "person": event.person,
            "stage": "draft",
            "lines": json.loads(event.lines),
            "totals": json.loads(event.totals),
            "digest": event.digest,
            "frozen_at": event.at,
            "objection_until": None,
            "disputes": [],
            "run_id": None,
        }
    if row is None:
        return None
    changed = dict(row) | {"stage": _STAGES.get(type(event), row["stage"])}
    if isinstance(event, sheet.Published):
        changed["objection_until"] = event.objection_until
    elif isinstance(event, sheet.StatementDisputed):
        changed["disputes"] = [*row["disputes"], event.dispute_id]
    elif isinstance(event, sheet.StatementSettled):
        left = [one for one in row["disputes"] if one != event.dispute_id]
        changed |= {"disputes": left, "stage": "disputed" if left else "settled"}
    elif isinstance(event, sheet.StatementPaid):
        changed["run_id"] = event.run_id
    return changed


def conflict_row(row: Row | None, event: resolution.Event) -> Row | None:
    if isinstance(event, resolution.Detected):
        about = {"case_id": event.case.case_id, "kind": event.case.kind, "client": event.case.client}
        if row is not None:
            return {**row, **about}
        nothing = {"until": None, "outcome": None, "resolved_by": None, "resolved_at": None}
        return {**about, "stage": "detected", "claimed": [], **nothing}
    if row is None:
        return None
    if isinstance(event, resolution.ClaimsInvited):
        return {**row, "stage": "claims_invited", "until": event.until}
    if isinstance(event, resolution.ClaimStated):
        return {**row, "claimed": sorted({*row["claimed"], event.by})}
    return {
        **row, "stage": "resolved", "outcome": event.outcome, "resolved_by": event.by, "resolved_at": event.at
    }  # fmt: skip


def adjustment_row(row: Row | None, event: adjustment.Event) -> Row | None:
    if isinstance(event, adjustment.AdjustmentProposed):
        asked = event.asked
        return {
            "adjustment_id": asked.adjustment_id,
            "person": asked.person,
            "amount": payable_text(asked.amount, asked.currency),
            "currency": asked.currency,
            "reason": asked.reason,
            "relates_to_period": asked.relates_to,
            "stage": "proposed",
            "proposed_by": event.by,
            "proposed_at": event.at,
            "decided_by": None,
            "decided_at": None,
            "dispute_id": event.dispute_id,
        }
    if row is None:
        return None
    stage = "posted" if isinstance(event, adjustment.AdjustmentPosted) else "rejected"
    return {**row, "stage": stage, "decided_by": event.by, "decided_at": event.at}


_DISPUTE_STAGES: dict[type, str] = {
    dispute.ReviewBegun: "in_review",
    dispute.InfoRequested: "info_requested",
    dispute.InfoGiven: "in_review",
    dispute.DisputeClosed: "closed",
}


def dispute_row(row: Row | None, event: dispute.Event) -> Row | None:
    if isinstance(event, dispute.DisputeOpened):
        return {
            "dispute_id": event.dispute_id,
            "person": event.person,
            "period": event.period,
            "lines": list(event.lines),
            "evidence": list(event.evidence),
            "stage": "opened",
            "opened_at": event.at,
            "respond_by": event.respond_by,
            "overdue": False,
            "outcome": None,
            "amount": None,
            "currency": None,
            "decided_by": None,
            "decided_at": None,
        }
    if row is None:
        return None
    changed = dict(row) | {"stage": _DISPUTE_STAGES.get(type(event), row["stage"])}
    if isinstance(event, dispute.InfoGiven):
        changed["evidence"] = [*row["evidence"], *event.evidence]
    elif isinstance(event, dispute.AnswerOverdue):
        changed["overdue"] = True
    elif isinstance(event, dispute.DisputeDecided):
        amount = payable_text(event.amount, event.currency) if event.amount and event.currency else None
        changed |= {"stage": event.outcome, "outcome": event.outcome, "amount": amount, "currency": event.currency}
        changed |= {"decided_by": event.by, "decided_at": event.at}
    return changed


def payout_row(_row: Row | None, event: payout.Exported) -> Row:
    return {
        "run_id": event.run_id,
        "period": event.period,
        "people": list(event.people),
        "rows": [
            {"person": r.person, "currency": r.currency, "amount": payable_text(r.amount, r.currency)}
            for r in event.rows
        ],
        "totals": [{"currency": c, "payable": payable_text(a, c)} for c, a in payout.totals(event.rows).items()],
        "digest": payout.digest(event),
        "by": event.by,
        "exported_at": event.at,
    }


def simulation_row(row: Row | None, event: simulation.Event) -> Row | None:
    if isinstance(event, simulation.SimulationAsked):
        return {
            "simulation_id": event.simulation_id,
            "stage": "queued",
            "scenario": json.loads(event.scenario),
            "documents": list(event.documents),
            "by": event.by,
            "asked_at": event.at,
            "ended_at": None,
            "result": None,
            "ledger": None,
            "reason": None,
        }
    if row is None:
        return None
    ended = {**row, "ended_at": event.at}
    match event:
        case simulation.SimulationDone():
            return {**ended, "stage": "done", "result": json.loads(event.result), "ledger": list(event.ledger)}
        case simulation.SimulationCancelled():
            return {**ended, "stage": "cancelled"}
        case simulation.SimulationFailed():
            return {**ended, "stage": "failed", "reason": event.reason}


LEDGER_VIEW = StreamView(LEDGER, shape=1, fold=ledger_row)
STATEMENT_VIEW = StreamView(STATEMENTS, shape=1, fold=statement_row)
CONFLICT_VIEW = StreamView(CONFLICTS, shape=1, fold=conflict_row)
ADJUSTMENT_VIEW = StreamView(ADJUSTMENTS, shape=1, fold=adjustment_row)
DISPUTE_VIEW = StreamView(DISPUTES, shape=1, fold=dispute_row)
PAYOUT_VIEW = StreamView(PAYOUTS, shape=1, fold=payout_row)
SIMULATION_VIEW = StreamView(SIMULATIONS, shape=1, fold=simulation_row)
VIEWS = (LEDGER_VIEW, STATEMENT_VIEW, CONFLICT_VIEW, ADJUSTMENT_VIEW, DISPUTE_VIEW, PAYOUT_VIEW, SIMULATION_VIEW)
