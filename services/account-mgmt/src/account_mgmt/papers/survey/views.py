"""Read model: one row a survey, with what it came to. Who was asked and what they answered is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from account_mgmt.papers.survey.events import (
    Answered,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Event,
    Expired,
    Invited,
)
from account_mgmt.papers.survey.score import Result
from account_mgmt.papers.survey.state import Stage
from belt.io.store.projection import StreamView, version_columns

Row = Mapping[str, Any]
INSTANT = DateTime(timezone=True)

SURVEYS_TABLE = Table(
    "surveys",
    MetaData(),
    Column("survey_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("survey_version", Integer, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("invited_at", INSTANT, nullable=False),
    Column("valid_until", INSTANT, nullable=False),
    Column("answered_at", INSTANT),
    Column("answered", Integer),
    Column("total", Numeric),
    Column("gaps", JSONB),
    Column("recommend", Integer),
    Column("alert", Boolean),
    Column("alerts", JSONB),
    *version_columns(),
    Index("surveys_client", "client_id", "survey_id"),
    Index("surveys_line", "line", "stage", "survey_id"),
    Index("surveys_answered", "client_id", "answered_at"),
)

NOTHING: Row = dict.fromkeys(("answered_at", "answered", "total", "gaps", "recommend", "alert", "alerts"))


def survey(row: Row | None, event: Event) -> Row | None:
    if isinstance(event, Invited):
        return {
            "survey_id": event.survey_id,
            "client_id": event.client,
            "line": event.line,
            "stage": Stage.INVITED.value,
            "survey_version": event.survey_version,
            "asked_by": event.by.person,
            "invited_at": event.at,
            "valid_until": event.valid_until,
            **NOTHING,
        }
    return None if row is None else {**row, **_moved(event)}


def _moved(event: Event) -> Row:
    match event:
        case ConsentGiven():
            return {"stage": Stage.AGREED.value}
        case ConsentRefused():
            return {"stage": Stage.DECLINED.value, **NOTHING}
        case ConsentWithdrawn():
            return {"stage": Stage.WITHDRAWN.value, **NOTHING}
        case Answered(at=at, result=result):
            return {"stage": Stage.ANSWERED.value, "answered_at": at, **_result(result)}
        case Expired():
            return {"stage": Stage.EXPIRED.value}
        case _:
            return {}


def _result(result: Result) -> Row:
    gaps = [{"group": one.group, "weight": one.weight, "gap": one.gap} for one in result.gaps]
    return {
        "answered": result.answered,
        "total": result.total,
        "gaps": gaps,
        "recommend": result.recommend,
        "alert": result.alert,
        "alerts": list(result.alerts),
    }


SURVEYS = StreamView(SURVEYS_TABLE, shape=1, fold=survey)
