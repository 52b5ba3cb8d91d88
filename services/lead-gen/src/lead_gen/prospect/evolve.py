"""What each event changes of a prospect, and the due times that stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import assert_never

from belt.core.decider import ERASED, Due
from belt.core.replacing import replace
from lead_gen.prospect import events as e
from lead_gen.prospect.commands import MeetHandover, ReleaseProspect, WakeProspect
from lead_gen.prospect.state import Call, Contact, Gatekeeper, Need, Offer, Prospect, Stage


def evolve(prospect: Prospect, event: e.Event) -> Prospect:
    match event:
        case e.ProspectRegistered():
            return _registered(event)
        case e.ProspectVerified():
            return replace(prospect, verified_at=event.at, verified_by=event.sourced_by)
        case e.CallLogged() | e.GatekeeperMet() | e.GatekeeperPassed() | e.DecisionMakerReached():
            return _contacted(prospect, event)
        case e.NeedIdentified():
            return _need_known(prospect, event)
        case e.LeadOffered() | e.LeadWithdrawn() | e.OfferMoved() | e.LeadReturned() | e.LeadHandedOver():
            return _handed(prospect, event)
        case e.HandoverOverdue():
            return replace(prospect, handover_due_at=None)
        case e.ProspectParked() | e.ProspectResumed() | e.LeadRecycled():
            return _paused(prospect, event)
        case e.ProspectMerged() | e.KeysTaken() | e.PersonalDataErased():
            return _known(prospect, event)
        case e.RegistrationRefused():
            return prospect
        case _:
            return _held(prospect, event)


Held = (
    e.ContactForbidden
    | e.ProspectReassigned
    | e.JourneyMigrated
    | e.ProspectReleased
    | e.ProspectClaimed
    | e.ProspectInvalidated
    | e.ProspectBecameCustomer
)


def _held(prospect: Prospect, event: Held) -> Prospect:
    """Whose it is from now on, or nobody's any more."""
    match event:
        case e.ContactForbidden():
            return replace(
                prospect, stage=Stage.DO_NOT_CONTACT, handover_due_at=None, rework_until=None, parked_until=None
            )
        case e.JourneyMigrated():
            migrated = (event.variant, event.served_by, event.legacy_until)
            return replace(prospect, variant=event.variant, migrated=migrated)
        case e.ProspectReassigned():
            return replace(prospect, sourced_by=event.to, protected_until=event.protected_until)
        case e.ProspectReleased():
            return replace(
                prospect, stage=Stage.RELEASED, rework_until=None, protected_until=None, handover_due_at=None
            )
        case e.ProspectClaimed():
            return replace(
                prospect,
                stage=Stage.CONTACTING,
                sourced_by=event.by,
                protected_until=event.protected_until,
                need_id=None,
                returns=0,
                parked_until=None,
            )
        case e.ProspectInvalidated():
            return replace(prospect, stage=Stage.INVALID, handover_due_at=None, rework_until=None, parked_until=None)
        case e.ProspectBecameCustomer():
            return replace(
                prospect,
                stage=Stage.CUSTOMER,
                converted_by=event.converted_by,
                open_offer=None,
                handover_due_at=None,
                rework_until=None,
                parked_until=None,
            )
        case _:
            assert_never(event)


def _known(prospect: Prospect, event: e.ProspectMerged | e.KeysTaken | e.PersonalDataErased) -> Prospect:
    """By what the client is known; nothing, once it is forgotten."""
    match event:
        case e.ProspectMerged():
            return replace(prospect, stage=Stage.MERGED, merged_into=event.into)
        case e.KeysTaken():
            keys = tuple(sorted({*prospect.keys, *event.keys}, key=lambda k: (k.kind, k.value)))
            return replace(prospect, keys=keys, merged=tuple(dict.fromkeys((*prospect.merged, event.merged))))
        case e.PersonalDataErased():
            return replace(
                prospect,
                erased=True,
                name=ERASED,
                keys=(),
                needs={need_id: _unsaid(need) for need_id, need in prospect.needs.items()},
                calls=tuple(replace(call, note=None) for call in prospect.calls),
                gatekeepers=tuple(replace(met, best_time=None) for met in prospect.gatekeepers),
                contacts=tuple(
                    replace(contact, person=ERASED, position=ERASED, channel=ERASED) for contact in prospect.contacts
                ),
                handover_due_at=None,  # it could not be offered by itself: an offer says what was said
            )
        case _:
            assert_never(event)


def _unsaid(need: Need) -> Need:
    return replace(need, statement=ERASED, evidence=(), current_supplier=None)


def _paused(prospect: Prospect, event: e.ProspectParked | e.ProspectResumed | e.LeadRecycled) -> Prospect:
    match event:
        case e.ProspectParked():
            return replace(prospect, stage=Stage.NURTURE, parked_until=event.until)
        case e.ProspectResumed():
            return replace(prospect, stage=Stage.CONTACTING, parked_until=None)
        case e.LeadRecycled():
            return replace(
                prospect,
                stage=Stage.NURTURE,
                sourced_by=event.sourced_by,
                converted_by=None,
                need_id=None,
                returns=0,
                parked_until=event.until,
            )
        case _:
            assert_never(event)


def _registered(event: e.ProspectRegistered) -> Prospect:
    return Prospect(
        client=event.client,
        stage=Stage.REGISTERED,
        journey=event.journey,
        line=event.line,
        variant=event.variant,
        name=event.name,
        country=event.country,
        keys=event.keys,
        source=event.source,
        segment=event.segment,
        sourced_by=event.by,
        registered_by=event.by,
        registered_at=event.at,
        protected_until=event.protected_until,
    )


def _contacted(
    prospect: Prospect, event: e.CallLogged | e.GatekeeperMet | e.GatekeeperPassed | e.DecisionMakerReached
) -> Prospect:
    match event:
        case e.CallLogged():
            by, outcome = intern(event.by.person), intern(event.outcome)  # the same few words in many calls
            call = Call(event.started_at, by, outcome, event.duration_s, event.next_call_at, event.note)
            return replace(prospect, stage=Stage.CONTACTING, calls=(*prospect.calls, call))
        case e.GatekeeperMet():
            met = Gatekeeper(event.at, event.role, event.attitude, event.best_time)
            return replace(prospect, gatekeepers=(*prospect.gatekeepers, met))
        case e.GatekeeperPassed():
            return prospect
        case e.DecisionMakerReached():
            contact = Contact(event.person, event.position, event.channel, event.influence)
            return replace(prospect, stage=Stage.IN_DIALOGUE, contacts=(*prospect.contacts, contact))
        case _:
            assert_never(event)


def _need_known(prospect: Prospect, event: e.NeedIdentified) -> Prospect:
    need = Need(
        event.need_id,
        event.category,
        event.statement,
        event.evidence,
        event.current_supplier,
        event.competitor_id,
        event.budget,
        event.wish,
    )
    return replace(
        prospect,
        stage=Stage.NEED_KNOWN,
        needs={**prospect.needs, need.need_id: need},
        need_id=need.need_id,
        handover_due_at=event.handover_due_at,
    )


def _handed(
    prospect: Prospect, event: e.LeadOffered | e.LeadWithdrawn | e.OfferMoved | e.LeadReturned | e.LeadHandedOver
) -> Prospect:
    match event:
        case e.LeadOffered():
            need = prospect.needs[event.need_id]
            need = replace(need, evidence=(*need.evidence, *event.evidence))
            offer = Offer(
                event.offer_id,
                event.need_id,
                event.to,
                event.mode,
                event.attempt,
                event.accept_due_at,
                event.sourced_by,
                event.counts,
            )
            return replace(
                prospect,
                stage=Stage.OFFERED,
                needs={**prospect.needs, need.need_id: need},
                offers={**prospect.offers, offer.offer_id: offer},
                open_offer=offer.offer_id,
                handover_due_at=None,
                rework_until=None,
            )
        case e.LeadWithdrawn():
            return replace(prospect, stage=Stage.NEED_KNOWN, open_offer=None, handover_due_at=event.handover_due_at)
        case e.OfferMoved():
            moved = replace(prospect.offers[event.offer_id], to=event.to, counts=False)
            return replace(prospect, offers={**prospect.offers, moved.offer_id: moved})
        case e.LeadReturned():
            return replace(
                prospect,
                stage=Stage.REWORK,
                open_offer=None,
                returns=prospect.returns + 1,
                rework_until=event.rework_until,
            )
        case e.LeadHandedOver():
            offers = prospect.offers
            if event.offer_id in offers:
                taken = replace(offers[event.offer_id], to=event.converted_by, counts=False)
                offers = {**offers, event.offer_id: taken}
            return replace(
                prospect,
                stage=Stage.CONVERTING,
                offers=offers,
                open_offer=None,
                sourced_by=event.sourced_by,
                converted_by=event.converted_by,
                handover_due_at=None,
                rework_until=None,
                parked_until=None,
            )
        case _:
            assert_never(event)


def timers(prospect: Prospect) -> Iterable[Due]:
    if prospect.handover_due_at is not None:
        yield Due("handover", prospect.handover_due_at, MeetHandover(prospect.handover_due_at))
    if prospect.rework_until is not None:
        yield Due("rework", prospect.rework_until, ReleaseProspect(prospect.rework_until))
    if prospect.parked_until is not None:
        yield Due("wake", prospect.parked_until, WakeProspect(prospect.parked_until))
