"""What callers get: the names that lead on, and the rest as the fold gives it."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from compensation.api.shown import Shown
from conveyor_events.words import Instant


class Reply(Shown):
    """`version` is that of the stream that was changed, as in the ETag."""

    version: int


class Total(Shown):
    currency: str
    payable: str


class AssignmentReply(Reply):
    person: str
    plan: str
    role: str
    line: str | None
    since: date
    until: date | None


class PlanReply(Reply):
    plan: str
    number: int
    stage: str


class LintReply(PlanReply):
    variant: str | None
    findings: list[dict[str, Any]]


class RateReply(Reply):
    rate_id: str | None
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    on: date
    rate: str


class CaseReply(Reply):
    case_id: str
    stage: str
    until: Instant | None
    outcome: str | None


class SheetReply(Reply):
    person: str
    period: str
    stage: str


class ClosingReply(Reply):
    period: str
    stage: str
    cutoff: Instant


class SheetsReply(Reply):
    """`published` or `final`: how many there were now; `left`: how many remain, so ask again."""

    period: str
    left: int


class DisputeReply(Reply):
    dispute_id: str
    stage: str
    respond_by: str | None


class AdjustmentReply(Reply):
    adjustment_id: str
    stage: str


class PayoutReply(Reply):
    run_id: str
    period: str
    statements: int
    left: int
    totals: list[Total]
    digest: str


class SimulationReply(Reply):
    simulation_id: str
    stage: str


class PlanRow(Shown):
    plan: str


class PlanList(Shown):
    items: list[PlanRow]
    next: str | None


class CaseShown(Shown):
    case_id: str
    kind: str


class CaseList(Shown):
    items: list[CaseShown]
    next: str | None


class SheetRow(Shown):
    person: str
    period: str
    stage: str


class SheetList(Shown):
    items: list[SheetRow]
    next: str | None


class PeriodRow(Shown):
    period: str
    stage: str
    digest: str


class PeriodList(Shown):
    """`closing`: the one that is being closed, with what it waits for."""

    items: list[PeriodRow]
    next: str | None
    closing: dict[str, Any] | None


class DisputeShown(Shown):
    dispute_id: str
    person: str
    period: str
    stage: str


class DisputeList(Shown):
    items: list[DisputeShown]
    next: str | None


class AdjustmentRow(Shown):
    adjustment_id: str
    person: str
    stage: str


class AdjustmentList(Shown):
    items: list[AdjustmentRow]
    next: str | None


class PayoutShown(Shown):
    run_id: str
    period: str
    digest: str


class PayoutList(Shown):
    items: list[PayoutShown]
    next: str | None


class SimulationShown(Shown):
    simulation_id: str
    stage: str


class SimulationList(Shown):
    items: list[SimulationShown]
    next: str | None


class StatementShown(Shown):
    person: str
    period: str
    stage: str
    lines: list[dict[str, Any]] | None = None


class Items(Shown):
    items: list[dict[str, Any]]
    next: str | None


class PeopleShown(Shown):
    """`people`: by person."""

    people: dict[str, dict[str, Any]]
    next: str | None


class PairList(Items):
    """Lines of one person, each beside the actual one."""

    person: str
