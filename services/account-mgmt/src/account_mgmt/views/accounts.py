"""One row an account: who serves it, where it stands, and what falls due."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from sqlalchemy import Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from account_mgmt.account import (
    AccountAtRiskFlagged,
    AccountOpened,
    AccountReassigned,
    AccountRiskCleared,
    BecameRegular,
    ComplaintReceived,
    ComplaintResolved,
    CustomerChurned,
    CustomerLapsed,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    JourneyMigrated,
    MigrationNoted,
    PurchaseCounted,
    PurchaseNoted,
    SeatTaken,
    ServiceContactLogged,
    Status,
)
from account_mgmt.views.rows import INSTANT, TABLES, Row
from belt.io.store.projection import StreamView, version_columns

ACCOUNTS_TABLE = Table(
    "accounts",
    TABLES,
    Column("client_id", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("line", Text),
    Column("variant", Text),
    Column("sourced_by", Text),
    Column("converted_by", Text),
    Column("served_by", Text),  # null: the house
    Column("served_since", INSTANT),
    Column("purchases", Integer, nullable=False),  # those that count
    Column("last_purchase_at", INSTANT),
    Column("regular_since", INSTANT),
    Column("journey_id", Text),
    Column("risks", ARRAY(Text), nullable=False, server_default="{}"),  # causes; two complaints are there twice
    Column("at_risk_since", INSTANT),
    Column("lapse_due_at", INSTANT),
    Column("gone_at", INSTANT),  # lapsed or churned
    Column("open_complaints", Integer, nullable=False, server_default="0"),
    Column("last_contact_at", INSTANT),
    Column("next_contact_at", INSTANT),
    *version_columns(),
    Index("accounts_line", "line", "stage", "client_id"),
    Index("accounts_served_by", "served_by", "stage", "client_id"),
    Index("accounts_lapse", "served_by", "lapse_due_at", "client_id"),
    Index("accounts_contact", "served_by", "next_contact_at", "client_id"),
)


def account(row: Row | None, event: Event) -> Row | None:
    if isinstance(event, MigrationNoted):
        return row  # nothing to show yet
    kept = row or {"stage": Status.NONE.value, "purchases": 0, "risks": [], "open_complaints": 0}
    return {**kept, **_account(kept, event)}


def _account(row: Row, event: Event) -> Row:
    match event:
        case PurchaseNoted(client=client, sold_at=sold_at):
            last = row.get("last_purchase_at")
            latest = sold_at if last is None else max(last, sold_at)
            return {"client_id": client, "purchases": row["purchases"] + 1, "last_purchase_at": latest}
        case PurchaseCounted(counts=counts):
            return {"purchases": row["purchases"] + (1 if counts else -1)}
        case AccountOpened():
            return {
                "client_id": event.client,
                "stage": Status.AWAITING.value,
                "line": event.line,
                "variant": event.variant,
                "journey_id": event.journey,
                "sourced_by": event.sourced_by.person,
                "converted_by": event.converted_by.person,
            }
        case SeatTaken(holder=holder, since=since):
            stage = Status.BUYER.value if row["stage"] == Status.AWAITING.value else row["stage"]
            newest = row.get("served_since") is None or since >= row["served_since"]
            held = {"served_by": holder.person, "served_since": since} if newest else {}
            return {"stage": stage, **held}
        case AccountReassigned(at=at, holder=holder):
            newest = row.get("served_since") is None or at >= row["served_since"]
            return {"served_by": holder.person, "served_since": at} if newest else {}
        case MigrationNoted():
            return {}
        case JourneyMigrated(variant=variant):
            return {"variant": variant}
        case ServiceContactLogged(at=at, next_at=next_at):
            last = row.get("last_contact_at")
            newest = last is None or at >= last
            return {"last_contact_at": at, "next_contact_at": next_at} if newest else {}
        case ComplaintReceived():
            return {"open_complaints": row["open_complaints"] + 1}
        case ComplaintResolved():
            return {"open_complaints": row["open_complaints"] - 1}
        case _:
            return _stands(row, event)


def _stands(
    row: Row,
    event: DeadlinesStamped
    | BecameRegular
    | AccountAtRiskFlagged
    | AccountRiskCleared
    | CustomerLapsed
    | CustomerChurned
    | CustomerReturned,
) -> Row:
    at_ease = Status.BUYER if row.get("regular_since") is None else Status.REGULAR
    match event:
        case DeadlinesStamped(lapse_due_at=lapse):
            return {"lapse_due_at": lapse}
        case BecameRegular(since=since):
            return {"stage": Status.REGULAR.value, "regular_since": since}
        case AccountAtRiskFlagged(at=at, cause=cause):
            since = row.get("at_risk_since") or at
            return {"stage": Status.AT_RISK.value, "risks": [*row["risks"], cause.value], "at_risk_since": since}
        case AccountRiskCleared(cause=cause):
            left = list(row["risks"])
            left.remove(cause.value)
            eased = {} if left else {"stage": at_ease.value, "at_risk_since": None}
            return {"risks": left, **eased}
        case CustomerLapsed(at=at):
            return _gone(Status.LAPSED, at)
        case CustomerChurned(at=at):
            return _gone(Status.CHURNED, at)
        case CustomerReturned(again=again):
            if not again:
                return {"stage": at_ease.value, "gone_at": None}
            return {
                "stage": Status.BUYER.value,
                "gone_at": None,
                "regular_since": None,
                "journey_id": event.journey,
                "variant": event.variant,
            }
        case _:
            assert_never(event)


def _gone(status: Status, at: datetime) -> Row:
    return {"stage": status.value, "gone_at": at, "risks": [], "at_risk_since": None, "lapse_due_at": None}


ACCOUNTS = StreamView(ACCOUNTS_TABLE, shape=2, fold=account)
