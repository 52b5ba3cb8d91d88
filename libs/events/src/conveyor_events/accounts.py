"""What happens to a client at account management: served, sold to again, a regular customer."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conveyor_events.money import Amount, payable
from conveyor_events.sale import Payment, Refund, Sale
from conveyor_events.words import Event, Instant, LineId, OfferId, PersonId, Reason, Seat, ServedBy


class AccountAccepted(Event):
    """A buyer is taken into service, by the receiver or by itself where hands do not change."""

    line: LineId
    offer_id: OfferId
    served_by: ServedBy
    mode: Annotated[str, Field(description="self or accepted")]


class AccountRejected(Event):
    """The receiver refuses a buyer; the sender mends what is missing and offers again."""

    line: LineId
    offer_id: OfferId
    rejected_by: Seat
    reason: Reason


class AccountOfferExpired(Event):
    """Nobody took the buyer in time."""

    line: LineId
    offer_id: OfferId
    to: Annotated[Seat | None, Field(description="who stayed silent; none is the queue")] = None
    due_at: Instant


class SeatAssigned(Event):
    """A seat has a holder from `since` until the next assignment. Repeat sales are paid by these intervals."""

    line: LineId
    seat: Annotated[str, Field(description="served_by")]
    holder: Seat
    since: Instant


class Legacy(BaseModel):
    """Who served the client before, and is remembered in the pay of its repeat sales for a while."""

    model_config = ConfigDict(frozen=True, extra="allow")

    person: PersonId
    until: Annotated[Instant, Field(description="exclusive: a sale made at or after it is none of theirs")]


FromBefore = Annotated[Legacy | None, Field(description="none unless the sale was made within the term of one")]


class RepeatSale(Event):
    """A buyer bought again."""

    sale: Sale
    tax: Amount
    legacy: FromBefore = None

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.sale.currency, self.tax)
        return self


class PaymentReceived(Payment):
    """The client paid for a repeat sale, in part or in full."""

    legacy: FromBefore = None


class PaymentRefunded(Refund):
    """The client got money of a repeat sale back."""

    legacy: FromBefore = None


class CustomerBecameRegular(Event):
    """The buyer bought often enough within the policy's days to count as a regular customer."""

    line: LineId
    served_by: ServedBy
    purchases: Annotated[int, Field(description="purchases counted, the first sale included")]
    since: Annotated[Instant, Field(description="when the status took effect")]


class AccountAtRiskFlagged(Event):
    """The customer may be lost: a complaint, a low score, half the time of lapsing without a purchase."""

    line: LineId
    served_by: ServedBy
    reason: Reason


class CustomerLapsed(Event):
    """The customer bought nothing for the policy's days. What it buys later is a return."""

    line: LineId
    served_by: ServedBy
    last_purchase_at: Annotated[Instant | None, Field(description="none: no purchase counts any more")] = None
    after_days: Annotated[int, Field(description="calendar days without a purchase, in the zone of the line")]


class CustomerReturned(Event):
    """A lapsed or churned customer bought again: a new journey begins, in the variant that the line has that day.

    A purchase made before the lapse that became known after it takes the lapse back: then the journey stays the same.
    """

    line: LineId
    served_by: ServedBy
    sale_id: str
    after_days: Annotated[int, Field(description="calendar days since the purchase before, in the zone of the line")]
    journey_id: Annotated[str, Field(description="the journey from now on")]


class CustomerChurned(Event):
    """The customer said that it will not buy any more."""

    line: LineId
    served_by: ServedBy
    reason: Reason


class AccountReassigned(Event):
    """The account goes from one holder to another; SeatAssigned tells the same as an interval."""

    model_config = ConfigDict(frozen=True, extra="allow", serialize_by_alias=True, validate_by_name=True)

    line: LineId
    from_: Annotated[Seat, Field(alias="from", description="who served the client until now")]
    to: Seat
    reason: Reason
    legacy_until: Annotated[
        Instant | None, Field(description="until then repeat sales name the one before as well; exclusive")
    ] = None
