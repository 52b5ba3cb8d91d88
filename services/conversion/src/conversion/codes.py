"""The refusals of this station: code -> (HTTP status, title). Those of every service stand in the belt's table."""

from __future__ import annotations

CODES: dict[str, tuple[int, str]] = {
    # the lead offer
    "offer.unknown": (404, "There is no such offer"),
    "offer-expired": (409, "The offer was not answered in time and has moved on"),
    "reason-not-allowed": (422, "This reason is not on the list"),
    # the opportunity
    "opportunity.unknown": (404, "There is no such opportunity"),
    "opportunity.not-yours": (403, "The opportunity is somebody else's"),
    "opportunity.not-in-team": (403, "Opportunities are opened by the conversion team of the line"),
    "opportunity.id-taken": (409, "Another opportunity bears this id"),
    "opportunity.need-open": (409, "Another opportunity is open for this client and need"),
    "opportunity.wrong-stage": (409, "The opportunity is in another stage"),
    "opportunity.discount-needs-manager": (403, "A discount above the line's limit is a manager's to give"),
    "line.unknown": (422, "The line is not staffed"),
    "meeting.already-held": (409, "The meeting was held and told differently"),
    "meeting.objective-unknown": (422, "A meeting reached its goal in full, fell back, or did not"),
    "existing-customer": (409, "The client is somebody's customer already; what it buys now is a repeat sale"),
    # what is agreed
    "terms.no-price": (422, "A price needs lines or a net"),
    "terms.impossible-line": (422, "A line has a quantity above zero and a discount from 0 to 100 per cent"),
    "terms.lines-do-not-add-up": (422, "The lines do not add up to the net"),
    "terms.schedule-does-not-add-up": (422, "The payment schedule does not add up to net and tax"),
    "terms.split-without-weight": (422, "Each part of a sale has a weight above zero"),
    "terms.split-names-twice": (422, "The parts of a sale name different people"),
    "terms.split-without-owner": (422, "Whoever owns the sale has a part in it"),
    "terms.split-unknown-person": (422, "A part of the sale names somebody who does not work here"),
    # the deal and its money
    "deal.unknown": (404, "There is no such deal"),
    "deal.not-yours": (403, "The deal is somebody else's"),
    "deal.id-taken": (409, "Another deal bears this id"),
    "deal.account-not-rejected": (409, "The buyer is offered again only after a rejection"),
    "deal.receiver-not-in-team": (422, "The named receiver does not work in the account team"),
    "payment.unknown": (404, "The deal has no such payment"),
    "payment.id-taken": (409, "Another payment of this deal bears this id"),
    "payment.exceeds-deal": (409, "More would be paid than the deal's net"),
    "refund.id-taken": (409, "Another refund of this deal bears this id"),
    "refund.exceeds-payments": (409, "More would be given back than was paid"),
    "refund.before-payment": (422, "The refund is dated before the payment it gives back"),
    "money.unknown-currency": (422, "Not an active ISO 4217 currency"),
    "money.other-currency": (422, "The deal is in another currency"),
    "money.minor-units": (422, "The amount has more digits than the currency has minor units"),
    "money.not-positive": (422, "The amount must be above zero"),
    "money.negative": (422, "The amount must not be negative"),
    "money.too-large": (422, "The amount is larger than any sale"),
}
