"""Who may see and do what at this station: one question, `authorize(reader, action, thing, roster, now)`.

The scopes of a token open the door; behind it every door and list asks here. Being forbidden looks like not being there
(404). Whoever sees an account may ask to work on it: in which seat, if any, the stream decides (403, `…not-yours`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from account_mgmt.account import HERE, Account, Status
from account_mgmt.offer import Offer
from account_mgmt.papers.survey import Survey
from account_mgmt.sale import SaleBook
from belt.core.subject import Subject
from conveyor_events.nearness import Matter, Near, nearness
from conveyor_events.roster import Roster
from conveyor_events.words import HOUSE

Action = Literal["see", "work", "know", "take"]
"""see: that it is there, how far it is, and for how much. work: send a command. know: who spoke, and what was said.
take: a self-test, and look at what came of it."""


@dataclass(frozen=True)
class Attempts:
    """The self-tests of one person: theirs alone, whatever anybody manages or may do for others."""

    person: str


Thing = Matter | Attempts


def authorize(reader: Subject, action: Action, thing: Thing, roster: Roster, now: datetime) -> bool:
    """Whether the reader may do this with that."""
    match action, thing:
        case "see" | "work", Matter():
            return nearness(reader.person, reader.scopes, thing, roster, now) >= Near.PEER
        case "know", Matter():
            return reader.may("pii:read") and nearness(reader.person, reader.scopes, thing, roster, now) is Near.OWN
        case "take", Attempts(person):
            return reader.person == person
        case _:
            return False


def of_account(account: Account, roster: Roster, now: datetime) -> Matter | None:
    """Who found the client, who sold to it first, who serves it. Whom the house serves is the whole team's."""
    if account.status is Status.NONE:
        return None
    holder = account.holder_at(now).person
    people = {account.sourced_by.person, account.converted_by.person, holder}
    if holder == HOUSE:
        people |= set(roster.members(account.line, HERE, now))
    return Matter(account.line, frozenset(people))


def of_offer(offer: Offer, account: Account, roster: Roster, now: datetime) -> Matter | None:
    """Whose the account is, and who is asked; in the queue it is the whole team's."""
    about, asked = offer.received, offer.handover.to
    if about is None:
        return None
    people = {about.sourced_by.person, about.converted_by.person} | _people(account, roster, now)
    people |= {asked.person} if asked is not None else set(roster.members(about.line, HERE, now))
    return Matter(about.line, frozenset(people))


def of_sale(book: SaleBook, account: Account, roster: Roster, now: datetime) -> Matter | None:
    """Whose the account is, and who is credited with the sale."""
    if book.recorded is None:
        return None
    sale = book.recorded.sale
    people = {sale.served_by.person} if sale.served_by is not None else set()
    return Matter(sale.line, frozenset(people | _people(account, roster, now)))


def of_survey(survey: Survey, account: Account, roster: Roster, now: datetime) -> Matter | None:
    """Whose the account is, and who asked the client."""
    about = survey.invited
    if about is None:
        return None
    return Matter(about.line, frozenset({about.by.person} | _people(account, roster, now)))


def _people(account: Account, roster: Roster, now: datetime) -> frozenset[str]:
    found = of_account(account, roster, now)
    return found.people if found is not None else frozenset()


ASKED: Mapping[str, tuple[str, str]] = {
    # door: what is asked, of which kind of thing. company: the scopes alone decide.
    "GET /v1/offers": ("see", "offers"),
    "GET /v1/offers/{offer}": ("see", "offer"),
    "POST /v1/offers/{offer}/accept": ("work", "offer"),
    "POST /v1/offers/{offer}/reject": ("work", "offer"),
    "GET /v1/accounts": ("see", "accounts"),
    "GET /v1/accounts/{client}": ("see", "account"),
    "POST /v1/accounts/{client}/contacts": ("work", "account"),
    "GET /v1/accounts/{client}/contacts": ("see", "account"),
    "POST /v1/accounts/{client}/complaints": ("work", "account"),
    "POST /v1/accounts/{client}/complaints/{complaint}/resolve": ("work", "account"),
    "GET /v1/accounts/{client}/complaints": ("see", "account"),
    "POST /v1/accounts/{client}/clear-risk": ("work", "account"),
    "POST /v1/accounts/{client}/left": ("work", "account"),
    "POST /v1/accounts/{client}/reassign": ("work", "account"),
    "POST /v1/accounts/{client}/repeat-sales": ("work", "account"),
    "POST /v1/repeat-sales/bulk": ("work", "account"),
    "GET /v1/sales": ("see", "sales"),
    "GET /v1/sales/{sale}": ("see", "sale"),
    "POST /v1/sales/{sale}/payments": ("work", "sale"),
    "POST /v1/sales/{sale}/refunds": ("work", "sale"),
    "GET /v1/self-tests": ("-", "company"),
    "GET /v1/self-tests/{test}": ("-", "company"),
    "POST /v1/self-tests/{test}/attempts": ("take", "attempts"),
    "GET /v1/self-test-attempts": ("take", "attempts"),
    "GET /v1/self-test-attempts/{attempt}": ("take", "attempts"),
    "GET /v1/self-test-profile": ("take", "attempts"),
    "GET /v1/questionnaire": ("-", "company"),
    "POST /v1/accounts/{client}/surveys": ("work", "account"),
    "POST /v1/surveys/{survey}/consent": ("work", "survey"),
    "POST /v1/surveys/{survey}/answers": ("work", "survey"),
    "GET /v1/surveys": ("see", "surveys"),
    "GET /v1/surveys/{survey}": ("see", "survey"),
    "GET /v1/accounts/{client}/surveys": ("see", "account"),
    "GET /v1/waiting": ("-", "company"),
}
