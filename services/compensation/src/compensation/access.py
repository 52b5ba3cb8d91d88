"""Who sees what of pay: one question, `authorize(reader, action, thing, teams, now)`, asked by every door and list.

Who holds `pay:read:all` or `pay:audit` sees everything. `pay:read:own` opens what is one's own. `pay:read:team` opens
the pay of the members of the lines that one manages today, for the months in which they were members; a month is shown
whole. `pay:read:totals` opens sums, never lines. Being forbidden looks like not being there (404).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from belt.core.subject import Subject
from compensation.months import Month
from compensation.plan import Assignment
from compensation.teams import Teams
from conveyor_events import HOUSE

Action = Literal["sums", "lines", "deed", "follow", "terms", "answer"]
"""sums: of a person's month. lines: with their reasons. deed: what somebody did, by name and amount, where pay is
explained. follow: the same in a client's journey, which is more than pay. terms: the plan of an assignment. answer:
agree, object or claim: the person alone, or who acts for others."""


@dataclass(frozen=True, slots=True)
class Reader(Subject):
    """Who is asking, by the token."""

    @property
    def everything(self) -> bool:
        return self.may("pay:read:all") or self.audits

    @property
    def audits(self) -> bool:
        """Whether it is only as an auditor that everything is seen."""
        return self.may("pay:audit") and not self.may("pay:read:all")


@dataclass(frozen=True, slots=True)
class Pay:
    """A person's month."""

    person: str
    month: Month


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person did at an instant."""

    person: str
    at: datetime


Thing = Pay | Deed | Assignment


def authorize(reader: Reader, action: Action, thing: Thing, teams: Teams, now: datetime) -> bool:
    """Whether the reader may do this with that."""
    if action == "answer":
        return reader.may("act_for") or (reader.may("pay:read:own") and reader.person == thing.person)
    if reader.everything:
        return True
    match action, thing:
        case "sums", Pay():
            return reader.may("pay:read:totals") or _own_or_led(reader, thing, teams, now)
        case "lines", Pay():
            return _own_or_led(reader, thing, teams, now)
        case "deed", Deed():
            return thing.person == HOUSE or _own_or_led(reader, thing, teams, now)
        case "follow", Deed():
            mine = reader.may("events:read") or thing.person in (reader.person, HOUSE)
            return mine or _own_or_led(reader, thing, teams, now)
        case "terms", Assignment():
            writes = reader.may("plans:write") or reader.may("plans:approve")
            return writes or _own_or_led(reader, thing, teams, now)
        case _:
            return False


def _own_or_led(reader: Reader, thing: Thing, teams: Teams, now: datetime) -> bool:
    if reader.may("pay:read:own") and thing.person == reader.person:
        return True
    if not reader.may("pay:read:team"):
        return False
    return bool(teams.led(reader.person, now) & _lines_of(thing, teams))


def _lines_of(thing: Thing, teams: Teams) -> frozenset[str]:
    """The lines in whose teams the person was when it counts."""
    match thing:
        case Pay(person, month):
            return teams.member_in(person, month)
        case Deed(person, at):
            return teams.member(person, at)
        case Assignment():
            return teams.member_between(thing.person, thing.since, thing.until)


ASKED: Mapping[str, tuple[str, str]] = {
    # door: what is asked, of which kind of thing. company: the office's own, the scopes alone decide.
    "POST /v1/assignments": ("-", "company"),
    "POST /v1/plans": ("-", "company"),
    "POST /v1/plans/{plan}/versions/{number}/lint": ("-", "company"),
    "POST /v1/plans/{plan}/versions/{number}/approve": ("-", "company"),
    "GET /v1/plans": ("terms", "plans"),
    "POST /v1/fx-rates": ("-", "company"),
    "POST /v1/fx-rates/bulk": ("-", "company"),
    "GET /v1/fx-rates": ("-", "company"),
    "POST /v1/conflicts/{case_id}/invite": ("-", "company"),
    "POST /v1/conflicts/{case_id}/claims": ("answer", "conflict"),
    "POST /v1/conflicts/{case_id}/resolve": ("-", "company"),
    "GET /v1/conflicts": ("deed", "conflicts"),
    "GET /v1/conflicts/{case_id}": ("deed", "conflict"),
    "GET /v1/statements/{person}/{period}.pdf": ("sums", "statement"),
    "GET /v1/statements/{person}/{period}.csv": ("sums", "statement"),
    "GET /v1/statements/{person}/{period}": ("sums", "statement"),
    "GET /v1/lines/{line_id}": ("lines", "line of a statement"),
    "GET /v1/earnings": ("lines", "statements"),
    "POST /v1/statements/{person}/{period}/acknowledge": ("answer", "statement"),
    "POST /v1/statements/{person}/{period}/finalize": ("-", "company"),
    "GET /v1/statements": ("sums", "statements"),
    "POST /v1/periods/{period}/publish": ("-", "company"),
    "POST /v1/periods/{period}/finalize": ("-", "company"),
    "GET /v1/verification": ("-", "company"),
    "GET /v1/periods": ("-", "company"),
    "POST /v1/periods/{period}/close": ("-", "company"),
    "POST /v1/disputes/{dispute_id}/review": ("-", "company"),
    "POST /v1/disputes/{dispute_id}/ask": ("-", "company"),
    "POST /v1/disputes/{dispute_id}/decide": ("-", "company"),
    "POST /v1/disputes/{dispute_id}/close": ("-", "company"),
    "GET /v1/disputes": ("lines", "disputes"),
    "GET /v1/disputes/{dispute_id}": ("lines", "dispute"),
    "POST /v1/disputes": ("answer", "statement"),
    "POST /v1/disputes/{dispute_id}/answer": ("answer", "dispute"),
    "POST /v1/adjustments": ("-", "company"),
    "POST /v1/adjustments/{adjustment_id}/approve": ("-", "company"),
    "POST /v1/adjustments/{adjustment_id}/reject": ("-", "company"),
    "GET /v1/adjustments": ("-", "company"),
    "POST /v1/payouts": ("-", "company"),
    "GET /v1/payouts": ("-", "company"),
    "GET /v1/payouts/{run_id}": ("-", "company"),
    "GET /v1/payouts/{run_id}/file": ("-", "company"),
    "POST /v1/simulations": ("-", "company"),
    "POST /v1/simulations/{simulation_id}/cancel": ("-", "company"),
    "GET /v1/simulations": ("-", "company"),
    "GET /v1/simulations/{simulation_id}": ("-", "company"),
    "GET /v1/simulations/{simulation_id}/people/{person}": ("-", "company"),
    "GET /v1/people": ("sums", "people"),
    "GET /v1/journeys/{client}": ("follow", "journey"),
}
