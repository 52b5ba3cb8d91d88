"""What happens to a client at account management: served, sold to again, a regular customer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from conveyor_events.money import Amount, payable
from conveyor_events.sale import Payment, Refund, Sale
from conveyor_events.words import Event, Instant, LineId, OfferId, Reason, Seat, ServedBy


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


class RepeatSale(Event):
    """A buyer bought again."""

    sale: Sale
    tax: Amount

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        payable(self.sale.currency, self.tax)
        return self


class PaymentReceived(Payment):
    """The client paid for a repeat sale, in part or in full."""


class PaymentRefunded(Refund):
    """The client got money of a repeat sale back."""


class CustomerBecameRegular(Event):
    """The buyer bought often enough within the policy's days to count as a regular customer."""

    line: LineId
    served_by: ServedBy
    purchases: Annotated[int, Field(description="purchases counted, the first sale included")]
    since: Annotated[Instant, Field(description="when the status took effect")]
