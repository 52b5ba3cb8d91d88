"""Which events follow from a command: the whole of the handover's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from belt.core.calendar import Calendar
from belt.core.decider import Refused
from belt.core.handover.commands import Accept, Command, Dispute, Expire, Offer, Overturn, Reject, Uphold, Withdraw
from belt.core.handover.events import (
    Accepted,
    Disputed,
    Escalated,
    Event,
    Expired,
    Offered,
    Overturned,
    Rejected,
    Rerouted,
    Upheld,
    Withdrawn,
)
from belt.core.handover.state import Handover, Stage, fold
from belt.core.replacing import replace
from conveyor_events.words import Seat


@dataclass(frozen=True)
class Rules:
    """The policy of the team, passed in with the command."""

    reasons: frozenset[str]
    calendar: Calendar
    accept_hours: int
    reroutes: int = 2
    dispute_days: int = 5


@dataclass(frozen=True)
class Team:
    """Who works on the receiving side at the command's time: members in the order they are asked, and managers.

    `role` is the one in which its members work by then; None: that of the offer.
    """

    members: Sequence[str] = ()
    managers: Sequence[str] = ()
    role: str | None = None


NOBODY = Team()


def decide(command: Command, handover: Handover, rules: Rules, team: Team = NOBODY) -> list[Event]:
    """What follows from the command. What was due before it comes first, even if the command itself is refused."""
    late = overdue(command.at, handover, rules, team)
    try:
        return [*late, *_decide(command, fold(handover, late), rules, team)]
    except Refused as refused:
        raise Refused(refused.code, record=late, **refused.facts) from None


def _decide(command: Command, handover: Handover, rules: Rules, team: Team) -> list[Event]:
    match command:
        case Offer():
            return _offer(command, handover)
        case Expire():
            return []  # all that was due has been said by `overdue`
        case _ if handover.offered is None:
            raise Refused("handover.unknown")
        case Accept():
            return _accept(command, handover, team)
        case Reject():
            return _reject(command, handover, rules, team)
        case Withdraw():
            return _withdraw(command, handover, handover.offered.sender, team)
        case Dispute():
            return _dispute(command, handover, handover.offered.sender, team)
        case Uphold():
            return _uphold(command, handover, team)
        case Overturn():
            return _overturn(command, handover, team)
        case _:
            assert_never(command)


def overdue(at: datetime, handover: Handover, rules: Rules, team: Team = NOBODY) -> list[Event]:
    """All that silence has caused by `at`, each at its own due instant."""
    events: list[Event] = []
    while handover.open and handover.due_at is not None and handover.due_at <= at:
        due = handover.due_at
        step = [Expired(due, handover.to), _next(due, handover, rules, team)]
        handover = fold(handover, step)
        events += step
    return events


def _next(at: datetime, handover: Handover, rules: Rules, team: Team) -> Event:
    sender, role = (handover.offered.sender.person, handover.offered.role) if handover.offered else ("", "")
    left = [one for one in team.members if one not in handover.asked and one != sender]
    if left and handover.reroutes < rules.reroutes:
        due = rules.calendar.due(at, rules.accept_hours)
        return Rerouted(at, Seat(person=left[0], role=team.role or role), handover.reroutes + 1, due)
    return Escalated(at, team.managers[0] if team.managers else None)


def _offer(command: Offer, handover: Handover) -> list[Event]:
    at, self_mode = command.at, command.mode == "self"
    to = Seat(person=command.to, role=command.role) if command.to is not None else None
    due = None if self_mode else command.due_at
    offered = Offered(at, command.sender, command.role, to, command.mode, command.attempt, due)
    if handover.offered is not None:
        if replace(handover.offered, at=at, due_at=due) == offered:
            return []
        raise Refused("handover.exists")
    if not self_mode:
        return [offered]
    if to is None:
        raise ValueError("in mode self the receiver is known")
    return [offered, Accepted(at, to, to, "self")]


def _accept(command: Accept, handover: Handover, team: Team) -> list[Event]:
    by, done = command.by, handover.accepted
    if done and done.by.person == by.person and command.to in (None, done.to.person):
        return []
    _need_receiver(by, handover, team)
    if command.to not in (None, by.person):
        _need_manager(by, team)
    asked = handover.to.person if handover.to and handover.stage == "offered" else None
    return [Accepted(command.at, by, _seat(command.to, by.person, (asked,), handover, team), "accepted")]


def _reject(command: Reject, handover: Handover, rules: Rules, team: Team) -> list[Event]:
    at, by, reason, done = command.at, command.by, command.reason, handover.rejected
    if reason not in rules.reasons:
        raise Refused("handover.reason-not-allowed", reason=reason, allowed=sorted(rules.reasons))
    if done and not handover.accepted and (done.by.person, done.reason) == (by.person, reason):
        return []
    _need_receiver(by, handover, team)
    return [Rejected(at, by, reason, rules.calendar.working_days_later(at, rules.dispute_days))]


def _withdraw(command: Withdraw, handover: Handover, sender: Seat, team: Team) -> list[Event]:
    at, by = command.at, command.by
    if handover.stage == "withdrawn" and handover.last_by == by.person:
        return []
    _need(handover, "offered", "escalated")
    _need_sender(by, sender, team)
    return [Withdrawn(at, by, command.reason)]


def _dispute(command: Dispute, handover: Handover, sender: Seat, team: Team) -> list[Event]:
    at, by = command.at, command.by
    if handover.stage == "disputed" and handover.last_by == by.person:
        return []
    _need(handover, "rejected")
    _need_sender(by, sender, team)
    if handover.rejected and at >= handover.rejected.dispute_until:
        raise Refused("handover.dispute-over", until=handover.rejected.dispute_until)
    return [Disputed(at, by)]


def _uphold(command: Uphold, handover: Handover, team: Team) -> list[Event]:
    at, by = command.at, command.by
    if handover.stage == "upheld" and handover.last_by == by.person:
        return []
    _need(handover, "disputed")
    _need_manager(by, team)
    return [Upheld(at, by)]


def _overturn(command: Overturn, handover: Handover, team: Team) -> list[Event]:
    at, by, done = command.at, command.by, handover.accepted
    if done and done.mode == "overturned" and done.by.person == by.person and command.to in (None, done.to.person):
        return []
    _need(handover, "disputed")
    _need_manager(by, team)
    rejecter = handover.rejected.by.person if handover.rejected else ""
    there = rejecter if rejecter in team.members else ""  # who is gone gets nothing, unless a manager names them
    to = _seat(command.to, there, handover.asked, handover, team)
    return [Overturned(at, by), Accepted(at, by, to, "overturned")]


def _seat(named: str | None, default: str, known: Iterable[str | None], handover: Handover, team: Team) -> Seat:
    """The seat of whoever holds the work from now on: of the team, or the one who was asked."""
    person = named or default
    if person not in team.members and person not in known:
        raise Refused("handover.not-in-team" if named else "handover.receiver-needed")
    if handover.to is not None and handover.to.person == person and handover.stage == "offered":
        return handover.to
    role = team.role if person in team.members else None
    return Seat(person=person, role=role or (handover.offered.role if handover.offered else ""))


def _need(handover: Handover, *stages: Stage) -> None:
    if handover.stage not in stages:
        raise Refused("handover.wrong-stage", stage=handover.stage)


def _need_receiver(by: Seat, handover: Handover, team: Team) -> None:
    _need(handover, "offered", "escalated")
    asked = by.person in team.members if handover.to is None else by.person == handover.to.person
    if not asked and by.person not in team.managers:
        raise Refused("handover.expired" if by.person in handover.asked else "handover.not-receiver")


def _need_sender(by: Seat, sender: Seat, team: Team) -> None:
    if by.person != sender.person and by.person not in team.managers:
        raise Refused("handover.not-sender")


def _need_manager(by: Seat, team: Team) -> None:
    if by.person not in team.managers:
        raise Refused("handover.not-manager")
