"""The stream of one person's statement of one closed month: draft → published → acknowledged | disputed → final → paid.
A disputed one is settled once every dispute is decided.

Its lines are frozen with the close and never change. Whoever is silent until `objection_until` agrees.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from belt.core.decider import Public, Refused
from conveyor_events.pay import Payable, StatementPublished

CATEGORY = "statement"


def key(period: str, person: str) -> str:
    """The stream's id."""
    return f"{period}:{person}"


@dataclass(frozen=True)
class Freeze:
    """`lines` and `totals` as JSON text; `digest` over both."""

    period: str
    person: str
    lines: str
    totals: str
    digest: str
    at: datetime


@dataclass(frozen=True)
class Publish:
    objection_until: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class Acknowledge:
    by: str
    at: datetime


@dataclass(frozen=True)
class Contest:
    dispute_id: str
    at: datetime


@dataclass(frozen=True)
class Settle:
    dispute_id: str
    at: datetime


@dataclass(frozen=True)
class Finalize:
    by: str
    at: datetime


@dataclass(frozen=True)
class Pay:
    run_id: str
    at: datetime


@dataclass(frozen=True)
class Nobody:
    """Nothing is to be done for anybody. It is a command all the same: its key gets the same answer again."""


Command = Freeze | Publish | Acknowledge | Contest | Settle | Finalize | Pay | Nobody


@dataclass(frozen=True)
class StatementFrozen:
    at: datetime
    period: str
    person: str
    lines: str
    totals: str
    digest: str


@dataclass(frozen=True)
class Published:
    at: datetime
    objection_until: datetime
    by: str


@dataclass(frozen=True)
class Acknowledged:
    at: datetime
    by: str


@dataclass(frozen=True)
class StatementDisputed:
    at: datetime
    dispute_id: str


@dataclass(frozen=True)
class StatementSettled:
    at: datetime
    dispute_id: str


@dataclass(frozen=True)
class Finalized:
    at: datetime
    by: str


@dataclass(frozen=True)
class StatementPaid:
    at: datetime
    run_id: str


Event = StatementFrozen | Published | Acknowledged | StatementDisputed | StatementSettled | Finalized | StatementPaid
EVENTS = (
    StatementFrozen, Published, Acknowledged, StatementDisputed, StatementSettled, Finalized, StatementPaid
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    frozen: StatementFrozen | None = None
    stage: str = "none"
    objection_until: datetime | None = None
    disputes: frozenset[str] = frozenset()
    run_id: str | None = None


def decide(command: Command, sheet: Sheet) -> Sequence[Event]:
    c = command
    if isinstance(c, Freeze):
        return _freeze(c, sheet)
    if isinstance(c, Nobody):
        return []
    if sheet.frozen is None:
        raise Refused("statement.unknown")
    match c:
        case Publish():
            return [Published(c.at, c.objection_until, c.by)] if sheet.stage == "draft" else []
        case Acknowledge():
            return _acknowledge(c, sheet, sheet.frozen.person)
        case Contest():
            return _contest(c, sheet)
        case Settle():
            return [StatementSettled(c.at, c.dispute_id)] if c.dispute_id in sheet.disputes else []
        case Finalize():
            return _finalize(c, sheet)
        case Pay():
            if sheet.stage != "final":
                raise Refused("statement.wrong-stage", stage=sheet.stage)
            return [StatementPaid(c.at, c.run_id)]
        case _:
            assert_never(c)


def _freeze(c: Freeze, sheet: Sheet) -> Sequence[Event]:
    """Frozen again only before anybody has seen it: a close that was interrupted begins anew."""
    if sheet.frozen is not None and sheet.frozen.digest == c.digest:
        return []
    if sheet.stage not in ("none", "draft"):
        raise Refused("statement.wrong-stage", stage=sheet.stage)
    return [StatementFrozen(c.at, c.period, c.person, c.lines, c.totals, c.digest)]


def _acknowledge(c: Acknowledge, sheet: Sheet, person: str) -> Sequence[Event]:
    if c.by != person:
        raise Refused("statement.unknown")
    if sheet.stage in ("acknowledged", "final", "paid"):
        return []
    if sheet.stage != "published":
        raise Refused("statement.wrong-stage", stage=sheet.stage)
    return [Acknowledged(c.at, c.by)]


def _contest(c: Contest, sheet: Sheet) -> Sequence[Event]:
    if c.dispute_id in sheet.disputes:
        return []
    if sheet.stage not in ("published", "acknowledged", "disputed", "settled"):
        raise Refused("statement.wrong-stage", stage=sheet.stage)
    if sheet.objection_until is not None and c.at >= sheet.objection_until:
        raise Refused("statement.objection-over", until=sheet.objection_until.isoformat())
    return [StatementDisputed(c.at, c.dispute_id)]


def _finalize(c: Finalize, sheet: Sheet) -> Sequence[Event]:
    if sheet.stage in ("final", "paid"):
        return []
    if sheet.disputes:
        raise Refused("statement.disputed", disputes=sorted(sheet.disputes))
    silent = sheet.objection_until is not None and c.at >= sheet.objection_until
    if sheet.stage in ("acknowledged", "settled") or (sheet.stage == "published" and silent):
        return [Finalized(c.at, c.by)]
    until = sheet.objection_until.isoformat() if sheet.objection_until else None
    raise Refused("statement.wrong-stage", stage=sheet.stage, objection_until=until)


def evolve(sheet: Sheet, event: Event) -> Sheet:
    match event:
        case StatementFrozen():
            return Sheet(event, "draft")
        case Published():
            return replace(sheet, stage="published", objection_until=event.objection_until)
        case Acknowledged():
            return replace(sheet, stage="acknowledged")
        case StatementDisputed():
            return replace(sheet, stage="disputed", disputes=sheet.disputes | {event.dispute_id})
        case StatementSettled():
            left = sheet.disputes - {event.dispute_id}
            return replace(sheet, disputes=left, stage="disputed" if left else "settled")
        case Finalized():
            return replace(sheet, stage="final")
        case StatementPaid():
            return replace(sheet, stage="paid", run_id=event.run_id)
        case _:
            assert_never(event)


def publish(event: Event, sheet: Sheet) -> Sequence[Public]:
    if not isinstance(event, Published) or sheet.frozen is None:
        return []
    frozen = sheet.frozen
    told = StatementPublished(
        person=frozen.person,
        period=frozen.period,
        totals=[Payable(currency=t["currency"], payable=t["payable"]) for t in json.loads(frozen.totals)],
        digest=frozen.digest,
        objection_until=event.objection_until,
    )
    return [Public(told, event.at, frozen.person)]
