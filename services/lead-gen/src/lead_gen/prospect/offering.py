"""How a lead leaves this station: offered, withdrawn, returned for rework, handed over.

The offer is decided in the receiver's stream alone. What is said here is a request until that answer comes, so an
acceptance wins over whatever was done here in the meantime.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from belt.core.calendar import Calendar, days_later
from belt.core.decider import Refused
from belt.core.ids import derived
from belt.core.rotation import LEAST_LOADED
from conveyor_events.roster import Person, Roster
from conveyor_events.staff import LineStaffed
from conveyor_events.words import HOUSE, Seat, Station, changes_hands, role_at
from lead_gen.prospect.commands import HandOver, MoveOffer, OfferLead, ReturnLead, WithdrawOffer
from lead_gen.prospect.events import (
    Event,
    HandoverOverdue,
    LeadHandedOver,
    LeadOffered,
    LeadReturned,
    LeadWithdrawn,
    OfferMoved,
    ProspectReleased,
    ProspectResumed,
)
from lead_gen.prospect.holding import HERE, staffing_of
from lead_gen.prospect.state import FINAL, Need, Prospect, Stage
from lead_gen.routing import Routing

NEXT = Station.CONVERSION
_CODE = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True)
class Terms:
    """What an offer rests on: who offers (None: it offers itself), when, and what the clock says."""

    by: Seat | None
    at: datetime
    now: datetime
    offer_id: str | None = None
    to: str | None = None
    evidence: tuple[str, ...] = ()

    @classmethod
    def of(cls, command: OfferLead, by: Seat) -> Terms:
        return cls(by, command.at, command.now, command.offer_id, command.to, command.evidence)


def calendar(staffed: LineStaffed) -> Calendar:
    """The working time of the line."""
    hours = staffed.policy.calendar
    return Calendar.of(staffed.zone, hours.weekdays, hours.opens, hours.closes, hours.holidays, hours.pauses)


def running(due_at: datetime, now: datetime) -> datetime | None:
    """A deadline that was over when it was stamped never runs."""
    return due_at if due_at > now else None


def handover_due(prospect: Prospect, roster: Roster, at: datetime, now: datetime) -> datetime | None:
    """By when a known need has to be offered. No deadline where the finder goes on, unless the offer makes itself."""
    staffed = staffing_of(roster, prospect.line, at)
    if not staffed.policy.auto_offer and _one_role(prospect):
        return None
    return running(calendar(staffed).due(at, staffed.policy.handover_within_hours), now)


def overtaken(prospect: Prospect, roster: Roster, at: datetime) -> list[Event]:
    """What was due by `at` and is said now, at its own instant, because nobody looked earlier."""
    if prospect.rework_until is not None and prospect.rework_until <= at:
        return [ProspectReleased(prospect.sourced_by, prospect.rework_until)]
    if prospect.parked_until is not None and prospect.parked_until <= at:
        return [ProspectResumed(None, prospect.parked_until)]
    due_at = prospect.handover_due_at
    if due_at is not None and due_at <= at and not makes_itself(prospect, roster, due_at):
        return [HandoverOverdue(prospect.need_id or "", prospect.sourced_by, due_at)]
    return []


def makes_itself(prospect: Prospect, roster: Roster, at: datetime) -> bool:
    """Whether the lead is offered by itself when its handover is due."""
    return staffing_of(roster, prospect.line, at).policy.auto_offer


def offer(terms: Terms, prospect: Prospect, roster: Roster, routing: Routing) -> list[Event]:
    """The lead goes to the named person, or to whom the routing picks, or to the queue if there is nobody."""
    if prospect.stage is Stage.OFFERED and terms.offer_id is not None and terms.offer_id == prospect.open_offer:
        return []
    need = prospect.need
    if need is None or prospect.stage not in (Stage.NEED_KNOWN, Stage.REWORK):
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    offer_id = terms.offer_id or derived(prospect.client, "offer", len(prospect.offers) + 1)
    if offer_id in prospect.offers:
        raise Refused("offer.id-taken", offer_id=offer_id)
    evidence = _new_evidence(terms, need, needed=prospect.stage is Stage.REWORK)
    staffed = staffing_of(roster, prospect.line, terms.at)
    stays = _stays(prospect, roster, terms.at)
    to, among = _same(prospect, terms) if stays else _receiver(prospect, terms, roster, staffed, routing)
    accept_due, touch_due = (None, None) if stays else _deadlines(staffed, terms)
    team = staffed.teams.get(NEXT)
    return [
        LeadOffered(
            client=prospect.client,
            offer_id=offer_id,
            need_id=need.need_id,
            attempt=prospect.returns + 1,
            evidence=evidence,
            to=to,
            team=team.team if team is not None else "",
            mode="self" if stays else "offer",
            among=among,
            counts=to is not None and not stays and staffed.policy.routing == LEAST_LOADED,
            accept_due_at=accept_due,
            first_touch_due_at=touch_due,
            credit_until=days_later(staffed.zone, terms.at, staffed.policy.credit_days + 1),
            sourced_by=prospect.sourced_by,
            by=terms.by,
            at=terms.at,
        )
    ]


def _new_evidence(terms: Terms, need: Need, *, needed: bool) -> tuple[str, ...]:
    """What the receiver has not seen yet. A rejected lead comes back only with more than before."""
    new = tuple(dict.fromkeys(text for text in terms.evidence if text not in need.evidence))
    if needed and not new:
        raise Refused("offer.no-new-evidence")
    return new


def _stays(prospect: Prospect, roster: Roster, at: datetime) -> bool:
    """Where hands do not change the finder goes on, unless nobody found the client or the finder has left."""
    who = prospect.sourced_by.person
    if not _one_role(prospect) or who == HOUSE:
        return False
    return roster.people.get(who, Person()).employed(at)


def _one_role(prospect: Prospect) -> bool:
    """Whether finding and selling are one role's here. Who found it in another role, before the change, sells not."""
    seller = role_at(prospect.variant, NEXT)
    return not changes_hands(prospect.variant, HERE, NEXT) and prospect.sourced_by.role == seller


def _same(prospect: Prospect, terms: Terms) -> tuple[Seat, tuple[str, ...]]:
    who = prospect.sourced_by.person
    if terms.to is not None and terms.to != who:
        raise Refused("offer.stays-with-finder", to=terms.to, sourced_by=who)
    return Seat(person=who, role=role_at(prospect.variant, NEXT)), ()


def _receiver(
    prospect: Prospect, terms: Terms, roster: Roster, staffed: LineStaffed, routing: Routing
) -> tuple[Seat | None, tuple[str, ...]]:
    """Who is asked first, and among whom the choice was made. A named receiver is no choice of the rotation.

    Nobody is picked to judge what they found themselves.
    """
    members = roster.members(prospect.line, NEXT, terms.at)
    if terms.to is not None:
        if terms.to not in members:
            raise Refused("offer.receiver-not-available", to=terms.to, line=prospect.line)
        person, among = terms.to, tuple[str, ...]()
    else:
        among = tuple(one for one in members if one != prospect.sourced_by.person)
        chosen = routing.next(among, staffed.policy.routing)
        if chosen is None:
            return None, ()
        person = chosen
    return Seat(person=person, role=role_at(prospect.variant, NEXT)), among


def _deadlines(staffed: LineStaffed, terms: Terms) -> tuple[datetime | None, datetime | None]:
    """Until when to answer; and, once accepted at the latest, until when to get in touch."""
    hours, policy = calendar(staffed), staffed.policy
    accept_due = hours.due(terms.at, policy.accept_within_hours)
    touch_due = hours.due(accept_due, policy.first_touch_within_hours)
    return running(accept_due, terms.now), running(touch_due, terms.now)


def withdraw(command: WithdrawOffer, by: Seat, prospect: Prospect, roster: Roster) -> list[Event]:
    open_offer = prospect.offer
    if open_offer is None:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    due_at = handover_due(prospect, roster, command.at, command.now)
    told = command.reason is None or _CODE.fullmatch(command.reason) is not None
    reason, note = (command.reason, None) if told else ("other", command.reason)
    return [_withdrawn(prospect, reason, note, by, command.at, due_at)]


def _withdrawn(
    prospect: Prospect,
    reason: str | None,
    note: str | None,
    by: Seat | None,
    at: datetime,
    due_at: datetime | None = None,
) -> LeadWithdrawn:
    open_offer = prospect.offers[prospect.open_offer or ""]
    return LeadWithdrawn(
        client=prospect.client,
        offer_id=open_offer.offer_id,
        need_id=open_offer.need_id,
        reason=reason,
        note=note,
        handover_due_at=due_at,
        frees=_frees(prospect, open_offer.offer_id),
        by=by,
        at=at,
    )


def superseded(prospect: Prospect, reason: str, by: Seat | None, at: datetime) -> list[Event]:
    """The open offer is void, because the prospect took another way."""
    return [_withdrawn(prospect, reason, None, by, at)] if prospect.open_offer is not None else []


def hand_over(command: HandOver, prospect: Prospect) -> list[Event]:
    """In any live state: the receiver's word counts, whatever was done here meanwhile."""
    if prospect.stage in FINAL or prospect.stage is Stage.CONVERTING:
        return []
    other = prospect.open_offer is not None and prospect.open_offer != command.offer_id
    frees = None if other else _frees(prospect, command.offer_id)
    handed = LeadHandedOver(
        command.offer_id, command.need_id, frees, command.sourced_by, command.converted_by, command.at
    )
    return [*(superseded(prospect, "accepted_before", None, command.at) if other else []), handed]


def take_back(command: ReturnLead, prospect: Prospect, roster: Roster) -> list[Event]:
    """A rejected lead is its finder's again, for the days of the policy: up to 00:00 of the last one."""
    open_offer = prospect.offer
    if open_offer is None or open_offer.offer_id != command.offer_id:
        return []
    staffed = staffing_of(roster, prospect.line, command.at)
    return [
        LeadReturned(
            open_offer.offer_id,
            open_offer.need_id,
            command.reason,
            days_later(staffed.zone, command.at, staffed.policy.rework_days),
            _frees(prospect, open_offer.offer_id),
            prospect.sourced_by,
            command.by,
            command.at,
        )
    ]


def move(command: MoveOffer, prospect: Prospect) -> list[Event]:
    """Somebody else is asked now, and may read the dossier."""
    open_offer = prospect.offer
    if open_offer is None or open_offer.offer_id != command.offer_id or open_offer.to == command.to:
        return []
    return [OfferMoved(command.offer_id, command.to, _frees(prospect, command.offer_id), command.at)]


def _frees(prospect: Prospect, offer_id: str) -> str | None:
    """Whose open work the offer was."""
    known = prospect.offers.get(offer_id)
    return known.to.person if known is not None and known.counts and known.to is not None else None
