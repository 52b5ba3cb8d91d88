"""What compensation keeps to look things up in: plans, assignments, and every public event it took in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from belt.io.store.projection import StreamView, version_columns
from compensation.approval import PlanApproved, PlanDrafted, PlanLinted
from compensation.assignment import Assigned
from compensation.exchange import RateRecorded, pair
from conveyor_events.money import plain

TABLES = MetaData()

PLANS = Table(
    "plans",
    TABLES,
    Column("plan", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("versions", JSONB, nullable=False),
    *version_columns(),
)

ASSIGNMENTS = Table(
    "assignments",
    TABLES,
    Column("person", Text, primary_key=True),
    Column("entries", JSONB, nullable=False),
    *version_columns(),
)

RATES = Table(
    "rates",
    TABLES,
    Column("pair", Text, primary_key=True),
    Column("entries", JSONB, nullable=False),
    *version_columns(),
)

FACTS = Table(
    "facts",
    TABLES,
    Column("taken", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", UUID, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("client_id", Text),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("envelope", Text, nullable=False),
    Index("facts_of_client", "client_id", "occurred_at"),
)
"""`taken` is given under a lock, so whoever reads above a number misses nothing."""

PARTIES = Table(
    "parties",
    TABLES,
    Column("person", Text(collation="C"), primary_key=True),  # in the order in which people are listed
    Column("client_id", Text, primary_key=True),
)
"""Who is named in a fact of which client: the facts that a person's statements are reckoned from."""

KINDS = Table(
    "kinds",
    TABLES,
    Column("type", Text, primary_key=True),
    Column("schema", Integer, primary_key=True),
)
"""The types and versions of the facts that are here: whether there is one that this release cannot read."""

Row = Mapping[str, Any]


def plan_row(row: Row | None, event: PlanDrafted | PlanLinted | PlanApproved) -> Row | None:
    """One row a plan; `versions` is a list in the order of their numbers."""
    versions = list(row["versions"]) if row is not None else []
    if isinstance(event, PlanDrafted):
        written = {
            "version": event.number,
            "stage": "draft",
            "document": event.document,
            "drafted_by": event.by,
            "drafted_at": event.at,
            "effective_from": event.effective_from,
        }
        versions[event.number - 1 :] = [written, *versions[event.number :]]
        return {"plan": event.plan, "role": event.role, "currency": event.currency, "versions": versions}
    if row is None:
        return None
    if isinstance(event, PlanLinted):
        found = {"stage": "linted", "findings": [asdict(finding) for finding in event.findings], "linted_at": event.at}
        return {**row, "versions": [v | found if v["version"] == event.number else v for v in versions]}
    approval = {"stage": "approved", "approved_by": event.by, "approved_at": event.at}
    changed = [v | approval if v["version"] == event.number else v for v in versions]
    return {**row, "versions": changed}


def assignment_row(row: Row | None, event: Assigned) -> Row:
    """One row a person; every record is kept, so that one can ask what was known when."""
    entry = {
        "plan": event.plan,
        "role": event.role,
        "line": event.line,
        "since": event.since,
        "until": event.until,
        "by": event.by,
        "recorded_at": event.at,
    }
    return {"person": event.person, "entries": [*(row["entries"] if row is not None else []), entry]}


def rate_row(row: Row | None, event: RateRecorded) -> Row:
    """One row a pair of currencies; every record is kept."""
    entry = {
        "rate_id": event.rate_id,
        "from": event.source,
        "to": event.target,
        "on": event.day,
        "rate": plain(event.rate),
        "by": event.by,
        "recorded_at": event.at,
    }
    entries = row["entries"] if row is not None else []
    return {"pair": pair(event.source, event.target), "entries": [*entries, entry]}


PLAN_VIEW = StreamView(PLANS, shape=2, fold=plan_row)
ASSIGNMENT_VIEW = StreamView(ASSIGNMENTS, shape=1, fold=assignment_row)
RATE_VIEW = StreamView(RATES, shape=1, fold=rate_row)
