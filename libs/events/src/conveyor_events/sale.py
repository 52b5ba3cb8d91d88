"""The sale and the money that moves for it. Every money fact carries its sale, so each can be read alone."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conveyor_events.money import Amount, payable
from conveyor_events.words import ConvertedBy, Event, Instant, LineId, PersonId, ServedBy, SourcedBy

Currency = Annotated[str, Field(description="ISO 4217 code")]


class SplitPart(BaseModel):
    """One person's part of a sale that several people made."""

    model_config = ConfigDict(frozen=True, extra="allow")

    person: PersonId
    role: str
    weight: Annotated[Amount, Field(gt=0, description="share, relative to the other parts")]


class Sale(BaseModel):
    """What was sold, when, and who sat in which seat at that moment."""

    model_config = ConfigDict(frozen=True, extra="allow")

    sale_id: str
    kind: Annotated[str, Field(description="first or repeat")]
    line: LineId
    net: Annotated[Amount, Field(description="after discount, before tax")]
    currency: Currency
    sold_at: Annotated[Instant, Field(description="the business instant of the sale")]
    sourced_by: SourcedBy
    converted_by: ConvertedBy
    served_by: Annotated[ServedBy | None, Field(description="who served the buyer then; none on a first sale")] = None
    splits: Annotated[list[SplitPart], Field(description="agreed parts; on a repeat sale the co-sell parts")] = []

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.currency, self.net)
        return self


class Payment(Event):
    """Money for a sale came in."""

    payment_id: str
    sale: Sale
    net: Annotated[Amount, Field(description="this payment without tax")]
    currency: Currency
    paid_net_total: Annotated[Amount, Field(description="all payments of the sale so far, this one included")]

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.currency, self.net, self.paid_net_total)
        return self


class Refund(Event):
    """Money for a sale went back."""

    refund_id: str
    payment_id: Annotated[str, Field(description="the payment that is given back, in part or in full")]
    payment_at: Annotated[Instant, Field(description="when that payment came in; day 0 of the clawback steps")]
    sale: Sale
    net: Annotated[Amount, Field(description="this refund without tax, as a positive amount")]
    currency: Currency
    refunded_net_total: Annotated[Amount, Field(description="all refunds of the sale so far, this one included")]
    empties: Annotated[bool, Field(description="the sale's payments are now all refunded")]

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.currency, self.net, self.refunded_net_total)
        return self
