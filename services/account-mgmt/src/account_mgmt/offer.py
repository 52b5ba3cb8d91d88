"""The offer of an account: handover 2, from the hunter who made the first sale to whoever serves the buyer.

    none -> offered -> accepted | rejected | expired -> offered to the next -> … -> escalated -> accepted

The rules are those of every handover (belt.core.handover); here stands what an account adds to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from account_mgmt import account as accounts
from account_mgmt.account import HERE, TakeAccount
from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from belt.core import handover
from belt.core.calendar import Calendar
from belt.core.decider import Due, Private, Refused, Step
from belt.core.handover import Handover, Rules, Team
from belt.core.replacing import replace
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import Role, Seat, role_at

CATEGORY = "offer"
REASONS = frozenset({"checklist_incomplete", "promise_unclear", "capacity", "wrong_segment"})
"""Why an account may be refused. The sender mends it and offers again."""

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReceiveOffer:
    """A buyer is offered. Where hands do not change (`mode` self) whoever made the sale goes on at once."""

    at: datetime
    offer_id: str
    client: str
    journey: str | None
    variant: str
    line: str
    deal_id: str
    team: str
    mode: str
    attempt: int
    to: str | None
    due_at: datetime | None
    sourced_by: Seat
    converted_by: Seat
    checklist: tuple[str, ...]
    promises: tuple[str, ...] = ()
    role: str | None = None  # in which the receiver is asked


@dataclass(frozen=True)
class AcceptOffer:
    """By the receiver, by one of the team while it is queued, or by a manager, who may name whose it becomes."""

    at: datetime
    by: str
    to: str | None = None


@dataclass(frozen=True)
class RejectOffer:
    at: datetime
    by: str
    reason: str
    note: str | None = None


Command = ReceiveOffer | AcceptOffer | RejectOffer | handover.Expire

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfferReceived:
    """What the offer is about; the events of the handover follow it."""

    at: datetime
    offer_id: str
    client: str
    journey: str | None
    variant: str
    line: str
    deal_id: str
    team: str
    sourced_by: Seat
    converted_by: Seat
    checklist: tuple[str, ...]
    promises: tuple[str, ...] = ()


@dataclass(frozen=True)
class RejectionExplained:
    """What the receiver adds to the reason, in their own words."""

    at: datetime
    client: str
    note: Private[str]


Event = OfferReceived | RejectionExplained | handover.Event
EVENTS: tuple[type, ...] = (OfferReceived, RejectionExplained, *handover.EVENTS)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """`late`: somebody stayed silent before, so the time until acceptance belongs to the house."""

    received: OfferReceived | None = None
    handover: Handover = Handover()
    late: bool = False
    note: str | None = None

    @property
    def stage(self) -> str:
        return self.handover.stage


# --- decide ---------------------------------------------------------------------------------------------------------


def reads(_id: str, _command: Command, _offer: Offer) -> Sequence[tuple[str, str]]:
    return [(ROSTER, COMPANY)]


def decide(command: Command, offer: Offer, roster: Roster) -> Sequence[Event]:
    if isinstance(command, ReceiveOffer):
        return _receive(command, roster) if offer.received is None else []
    if offer.received is None:
        raise Refused("offer.unknown")
    rules, team = _team(roster, offer.received.line, command.at, offer.handover.to)
    match command:
        case handover.Expire():
            return handover.decide(command, offer.handover, rules, team)
        case AcceptOffer():
            accept = handover.Accept(command.at, _seat(command.by, offer, team), command.to)
            return handover.decide(accept, offer.handover, rules, team)
        case RejectOffer(note=note):
            reject = handover.Reject(command.at, _seat(command.by, offer, team), command.reason)
            events: list[Event] = [*handover.decide(reject, offer.handover, rules, team)]
            if note is not None and any(isinstance(event, handover.Rejected) for event in events):
                events.append(RejectionExplained(command.at, offer.received.client, note))
            return events


def _receive(command: ReceiveOffer, roster: Roster) -> list[Event]:
    """The line need not be known here yet: then nobody is asked next, and silence leaves the offer in the queue."""
    received = OfferReceived(
        command.at,
        command.offer_id,
        command.client,
        command.journey,
        command.variant,
        command.line,
        command.deal_id,
        command.team,
        command.sourced_by,
        command.converted_by,
        command.checklist,
        command.promises,
    )
    itself = command.mode == "self"
    offered = handover.Offer(
        command.at,
        sender=command.converted_by,
        role=_role(command, roster),
        to=command.to or (command.converted_by.person if itself else None),
        mode="self" if itself else "offer",
        attempt=command.attempt,
        due_at=command.due_at,
    )
    rules, team = _team(roster, command.line, command.at, None)
    return [received, *handover.decide(offered, Handover(), rules, team)]


def _role(command: ReceiveOffer, roster: Roster) -> str:
    """The seat that waits: of whoever is asked, else what the team works as by then, else what the variant says."""
    stamped = role_at(command.variant, HERE)
    if command.mode == "self":
        return stamped
    return command.role or roster.role_at(command.line, HERE, command.at) or stamped


def _team(roster: Roster, line: str, at: datetime, asked: Seat | None) -> tuple[Rules, Team]:
    """The policy in force and who works here now, from the one after whoever is asked, in the order of the team.

    For a line that is not known yet: the usual policy and nobody.
    """
    staffed = roster.line(line, at)
    policy, zone = (staffed.policy, staffed.zone) if staffed else (Policy(), "UTC")
    hours = policy.calendar
    rules = Rules(
        reasons=REASONS,
        calendar=Calendar.of(zone, hours.weekdays, hours.opens, hours.closes, hours.holidays, hours.pauses),
        accept_hours=policy.account_accept_within_hours,
        reroutes=policy.reroutes,
        dispute_days=policy.dispute_days,
    )
    managers = [one for one in (staffed.managers if staffed else ()) if roster.manages(one, line, at)]
    here = staffed.teams.get(HERE) if staffed else None
    order = list(here.members) if here else []
    turn = order.index(asked.person) + 1 if asked is not None and asked.person in order else 0
    there = roster.members(line, HERE, at)
    members = [one for one in (*order[turn:], *order[:turn]) if one in there]
    return rules, Team(members, managers, roster.role_at(line, HERE, at))


def _seat(person: str, offer: Offer, team: Team) -> Seat:
    """In which seat the person speaks: as one of the team, or as a manager of the line."""
    offered = offer.handover.offered
    if offered is None or (person in team.managers and person not in team.members):
        return Seat(person=person, role=Role.MANAGER)
    asked = offer.handover.to
    if asked is not None and asked.person == person:
        return asked
    return Seat(person=person, role=(team.role if person in team.members else None) or offered.role)


def evolve(offer: Offer, event: Event) -> Offer:
    match event:
        case OfferReceived():
            return replace(offer, received=event)
        case RejectionExplained(note=note):
            return replace(offer, note=note)
        case _:
            late = offer.late or isinstance(event, handover.Expired)
            return replace(offer, handover=handover.evolve(offer.handover, event), late=late)


def timers(offer: Offer) -> Sequence[Due]:
    return handover.timers(offer.handover)


def follow(event: Event, offer: Offer) -> Sequence[Step]:
    """Accepted in time, the seat is held from the offer on; else from now, and the gap belongs to the house."""
    about, offered = offer.received, offer.handover.offered
    if not isinstance(event, handover.Accepted) or about is None or offered is None:
        return ()
    since = event.at if offer.late else offered.at
    return [
        Step(accounts.CATEGORY, about.client, TakeAccount(event.at, about.offer_id, event.by, event.to, since)),
    ]
