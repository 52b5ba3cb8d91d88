"""What the outside is told of what happens here. The only place where inside meets outside; no personal data passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from belt.core.decider import Public
from conveyor_events import leads
from conveyor_events.words import Event, Seat
from lead_gen import staffing as s
from lead_gen.prospect import events as e
from lead_gen.prospect.state import Prospect


def prospect(event: e.Event, state: Prospect) -> Sequence[Public]:
    """On the client's history, on its journey."""
    told = _told(event, state)
    if told is None:
        return ()
    data, actor = told
    return [
        Public(
            data,
            event.at,
            subject=state.client,
            actor=actor,
            client_id=state.client,
            journey_id=state.journey,
            variant=state.variant,
        )
    ]


def _told(event: e.Event, state: Prospect) -> tuple[Event, Seat | None] | None:
    """The public event, and who did it (None: the clock)."""
    match event:
        case e.LeadOffered() | e.LeadWithdrawn() | e.LeadReturned() | e.LeadHandedOver() | e.OfferMoved():
            return _handover(event, state)
        case e.ProspectRegistered(source=source, segment=segment, country=country, by=by):
            found = leads.ProspectRegistered(
                line=state.line, source=source, segment=segment, country=country, sourced_by=by
            )
            return found, by
        case e.ProspectVerified(checks=checks, sourced_by=sourced_by, by=by):
            return leads.ProspectVerified(line=state.line, sourced_by=sourced_by, checks=list(checks)), by
        case e.NeedIdentified(by=by):
            return _need(event, state), by
        case e.ProspectInvalidated(reason=reason, verified_at=verified_at, sourced_by=sourced_by, by=by):
            gone = leads.ProspectInvalidated(
                line=state.line,
                sourced_by=sourced_by,
                reason=reason,
                was_verified=verified_at is not None,
                verified_at=verified_at,
            )
            return gone, by
        case e.HandoverOverdue(need_id=need_id, sourced_by=sourced_by):
            return leads.HandoverOverdue(line=state.line, need_id=need_id, sourced_by=sourced_by), None
        case (
            e.ProspectReleased()
            | e.ProspectClaimed()
            | e.ContactForbidden()
            | e.ProspectReassigned()
            | e.JourneyMigrated()
            | e.ProspectMerged()
            | e.PersonalDataErased()
        ):
            return _held(event, state)
        case e.RegistrationRefused(line=line, by=by, held_by=held_by, reason=reason, protected_until=until):
            refused = leads.RegistrationRefused(
                line=line, attempted_by=by, held_by=held_by, reason=reason, protected_until=until
            )
            return refused, by
        case (
            e.CallLogged()
            | e.GatekeeperMet()
            | e.GatekeeperPassed()
            | e.DecisionMakerReached()
            | e.ProspectParked()
            | e.ProspectResumed()
            | e.LeadRecycled()
            | e.ProspectBecameCustomer()
            | e.KeysTaken()
        ):
            return None
        case _:
            assert_never(event)


def _held(
    event: e.ProspectReleased
    | e.ProspectClaimed
    | e.ContactForbidden
    | e.ProspectReassigned
    | e.JourneyMigrated
    | e.ProspectMerged
    | e.PersonalDataErased,
    state: Prospect,
) -> tuple[Event, Seat | None]:
    match event:
        case e.ProspectReleased(sourced_by=sourced_by):
            return leads.ProspectReleased(line=state.line, sourced_by=sourced_by), None
        case e.ProspectClaimed(before=before, by=by):
            return leads.ProspectClaimed(line=state.line, sourced_by=by, before=before), by
        case e.ContactForbidden(by=by):
            return leads.ContactForbidden(line=state.line, sourced_by=state.sourced_by), by
        case e.ProspectMerged(into=into, sourced_by=sourced_by, by=by):
            return leads.ProspectMerged(line=state.line, into=into, sourced_by=sourced_by), by
        case e.PersonalDataErased(by=by):
            return leads.PersonalDataErased(line=state.line), by
        case e.JourneyMigrated(by=by):
            migrated = leads.JourneyMigrated(
                line=state.line,
                before=event.before,
                variant=event.variant,
                served_by=event.served_by,
                legacy_until=event.legacy_until,
            )
            return migrated, by
        case e.ProspectReassigned(before=before, to=to, reason=reason, by=by):
            moved = leads.ProspectReassigned(line=state.line, sourced_by=to, before=before, reason=reason)
            return moved, by
        case _:
            assert_never(event)


def _handover(
    event: e.LeadOffered | e.LeadWithdrawn | e.LeadReturned | e.LeadHandedOver | e.OfferMoved, state: Prospect
) -> tuple[Event, Seat | None] | None:
    match event:
        case e.LeadOffered(by=by):
            return _qualified(event, state), by
        case e.LeadWithdrawn(offer_id=offer_id, need_id=need_id, reason=reason, by=by):
            withdrawn = leads.LeadWithdrawn(line=state.line, offer_id=offer_id, need_id=need_id, reason=reason)
            return withdrawn, by
        case e.LeadReturned(by=by):
            returned = leads.LeadReturned(
                line=state.line,
                offer_id=event.offer_id,
                need_id=event.need_id,
                reason=event.reason,
                rework_until=event.rework_until,
                sourced_by=event.sourced_by,
            )
            return returned, by
        case e.LeadHandedOver(converted_by=converted_by):
            handed = leads.LeadHandedOver(
                line=state.line,
                offer_id=event.offer_id,
                need_id=event.need_id,
                converted_by=converted_by,
                sourced_by=event.sourced_by,
            )
            return handed, converted_by
        case e.OfferMoved():
            return None  # the next station told it
        case _:
            assert_never(event)


def _need(event: e.NeedIdentified, state: Prospect) -> leads.NeedIdentified:
    return leads.NeedIdentified(
        line=state.line,
        need_id=event.need_id,
        category=event.category,
        budget=event.budget,
        wish=event.wish,
        competitor_id=event.competitor_id,
        sourced_by=event.sourced_by,
    )


def _qualified(event: e.LeadOffered, state: Prospect) -> leads.LeadQualified:
    return leads.LeadQualified(
        line=state.line,
        offer_id=event.offer_id,
        need_id=event.need_id,
        attempt=event.attempt,
        sourced_by=event.sourced_by,
        to=event.to,
        team=event.team,
        mode=event.mode,
        accept_due_at=event.accept_due_at,
        first_touch_due_at=event.first_touch_due_at,
        credit_until=event.credit_until,
    )


def staffing(event: s.Event, _state: s.Staffing) -> Sequence[Public]:
    """On the person's history, or the line's. Names stay here."""
    if isinstance(event, s.PersonNamed):
        return ()
    data = s.public(event)
    subject = event.staffed.line if isinstance(event, s.LineWasStaffed) else event.person
    return [Public(data, event.at, subject=subject)]
