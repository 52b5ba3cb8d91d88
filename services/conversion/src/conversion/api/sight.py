"""What this station's doors ask for: `access.authorize`, with what it is asked of found among the streams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Table
from starlette.requests import Request

from belt.io.http.desk import Desk
from belt.io.http.sight import Sight, Sights
from belt.io.store.unit import Guard, Reads
from conversion import access
from conversion.deal import CATEGORY as DEAL
from conversion.offer import CATEGORY as OFFER
from conversion.opportunity import CATEGORY as OPPORTUNITY
from conversion.papers import meeting_plan, negotiation_plan
from conversion.roster import READ
from conversion.views import DEALS_TABLE, OFFERS_TABLE, OPPORTUNITIES_TABLE
from conveyor_events.nearness import Matter
from conveyor_events.roster import Roster

Find = Callable[[Reads, datetime], Matter | None]
PEOPLE = {
    OFFERS_TABLE: ("sourced_by", "converted_by", "to_person"),
    OPPORTUNITIES_TABLE: ("sourced_by", "converted_by"),
    DEALS_TABLE: ("sourced_by", "converted_by", "account_to"),
}
"""The columns that name whose a row is: the same as in access.py, but for who shares a deal from another line."""


class Seen(Sights[access.Thing]):
    """The things of this station by name: guards for commands, sights for looking, conditions for lists."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, access.authorize, _roster)

    def offer(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _offer(name), "offer.unknown")

    def opportunity(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _opportunity(name), "opportunity.unknown")

    def deal(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _deal(name), "deal.unknown")

    def plan(self, request: Request, category: str, name: str) -> Guard:
        return self.guard(request, "work", _plan(category, name), UNKNOWN[category])

    async def of_offer(self, request: Request, name: str) -> Sight[Matter]:
        return await self.of(request, "see", _offer(name), "offer.unknown")

    async def of_opportunity(self, request: Request, name: str) -> Sight[Matter]:
        return await self.of(request, "see", _opportunity(name), "opportunity.unknown")

    async def of_deal(self, request: Request, name: str) -> Sight[Matter]:
        return await self.of(request, "see", _deal(name), "deal.unknown")

    async def of_plan(self, request: Request, category: str, name: str) -> Sight[Matter]:
        return await self.of(request, "see", _plan(category, name), UNKNOWN[category])

    async def rows(self, request: Request, table: Table) -> ColumnElement[bool]:
        return await self.among(request, table.c.line, *(table.c[name] for name in PEOPLE[table]))


UNKNOWN = {meeting_plan.CATEGORY: "meeting-plan.unknown", negotiation_plan.CATEGORY: "negotiation-plan.unknown"}


def _roster(read: Reads) -> Roster:
    known: Roster = read(*READ)
    return known


def _offer(name: str) -> Find:
    return lambda read, now: access.of_offer(read(OFFER, name), _roster(read), now)


def _opportunity(name: str) -> Find:
    return lambda read, _now: access.of_opportunity(read(OPPORTUNITY, name))


def _deal(name: str) -> Find:
    return lambda read, _now: access.of_deal(read(DEAL, name))


def _plan(category: str, name: str) -> Find:
    """A plan belongs to whom its opportunity belongs."""

    def find(read: Reads, _now: datetime) -> Matter | None:
        written: meeting_plan.MeetingPlan | negotiation_plan.NegotiationPlan = read(category, name)
        return access.of_opportunity(read(OPPORTUNITY, written.opportunity)) if written.opportunity else None

    return find
