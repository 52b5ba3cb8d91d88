"""What this station does about the others' public events. Pure: the same event always gives the same commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from belt.core.decider import Step
from belt.core.erasure import erase
from conversion import deal, offer, roster
from conversion.offer import Lead, ReceiveLead, WithdrawLead
from conversion.opportunity import client
from conveyor_events import Envelope, Event, accounts, leads, staff

TOPICS = ("conveyor.staff.v1", "conveyor.leads.v1", "conveyor.accounts.v1")


class Incomplete(ValueError):
    """An event about a client that does not say on which journey, in which variant."""


def react(event: Event, envelope: Envelope) -> Sequence[Step]:
    at = envelope.occurred_at
    match event:
        case (
            staff.StaffHired()
            | staff.RoleGranted()
            | staff.RoleRevoked()
            | staff.AbsenceSet()
            | staff.StaffLeft()
            | staff.LineStaffed()
        ):
            return (Step(roster.CATEGORY, roster.COMPANY, roster.Learn(at, event)),)
        case leads.LeadQualified():
            return (Step(offer.CATEGORY, event.offer_id, _received(event, envelope)),)
        case leads.LeadWithdrawn():
            return (Step(offer.CATEGORY, event.offer_id, WithdrawLead(at, event.reason)),)
        case leads.JourneyMigrated():
            if envelope.journey_id is None:
                raise Incomplete(f"{envelope.type} {envelope.id} names no journey")
            moved = client.NoteMigrated(at, envelope.subject, envelope.journey_id, event.variant)
            return (Step(client.CATEGORY, envelope.subject, moved),)
        case leads.PersonalDataErased():
            return (erase(envelope.subject, at),)
        case accounts.SeatAssigned(seat="served_by"):
            known = client.NoteServed(at, envelope.subject, event.holder, event.since)
            return (Step(client.CATEGORY, envelope.subject, known),)
        case accounts.AccountAccepted():
            taken = client.NoteAnswer(at, envelope.subject, event.offer_id, deal.ACCEPTED, event.served_by)
            return (Step(client.CATEGORY, envelope.subject, taken),)
        case accounts.AccountRejected():
            refused = client.NoteAnswer(
                at, envelope.subject, event.offer_id, deal.REJECTED, event.rejected_by, event.reason
            )
            return (Step(client.CATEGORY, envelope.subject, refused),)
        case _:
            return ()


def _received(event: leads.LeadQualified, envelope: Envelope) -> ReceiveLead:
    if envelope.client_id is None or envelope.journey_id is None or envelope.variant is None:
        raise Incomplete(f"{envelope.type} {envelope.id} names no client, journey or variant")
    mode: Literal["offer", "self"] = "self" if event.mode == "self" else "offer"
    lead = Lead(
        offer=event.offer_id,
        client=envelope.client_id,
        journey=envelope.journey_id,
        variant=envelope.variant,
        line=event.line,
        need=event.need_id,
        attempt=event.attempt,
        sourced_by=event.sourced_by,
        team=event.team,
        first_touch_due_at=event.first_touch_due_at,
        credit_until=event.credit_until,
    )
    return ReceiveLead(envelope.occurred_at, lead, event.to, mode, event.accept_due_at)
