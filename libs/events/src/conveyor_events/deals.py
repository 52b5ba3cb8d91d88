"""What happens to a client at conversion: the lead decided, the first sale made and paid, the buyer handed on."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conveyor_events.money import Amount, payable
from conveyor_events.sale import Currency, Payment, Refund, Sale
from conveyor_events.words import (
    Attempt,
    ConvertedBy,
    Event,
    Instant,
    LineId,
    NeedId,
    OfferId,
    OpportunityId,
    Reason,
    Seat,
    SourcedBy,
    TeamId,
)


class LeadAccepted(Event):
    """A lead is taken: by the receiver, by itself where hands do not change, or after an overturned rejection."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    converted_by: ConvertedBy
    mode: Annotated[str, Field(description="self, accepted or overturned")]
    reroutes: Annotated[int, Field(description="how many receivers let it expire before")]


class LeadRejected(Event):
    """The receiver refuses a lead for one of the allowed reasons."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    rejected_by: Seat
    reason: Reason


class LeadOfferExpired(Event):
    """Nobody answered in time. For the scout's pay this counts as accepted."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    to: Annotated[Seat | None, Field(description="who stayed silent; none is the queue")] = None
    due_at: Instant


class LeadOfferRerouted(Event):
    """An expired offer goes to the next receiver."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    to: Annotated[Seat | None, Field(description="the next receiver; none is the queue")] = None
    reroutes: Annotated[int, Field(description="how many times it moved so far")]
    accept_due_at: Instant


class LeadOfferEscalated(Event):
    """All re-routes are used up; a manager has to assign the lead."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    to: Annotated[str | None, Field(description="the manager who is asked")] = None


class RejectionDisputed(Event):
    """The sender, or a manager, says that a rejection was wrong."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    disputed_by: Seat


class RejectionUpheld(Event):
    """A manager finds that the rejection was right."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    decided_by: Seat


class RejectionOverturned(Event):
    """A manager finds that the rejection was wrong. LeadAccepted (mode overturned) follows."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    decided_by: Seat


class FirstTouchMade(Event):
    """The hunter's first contact with a client that came as a lead."""

    line: LineId
    opportunity_id: OpportunityId
    converted_by: ConvertedBy
    due_at: Annotated[Instant | None, Field(description="none: no clock ran")] = None


class FirstTouchMissed(Event):
    """The first contact was due, and there was none."""

    line: LineId
    opportunity_id: OpportunityId
    converted_by: ConvertedBy
    due_at: Instant


class OpportunityOpened(Event):
    """A chance to sell is opened, from an accepted lead or from a hunter's own find."""

    line: LineId
    opportunity_id: OpportunityId
    need_ids: list[str]
    sourced_by: SourcedBy
    converted_by: ConvertedBy


class MeetingHeld(Event):
    """A meeting with the client took place."""

    line: LineId
    opportunity_id: OpportunityId
    meeting_id: str
    objective_met: Annotated[str, Field(description="full, fallback or no")]
    converted_by: ConvertedBy


class ProposalSent(Event):
    """A proposal, or a revision of it, went to the client."""

    line: LineId
    opportunity_id: OpportunityId
    proposal_id: str
    revision: int
    net: Amount
    tax: Amount
    currency: Currency
    valid_until: date | None = None

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.currency, self.net, self.tax)
        return self


class Instalment(BaseModel):
    """A part of the price and the day it falls due."""

    model_config = ConfigDict(frozen=True, extra="allow")

    due_on: date
    amount: Amount


class DealClosed(Event):
    """The first sale is won."""

    sale: Sale
    deal_id: str
    opportunity_id: OpportunityId
    tax: Amount
    payment_schedule: list[Instalment]

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.sale.currency, self.tax, *(part.amount for part in self.payment_schedule))
        return self


class OpportunityLost(Event):
    """The chance to sell is gone."""

    line: LineId
    opportunity_id: OpportunityId
    reason: Reason


class OpportunityRecycled(Event):
    """A lost client goes back to lead generation, to be called again later."""

    line: LineId
    opportunity_id: OpportunityId
    reason: Reason
    not_before: Annotated[Instant | None, Field(description="not to be called before")] = None
    sourced_by: SourcedBy
    converted_by: ConvertedBy
    others_open: Annotated[bool, Field(description="the client stays: another opportunity of it is open")] = False


class PaymentReceived(Payment):
    """The client paid for a first sale, in part or in full."""


class PaymentRefunded(Refund):
    """The client got money of a first sale back."""


class DealCancelled(Event):
    """A first sale is off. What was paid and released stays; nothing more is released."""

    sale: Sale
    deal_id: str
    reason: Reason


class DealRefused(Event):
    """Somebody tried to close a deal that is not theirs to close. The attempt itself is a fact."""

    line: LineId
    opportunity_id: str | None = None
    attempted_by: Seat
    served_by: Annotated[Seat | None, Field(description="who serves the customer")] = None
    reason: Reason
    net: Amount | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        if self.net is not None and self.currency is not None:
            payable(self.currency, self.net)
        return self


class AccountOffered(Event):
    """The buyer is offered to account management: handover 2 begins."""

    line: LineId
    offer_id: OfferId
    deal_id: str
    to: Annotated[Seat | None, Field(description="the receiver; none is the queue of the team")] = None
    team: TeamId
    mode: Annotated[str, Field(description="offer, or self where hands do not change")]
    attempt: Attempt
    accept_due_at: Annotated[Instant | None, Field(description="silence until then expires the offer")] = None
    sourced_by: SourcedBy
    converted_by: ConvertedBy
    checklist: Annotated[list[str], Field(description="what the sender confirms as handed over")]
    open_promises: Annotated[list[str], Field(description="codes of what was promised and is not kept yet")] = []
