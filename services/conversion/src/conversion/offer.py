"""The lead offer: handover 1 as its receiver sees it. One stream per offer.

The rules of offering, silence and deciding are the belt's handover; this adds what the lead is about, the closed list
of reasons, and the opportunity that an acceptance opens in the same append unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from belt.core import handover
from belt.core.decider import Due, Private, Refused, Step
from belt.core.handover import Handover, Rules, Team
from belt.core.ids import derived
from belt.core.replacing import replace
from conversion.opportunity import CATEGORY as OPPORTUNITY
from conversion.opportunity import OpenFromLead
from conversion.opportunity.client import CATEGORY as CLIENT
from conversion.opportunity.client import Client
from conversion.roster import HERE, READ, calendar_of, managers
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import Role, Seat, role_at

CATEGORY = "offer"

REASONS = frozenset(
    {
        "duplicate",
        "existing_customer",
        "no_need_evidence",
        "contact_unreachable",
        "out_of_territory",
        "not_served",
        "competitor_or_test",
    }
)
"""Nothing else: a need is handed on whatever the budget and whatever the wish to buy."""

CODES = {"handover.expired": "offer-expired", "handover.reason-not-allowed": "reason-not-allowed"}
"""Refusals that have a name of their own to the outside."""

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lead:
    """What an offer is about, as the station before told it."""

    offer: str
    client: str
    journey: str
    variant: str
    line: str
    need: str
    attempt: int
    sourced_by: Seat
    team: str
    first_touch_due_at: datetime | None
    credit_until: datetime


@dataclass(frozen=True)
class ReceiveLead:
    """A lead was offered to this station."""

    at: datetime
    lead: Lead
    to: Seat | None
    mode: Literal["offer", "self"]
    due_at: datetime | None


@dataclass(frozen=True)
class AcceptLead:
    """`to` names the hunter where a manager decides."""

    at: datetime
    by: str
    to: str | None = None


@dataclass(frozen=True)
class RejectLead:
    at: datetime
    by: str
    reason: str
    note: str | None = None


@dataclass(frozen=True)
class WithdrawLead:
    """The sender asks for the lead back."""

    at: datetime
    reason: str | None


@dataclass(frozen=True)
class DisputeRejection:
    """The sender, or a manager, says that the rejection was wrong."""

    at: datetime
    by: str


@dataclass(frozen=True)
class UpholdRejection:
    """A manager finds the rejection right."""

    at: datetime
    by: str


@dataclass(frozen=True)
class OverturnRejection:
    """A manager finds the rejection wrong: accepted, by whoever rejected it or by `to`."""

    at: datetime
    by: str
    to: str | None = None


Ask = AcceptLead | RejectLead | WithdrawLead | DisputeRejection | UpholdRejection | OverturnRejection | handover.Expire
Command = ReceiveLead | Ask

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LeadReceived:
    at: datetime
    lead: Lead


@dataclass(frozen=True)
class RejectionExplained:
    """In the receiver's own words; sealed under the client's key."""

    at: datetime
    client: str
    note: Private[str]


Event = LeadReceived | RejectionExplained | handover.Event
EVENTS: tuple[type, ...] = (LeadReceived, RejectionExplained, *handover.EVENTS)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LeadOffer:
    """`lead` is None while there is no offer."""

    lead: Lead | None = None
    handover: Handover = Handover()
    note: str | None = None

    @property
    def opportunity(self) -> str | None:
        """The opportunity that the acceptance opened."""
        return opportunity_of(self.lead.offer) if self.lead and self.handover.accepted else None


NEW = LeadOffer()


def opportunity_of(offer: str) -> str:
    """The id of the opportunity that an accepted offer opens."""
    return derived(offer, "opportunity")


# --- decide ---------------------------------------------------------------------------------------------------------


def reads(_id: str, command: Command, offer: LeadOffer) -> Sequence[tuple[str, str]]:
    if isinstance(command, ReceiveLead):
        return (READ, (CLIENT, command.lead.client))
    return (READ, (CLIENT, offer.lead.client)) if offer.lead else ()


def decide(
    command: Command, offer: LeadOffer, roster: Roster | None = None, client: Client | None = None
) -> Sequence[Event]:
    roster, client = roster or Roster(), client or Client()
    if isinstance(command, ReceiveLead):
        return _receive(command, offer, roster, client)
    lead = offer.lead
    if lead is None:
        raise Refused("offer.unknown")
    asked = _asked(command, offer, lead, roster)
    rules, team = _rules(lead, offer, roster, command.at)
    try:
        events: list[Event] = [*handover.decide(asked, offer.handover, rules, team)]
    except Refused as refused:
        raise Refused(CODES.get(refused.code, refused.code), record=refused.record, **refused.facts) from None
    busy = client.busy((lead.need,))
    if busy is not None and any(isinstance(event, handover.Accepted) for event in events):
        late = [event for event in events if not isinstance(event, handover.Accepted)]
        raise Refused("opportunity.need-open", record=late, opportunity_id=busy)
    if isinstance(command, RejectLead) and command.note and any(isinstance(e, handover.Rejected) for e in events):
        events.append(RejectionExplained(command.at, lead.client, command.note))
    return events


def _receive(command: ReceiveLead, offer: LeadOffer, roster: Roster, client: Client) -> list[Event]:
    lead = command.lead
    if offer.lead is not None:
        return []  # told twice
    role = command.to.role if command.to else role_at(lead.variant, HERE)
    # A need that is open in another opportunity is not accepted by itself: somebody has to look.
    by_itself = command.mode == "self" and command.to is not None and client.busy((lead.need,)) is None
    made = handover.Offer(
        at=command.at,
        sender=lead.sourced_by,
        role=role,
        to=command.to.person if command.to else None,
        mode="self" if by_itself else "offer",
        attempt=lead.attempt,
        due_at=command.due_at,
    )
    return [
        LeadReceived(command.at, lead),
        *handover.decide(made, Handover(), *_rules(lead, offer, roster, command.at)),
    ]


def _asked(command: Ask, offer: LeadOffer, lead: Lead, roster: Roster) -> handover.Command:
    match command:
        case AcceptLead(at, by, to):
            return handover.Accept(at, _seat(by, offer, lead, roster, at), to)
        case RejectLead(at, by, reason):
            return handover.Reject(at, _seat(by, offer, lead, roster, at), reason)
        case WithdrawLead(at, reason):
            return handover.Withdraw(at, lead.sourced_by, reason)
        case DisputeRejection(at, by):
            return handover.Dispute(at, _sender(by, lead))
        case UpholdRejection(at, by):
            return handover.Uphold(at, _seat(by, offer, lead, roster, at))
        case OverturnRejection(at, by, to):
            return handover.Overturn(at, _seat(by, offer, lead, roster, at), to)
        case handover.Expire():
            return command


def _sender(person: str, lead: Lead) -> Seat:
    return lead.sourced_by if person == lead.sourced_by.person else Seat(person=person, role=Role.MANAGER)


def _seat(person: str, offer: LeadOffer, lead: Lead, roster: Roster, at: datetime) -> Seat:
    """Who is asked, or of the team, acts in the seat of this station; else it may be a manager of the line."""
    asked = offer.handover.to
    if asked is not None and asked.person == person:
        return asked
    role = role_at(lead.variant, HERE)
    if not roster.works_at(person, lead.line, HERE, at) and roster.manages(person, lead.line, at):
        role = Role.MANAGER
    return Seat(person=person, role=role)


def _rules(lead: Lead, offer: LeadOffer, roster: Roster, at: datetime) -> tuple[Rules, Team]:
    """The line's policy, and who can be asked: from the one after whoever is asked now, in the order of the team."""
    staffed = roster.line(lead.line, at)
    policy = staffed.policy if staffed else Policy()
    here = staffed.teams.get(HERE) if staffed else None
    order = list(here.members) if here else []
    asked = offer.handover.to.person if offer.handover.to else None
    turn = order.index(asked) + 1 if asked in order else 0
    there = roster.members(lead.line, HERE, at)
    rules = Rules(
        reasons=REASONS,
        calendar=calendar_of(staffed),
        accept_hours=policy.accept_within_hours,
        reroutes=policy.reroutes,
        dispute_days=policy.dispute_days,
    )
    members = [one for one in (*order[turn:], *order[:turn]) if one in there]
    return rules, Team(members, managers(roster, lead.line, at))


# --- evolve ---------------------------------------------------------------------------------------------------------


def evolve(offer: LeadOffer, event: Event) -> LeadOffer:
    if isinstance(event, LeadReceived):
        return replace(offer, lead=event.lead)
    if isinstance(event, RejectionExplained):
        return replace(offer, note=event.note)
    return replace(offer, handover=handover.evolve(offer.handover, event))


def timers(offer: LeadOffer) -> Iterable[Due]:
    return handover.timers(offer.handover)


def follow(event: Event, offer: LeadOffer) -> Iterable[Step]:
    """An accepted lead is an open opportunity, in the same breath."""
    lead = offer.lead
    if isinstance(event, handover.Accepted) and lead is not None:
        opportunity = opportunity_of(lead.offer)
        opened = OpenFromLead(
            at=event.at,
            by=event.by,
            opportunity=opportunity,
            client=lead.client,
            journey=lead.journey,
            variant=lead.variant,
            line=lead.line,
            need=lead.need,
            sourced_by=lead.sourced_by,
            converted_by=event.to,
            first_touch_due_at=lead.first_touch_due_at,
        )
        yield Step(OPPORTUNITY, opportunity, opened)
