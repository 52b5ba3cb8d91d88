"""Which events follow from a command, and what the account is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from account_mgmt import account as accounts
from account_mgmt.account import Account, CountPurchase, NotePurchase, seat_of
from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from account_mgmt.sale.commands import Command, RecordPayment, RecordRefund, RecordRepeatSale
from account_mgmt.sale.events import Event, Item, PaymentRecorded, RefundRecorded, SaleRecorded
from account_mgmt.sale.state import EXACT, ZERO, Paid, SaleBook, Stage, total
from belt.core.decider import Refused, Step
from conveyor_events.money import MINOR_UNITS, fits, plain, round_half_up
from conveyor_events.roster import Roster
from conveyor_events.sale import Sale
from conveyor_events.words import HOUSE, Seat


def reads(_id: str, command: Command, book: SaleBook) -> Sequence[tuple[str, str]]:
    """The account decides who may act and who is credited."""
    client = command.client if isinstance(command, RecordRepeatSale) else book.recorded and book.recorded.client
    return [(accounts.CATEGORY, client), (ROSTER, COMPANY)] if client else []


MOST = Decimal(10) ** 15
"""More than any sale: totals of payments and refunds stay far below what an amount may be."""
NO_ACCOUNT, NO_ROSTER = Account(), Roster()


def decide(
    command: Command, book: SaleBook, account: Account = NO_ACCOUNT, roster: Roster = NO_ROSTER
) -> Sequence[Event]:
    known = book.recorded
    if isinstance(command, RecordRepeatSale):
        return _sell(command, account, roster) if known is None else _same_sale(command, known)
    if known is None:
        raise Refused("sale.unknown")
    by = seat_of(account, roster, command.by, command.at)
    match command:
        case RecordPayment():
            return _pay(command, book, known.sale, by)
        case RecordRefund():
            return _refund(command, book, known.sale, by)
        case _:
            assert_never(command)


def _sell(command: RecordRepeatSale, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    if account.purchase(command.sale_id) is not None:
        raise Refused("sale.id-taken", sale_id=command.sale_id)  # the first sale bears it
    sold_at = command.sold_at or command.at
    if sold_at > command.at:
        raise Refused("future-date", sold_on=sold_at.isoformat(), at=command.at.isoformat())
    net, tax = _amount("net", command.net, command.currency), _amount("tax", command.tax, command.currency, least=ZERO)
    lines = total(_net(item, command.currency) for item in command.items)
    if command.items and lines != net:
        raise Refused("terms.lines-do-not-add-up", net=plain(net), lines=plain(lines))
    holder = account.holder_at(sold_at)
    _check_parts(command, sold_at, holder, roster)
    sale = Sale(
        sale_id=command.sale_id,
        kind="repeat",
        line=account.line,
        net=net,
        currency=command.currency,
        sold_at=sold_at,
        sourced_by=account.sourced_by,
        converted_by=account.converted_by,
        served_by=holder,
        splits=list(command.co_sell),
    )
    # Bought after it was given up, the client begins a new journey, and this sale is the first on it.
    note = NotePurchase(command.at, account.client, command.sale_id, sold_at, by)
    after = accounts.fold(account, accounts.decide(note, account, roster))
    return [
        SaleRecorded(
            command.at,
            by,
            account.client,
            after.journey,
            after.variant,
            sale,
            tax,
            command.items,
            account.legacy_at(sold_at),
        )
    ]


def _check_parts(command: RecordRepeatSale, sold_at: datetime, holder: Seat, roster: Roster) -> None:
    """Agreed parts are between different people in roles they hold, and whoever serves the client is among them."""
    people = [part.person for part in command.co_sell]
    if not people:
        return
    if len(people) < 2 or len(set(people)) < len(people) or HOUSE in people:
        raise Refused("sale.co-sell-people", people=people)
    if holder.person not in (HOUSE, *people):
        raise Refused("sale.co-sell-without-holder", served_by=holder.person)
    for part in command.co_sell:
        if not roster.holds(part.person, part.role, sold_at):
            raise Refused("sale.co-sell-role", person=part.person, role=part.role)


def _same_sale(command: RecordRepeatSale, known: SaleRecorded) -> list[Event]:
    """Said twice, nothing new happened; another sale under the same id is refused."""
    sale = known.sale
    said = (command.client, command.net, command.tax, command.currency, command.items, command.co_sell)
    kept = (known.client, sale.net, known.tax, sale.currency, known.items, tuple(sale.splits))
    if said != kept or command.sold_at not in (None, sale.sold_at):
        raise Refused("sale.id-taken", sale_id=sale.sale_id)
    return []


def _pay(command: RecordPayment, book: SaleBook, sale: Sale, by: Seat) -> list[Event]:
    net = _same_currency(command, sale)
    known = next((paid for paid in book.payments if paid.payment_id == command.payment_id), None)
    if known is not None:
        if known.net != net:
            raise Refused("payment.id-taken", payment_id=known.payment_id)
        return []
    owed = EXACT.subtract(sale.net, book.left)
    if net > owed:
        raise Refused("payment.exceeds-sale", owed=plain(owed), currency=sale.currency)
    return [PaymentRecorded(command.at, by, command.payment_id, net, restores=book.stage is Stage.REFUNDED)]


def _refund(command: RecordRefund, book: SaleBook, sale: Sale, by: Seat) -> list[Event]:
    """Each payment gives back what is left of it, the oldest first, unless one is named."""
    net = _same_currency(command, sale)
    known = [refund for refund in book.refunds if refund.refund_id == command.refund_id]
    if known:
        named = command.payment_id is None or command.payment_id in {refund.payment_id for refund in known}
        if total(refund.net for refund in known) != net or not named:
            raise Refused("refund.id-taken", refund_id=command.refund_id)
        return []
    givers = _givers(command, book)
    available = total(paid.left for paid in givers)
    if net > available:
        raise Refused("refund.exceeds-payments", left=plain(available), currency=sale.currency)
    events: list[Event] = []
    rest, left = net, book.left
    for paid in givers:
        part = min(rest, paid.left)
        if part:
            rest, left = EXACT.subtract(rest, part), EXACT.subtract(left, part)
            refund = RefundRecorded(command.at, by, command.refund_id, paid.payment_id, paid.at, part, empties=not left)
            events.append(refund)
    return events


def _givers(command: RecordRefund, book: SaleBook) -> Sequence[Paid]:
    """The named payment, or those that came in by then, the oldest first."""
    if command.payment_id is None:
        return sorted((paid for paid in book.payments if paid.at <= command.at), key=lambda paid: paid.at)
    named = [paid for paid in book.payments if paid.payment_id == command.payment_id]
    if not named:
        raise Refused("payment.unknown", payment_id=command.payment_id)
    if command.at < named[0].at:
        raise Refused("refund.before-payment", payment_at=named[0].at.isoformat())
    return named


def _same_currency(command: RecordPayment | RecordRefund, sale: Sale) -> Decimal:
    if command.currency != sale.currency:
        raise Refused("money.other-currency", currency=command.currency, sale=sale.currency)
    return _amount("net", command.net, sale.currency)


def _net(item: Item, currency: str) -> Decimal:
    """A line's net, rounded once."""
    kept = EXACT.divide(EXACT.subtract(Decimal(100), item.discount_pct), Decimal(100))
    return round_half_up(EXACT.multiply(EXACT.multiply(item.qty, item.unit_price), kept), currency)


def _amount(name: str, value: Decimal, currency: str, least: Decimal | None = None) -> Decimal:
    """The amount to its minor units: above zero, or not below `least`, and payable to the last digit."""
    if currency not in MINOR_UNITS:
        raise Refused("money.unknown-currency", currency=currency)
    if not fits(value, currency):
        raise Refused("money.minor-units", field=name, amount=plain(value), digits=MINOR_UNITS[currency])
    if least is None and value <= ZERO:
        raise Refused("money.not-positive", field=name, amount=plain(value))
    if least is not None and value < least:
        raise Refused("money.negative", field=name, amount=plain(value))
    if value > MOST:
        raise Refused("money.too-large", field=name, amount=plain(value), most=plain(MOST))
    return round_half_up(value, currency)


def follow(event: Event, book: SaleBook) -> Sequence[Step]:
    """What the account is to know in the same breath."""
    known = book.recorded
    if known is None:
        return ()
    match event:
        case SaleRecorded(at=at, by=by, client=client, sale=sale):
            return [Step(accounts.CATEGORY, client, NotePurchase(at, client, sale.sale_id, sale.sold_at, by))]
        case PaymentRecorded(at=at, restores=True) | RefundRecorded(at=at, empties=True):
            counts = isinstance(event, PaymentRecorded)
            return [Step(accounts.CATEGORY, known.client, CountPurchase(at, known.sale.sale_id, counts))]
        case _:
            return ()
