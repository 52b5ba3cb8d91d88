"""The stream of one pay plan: its versions from draft over lint to approval. What a plan says stands in `plan.py`.

An approved version never changes; a new one follows it from its effective date on. Nobody approves what they wrote.
All approved versions count their days in one zone: in another, sales of months long closed would fall into other ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import assert_never

from belt.core.decider import Public, Refused
from compensation.lint import Finding
from conveyor_events.pay import PlanActivated


@dataclass(frozen=True)
class Draft:
    """`document` is the plan as JSON text, read and found sound. `zone`: the company's."""

    plan: str
    number: int
    role: str
    currency: str
    effective_from: date
    document: str
    by: str
    at: datetime
    zone: str | None = None


@dataclass(frozen=True)
class Lint:
    """The version was looked at, beside the plans of the other roles: this was found."""

    plan: str
    number: int
    findings: tuple[Finding, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class Approve:
    """`findings`: what is found at this moment. One that blocks forbids it, whatever was found before.

    `closed_through`: the last day of the last closed month. `simulated`: whether a finished simulation has shown what
    this very document does. `zone`: the company's.
    """

    plan: str
    number: int
    by: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    closed_through: date | None = None
    simulated: bool = False
    zone: str | None = None


Command = Draft | Lint | Approve


@dataclass(frozen=True)
class PlanDrafted:
    at: datetime
    plan: str
    number: int
    role: str
    currency: str
    effective_from: date
    document: str
    by: str


@dataclass(frozen=True)
class PlanLinted:
    at: datetime
    plan: str
    number: int
    findings: tuple[Finding, ...]
    by: str


@dataclass(frozen=True)
class PlanApproved:
    at: datetime
    plan: str
    number: int
    by: str


Event = PlanDrafted | PlanLinted | PlanApproved
EVENTS = (PlanDrafted, PlanLinted, PlanApproved)


@dataclass(frozen=True)
class Written:
    """One version as it stands."""

    drafted: PlanDrafted
    linted: PlanLinted | None = None
    approved: PlanApproved | None = None

    @property
    def stage(self) -> str:
        return "approved" if self.approved else "linted" if self.linted else "draft"


@dataclass(frozen=True)
class PlanBook:
    """All versions of one plan, by number."""

    versions: Mapping[int, Written] = field(default_factory=dict)


def decide(command: Command, book: PlanBook) -> Sequence[Event]:
    known = book.versions.get(command.number)
    match command:
        case Draft():
            if known is not None and known.drafted.document == command.document:
                return []
            if known is not None and known.approved is not None:
                raise Refused("plan.version-approved", plan=command.plan, version=command.number)
            if known is None and command.number != len(book.versions) + 1:
                raise Refused("plan.version-not-next", plan=command.plan, next=len(book.versions) + 1)
            first = book.versions.get(1)
            if first is not None and first.drafted.role != command.role:
                raise Refused("plan.other-role", plan=command.plan, role=first.drafted.role)
            _keeps_zone(command, command.document, book)
            c = command
            return [
                PlanDrafted(c.at, c.plan, c.number, c.role, c.currency, c.effective_from, c.document, c.by),
            ]
        case Lint():
            written = _version(known, command)
            if written.approved is not None:
                raise Refused("plan.version-approved", plan=command.plan, version=command.number)
            return _linted(command, written)
        case Approve():
            return _approve(command, book, known)
        case _:
            assert_never(command)


def _approve(command: Approve, book: PlanBook, known: Written | None) -> Sequence[Event]:
    written = _version(known, command)
    if written.approved is not None:
        return []
    if written.drafted.by == command.by:
        raise Refused("plan.own-draft", plan=command.plan, version=command.number)
    _keeps_zone(command, written.drafted.document, book)
    blocking = [asdict(finding) for finding in command.findings if finding.level == "block"]
    if blocking:
        raise Refused("plan.blocked", plan=command.plan, version=command.number, findings=blocking)
    if _retroactive(written, command.closed_through, book) and not command.simulated:
        raise Refused("plan.retroactive-unsimulated", plan=command.plan, version=command.number)
    approved = PlanApproved(command.at, command.plan, command.number, command.by)
    return [*_linted(command, written), approved]


def _version(known: Written | None, command: Lint | Approve) -> Written:
    if known is None:
        raise Refused("plan.unknown", plan=command.plan, version=command.number)
    return known


def _keeps_zone(command: Draft | Approve, document: str, book: PlanBook) -> None:
    """Refuses a zone other than that of the first approved version. A zone that is not given is the company's."""
    approved = [other.drafted for other in book.versions.values() if other.approved is not None]
    first = min(approved, key=lambda drafted: drafted.number, default=None)
    if first is not None and _zone(first.document, command.zone) != _zone(document, command.zone):
        zone = _zone(first.document, command.zone)
        raise Refused("plan.other-zone", plan=command.plan, version=first.number, zone=zone)


def _zone(document: str, company: str | None) -> str | None:
    zone: str | None = json.loads(document).get("zone")
    return zone or company


def _retroactive(written: Written, closed_through: date | None, book: PlanBook) -> bool:
    """Whether it replaces another version on days of a closed month: then it posts corrections of what was stated."""
    before = any(other.approved is not None for other in book.versions.values())
    return before and closed_through is not None and written.drafted.effective_from <= closed_through


def standing(versions: Sequence[tuple[int, str, date]], today: date) -> dict[int, str]:
    """(number, stage, effective from) of a plan's versions → how each stands today.

    An approved version is active from its effective date until a higher one is; then it is superseded, for good.
    """
    begun = [number for number, stage, since in versions if stage == "approved" and since <= today]
    return {
        number: stage if number not in begun else "active" if number == max(begun) else "superseded"
        for number, stage, _ in versions
    }


def _linted(command: Lint | Approve, written: Written) -> list[Event]:
    """Said again only where something else was found."""
    if written.linted is not None and written.linted.findings == command.findings:
        return []
    return [PlanLinted(command.at, command.plan, command.number, command.findings, command.by)]


def evolve(book: PlanBook, event: Event) -> PlanBook:
    match event:
        case PlanDrafted():
            return PlanBook({**book.versions, event.number: Written(event)})
        case PlanLinted():
            return PlanBook({**book.versions, event.number: replace(book.versions[event.number], linted=event)})
        case PlanApproved():
            return PlanBook({**book.versions, event.number: replace(book.versions[event.number], approved=event)})
        case _:
            assert_never(event)


def publish(event: Event, book: PlanBook) -> Sequence[Public]:
    """An approved version is in force from its effective date on."""
    if not isinstance(event, PlanApproved):
        return []
    drafted = book.versions[event.number].drafted
    told = PlanActivated(
        plan=event.plan,
        version=event.number,
        role=drafted.role,
        effective_from=drafted.effective_from,
        currency=drafted.currency,
    )
    return [Public(told, event.at, event.plan)]
