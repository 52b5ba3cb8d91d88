"""What this station does when it hears from conversion: public event in, commands out. All on the client's own stream.

Clients that conversion found by itself are unknown here; what is said of them is refused and so changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from belt.core.decider import Step
from conveyor_events import deals
from conveyor_events.envelope import Envelope
from conveyor_events.words import Event, Role, Seat
from lead_gen.prospect.commands import HandOver, MakeCustomer, MoveOffer, Recycle, ReturnLead, Told
from lead_gen.prospect.state import CATEGORY

TOPICS = ("conveyor.deals.v1",)


def react(event: Event, envelope: Envelope) -> Sequence[Step]:
    command = _wanted(event, envelope)
    return [Step(CATEGORY, envelope.subject, command)] if command is not None else ()


def _wanted(event: Event, envelope: Envelope) -> Told | None:
    at = envelope.occurred_at
    match event:
        case deals.LeadAccepted(offer_id=offer_id, need_id=need_id, sourced_by=sourced_by, converted_by=converted_by):
            return HandOver(offer_id, need_id, sourced_by, converted_by, at)
        case deals.LeadRejected(offer_id=offer_id, reason=reason, rejected_by=by):
            return ReturnLead(offer_id, reason, by, at)
        case deals.LeadOfferRerouted(offer_id=offer_id, to=to):
            return MoveOffer(offer_id, to, at)
        case deals.LeadOfferEscalated(offer_id=offer_id, to=to):
            return MoveOffer(offer_id, Seat(person=to, role=Role.MANAGER) if to is not None else None, at)
        case deals.OpportunityRecycled(others_open=True):
            return None  # it is still sold to
        case deals.OpportunityRecycled(reason=reason, not_before=not_before, sourced_by=sourced_by):
            return Recycle(reason, not_before, sourced_by, at)
        case deals.DealClosed(sale=sale):
            return MakeCustomer(sale.converted_by, at)
        case _:
            return None  # an expired offer stays open: it is the next station's to pass on
