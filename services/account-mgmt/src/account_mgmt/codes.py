"""The refusals of this station: code -> (HTTP status, title). Those of every service stand in the belt's table."""

from __future__ import annotations

CODES: dict[str, tuple[int, str]] = {
    "offer.unknown": (404, "There is no such offer"),
    "account.unknown": (404, "There is no such account"),
    "account.not-yours": (403, "The account is served by somebody else"),
    "account.wrong-stage": (409, "Nothing is sold to an account in this stage"),
    "sale.unknown": (404, "There is no such repeat sale"),
    "sale.id-taken": (409, "Another sale bears this id"),
    "sale.co-sell-people": (422, "A sale is shared by two or more different people"),
    "sale.co-sell-without-holder": (422, "Whoever serves the client has a part in a shared sale"),
    "sale.co-sell-role": (422, "The person did not hold this role when the sale was made"),
    "self-test.unknown": (404, "There is no such self-test, or not in this version"),
    "self-test.version-unknown": (422, "The self-test has no such version"),
    "self-test.answers-do-not-fit": (422, "Each statement of the self-test needs one answer from 1 to 5"),
    "self-test.too-soon": (409, "The self-test may be taken again on the day given"),
    "attempt.unknown": (404, "You made no such attempt"),
    "attempt.id-taken": (409, "Another attempt of yours bears this id"),
    "terms.lines-do-not-add-up": (422, "The lines do not add up to the net"),
    "payment.unknown": (404, "The sale has no such payment"),
    "payment.id-taken": (409, "Another payment of this sale bears this id"),
    "payment.exceeds-sale": (409, "More would be paid than the sale's net"),
    "refund.id-taken": (409, "Another refund of this sale bears this id"),
    "refund.exceeds-payments": (409, "More would be given back than was paid"),
    "refund.before-payment": (422, "The refund is dated before the payment it gives back"),
    "money.unknown-currency": (422, "Not an active ISO 4217 currency"),
    "money.other-currency": (422, "The sale is in another currency"),
    "money.minor-units": (422, "The amount has more digits than the currency has minor units"),
    "money.not-positive": (422, "The amount must be above zero"),
    "money.negative": (422, "The amount must not be negative"),
    "money.too-large": (422, "The amount is larger than any sale"),
}
