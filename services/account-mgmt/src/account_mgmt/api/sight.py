"""What this station's doors ask for: `access.authorize`, with what it is asked of found among the streams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Table, or_, select
from starlette.requests import Request

from account_mgmt import access
from account_mgmt.account import CATEGORY as ACCOUNT
from account_mgmt.account import Account
from account_mgmt.offer import CATEGORY as OFFER
from account_mgmt.offer import Offer
from account_mgmt.papers.survey import CATEGORY as SURVEY
from account_mgmt.papers.survey import Survey
from account_mgmt.papers.survey.views import SURVEYS_TABLE
from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from account_mgmt.sale import CATEGORY as SALE
from account_mgmt.sale import SaleBook
from account_mgmt.views import ACCOUNTS_TABLE, OFFERS_TABLE, SALES_TABLE
from belt.io.http.desk import Desk
from belt.io.http.sight import Sight, Sights
from belt.io.store.unit import Guard, Reads
from conveyor_events.roster import Roster

Find = Callable[[Reads, datetime], access.Thing | None]
Shown = Sight[access.Thing]
SEATS = ("sourced_by", "converted_by", "served_by")
PEOPLE = {
    ACCOUNTS_TABLE: SEATS,
    OFFERS_TABLE: ("to_person", "served_by"),
    SALES_TABLE: ("served_by",),
    SURVEYS_TABLE: ("asked_by",),
}
"""The columns that name whose a row is; beside them stand the seats of its account: the same people as in access.py."""


class Seen(Sights[access.Thing]):
    """The things of this station by name: guards for commands, sights for looking, conditions for lists."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, access.authorize, _roster)

    def offer(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _offer(name), "offer.unknown")

    def account(self, request: Request, client: str) -> Guard:
        return self.guard(request, "work", _account(client), "account.unknown")

    def sale(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _sale(name), "sale.unknown")

    def survey(self, request: Request, name: str) -> Guard:
        return self.guard(request, "work", _survey(name), "survey.unknown")

    async def of_offer(self, request: Request, name: str) -> Shown:
        return await self.of(request, "see", _offer(name), "offer.unknown")

    async def of_account(self, request: Request, client: str) -> Shown:
        return await self.of(request, "see", _account(client), "account.unknown")

    async def of_sale(self, request: Request, name: str) -> Shown:
        return await self.of(request, "see", _sale(name), "sale.unknown")

    async def of_survey(self, request: Request, name: str) -> Shown:
        return await self.of(request, "see", _survey(name), "survey.unknown")

    def attempts(self, request: Request, person: str) -> Guard:
        return self.guard(request, "take", _attempts(person), "attempt.unknown")

    async def of_attempts(self, request: Request, person: str) -> Shown:
        return await self.of(request, "take", _attempts(person), "attempt.unknown")

    async def rows(self, request: Request, table: Table) -> ColumnElement[bool]:
        """Those of the lines near the subject, and of the accounts in which it has a seat."""
        people = [table.c[name] for name in PEOPLE[table]]
        person, of = self._desk.subject(request).person, ACCOUNTS_TABLE.c
        own = select(of.client_id).where(or_(*(of[name] == person for name in SEATS)))
        more = None if table is ACCOUNTS_TABLE else table.c.client_id.in_(own)
        return await self.among(request, table.c.line, *people, more=more)


def _roster(read: Reads) -> Roster:
    known: Roster = read(ROSTER, COMPANY)
    return known


def _account(client: str) -> Find:
    return lambda read, now: access.of_account(read(ACCOUNT, client), _roster(read), now)


def _offer(name: str) -> Find:
    def find(read: Reads, now: datetime) -> access.Thing | None:
        offer: Offer = read(OFFER, name)
        return access.of_offer(offer, _of(read, offer.received), _roster(read), now)

    return find


def _sale(name: str) -> Find:
    def find(read: Reads, now: datetime) -> access.Thing | None:
        book: SaleBook = read(SALE, name)
        return access.of_sale(book, _of(read, book.recorded), _roster(read), now)

    return find


def _survey(name: str) -> Find:
    def find(read: Reads, now: datetime) -> access.Thing | None:
        survey: Survey = read(SURVEY, name)
        return access.of_survey(survey, _of(read, survey.invited), _roster(read), now)

    return find


def _of(read: Reads, about: object) -> Account:
    """The account that something is about."""
    client = getattr(about, "client", None)
    found: Account = read(ACCOUNT, client) if client is not None else Account()
    return found


def _attempts(person: str) -> Find:
    return lambda _read, _now: access.Attempts(person)
