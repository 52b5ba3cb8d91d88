"""Where the client stands by what it buys: a regular customer, silent for too long, gone, back again.

Due instants are stamped when the client buys, by the policy of that day. What was due by the time of a command has
happened at its own instant, whenever the clock looks.
"""

from __future__ import annotations

from datetime import datetime

from account_mgmt.account.commands import Command, NotePurchase
from account_mgmt.account.events import (
    AccountAtRiskFlagged,
    AccountRiskCleared,
    BecameRegular,
    CustomerLapsed,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    PurchaseNoted,
)
from account_mgmt.account.state import Account, evolve, fold
from account_mgmt.account.words import ACTIVE, RiskCause, Status
from belt.core.calendar import days_between, days_later
from belt.core.ids import derived
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import Seat


def policy_of(account: Account, roster: Roster, at: datetime) -> tuple[Policy, str]:
    """The policy in force and the zone in which days are counted; the usual ones while the line is not known."""
    staffed = roster.line(account.line, at)
    return (staffed.policy, staffed.zone) if staffed else (Policy(), "UTC")


def overdue(at: datetime, account: Account, roster: Roster) -> list[Event]:
    """All that silence has caused by `at`."""
    events: list[Event] = []
    while account.status in ACTIVE:
        event = _next(at, account, roster)
        if event is None:
            break
        events.append(event)
        account = evolve(account, event)
    return events


def _next(at: datetime, account: Account, roster: Roster) -> Event | None:
    risk, lapse = account.risk_due_at, account.lapse_due_at
    if risk is not None and risk <= at and (lapse is None or risk < lapse):
        return AccountAtRiskFlagged(risk, RiskCause.SILENCE, RiskCause.SILENCE, account.holder_at(risk))
    if lapse is None or lapse > at:
        return None
    quiet = account.quiet_since or lapse
    _, zone = policy_of(account, roster, quiet)
    silent = days_between(zone, quiet, lapse)
    return CustomerLapsed(lapse, account.holder_at(lapse), account.last_purchase_at, silent)


def bought(command: NotePurchase, account: Account, roster: Roster) -> list[Event]:
    """A purchase; after the client was given up, it is a return."""
    if account.purchase(command.sale_id) is not None:
        return []
    noted: list[Event] = [PurchaseNoted(command.at, command.client, command.sale_id, command.sold_at)]
    gone_at = account.gone_at
    if gone_at is None:
        return noted
    again = command.sold_at >= gone_at
    if not again and account.status is Status.CHURNED:
        return noted  # bought, then left: it only became known late
    _, zone = policy_of(account, roster, command.sold_at)
    before = account.last_purchase_at or _began(account)
    staffed = roster.line(account.line, command.sold_at)
    returned = CustomerReturned(
        command.at,
        command.by,
        max(command.sold_at, gone_at),
        command.sale_id,
        max(days_between(zone, before, command.sold_at), 0),
        derived(account.client, "journey", command.sale_id) if again or account.journey is None else account.journey,
        staffed.variant if again and staffed else account.variant,
        again,
        account.holder_at(command.sold_at),
    )
    return [*noted, returned]


def consequences(command: Command, by: Seat | None, account: Account, roster: Roster) -> list[Event]:
    """What a change of the purchases means for the status."""
    events = _deadlines(command, by, account, roster)
    return [*events, *_regular(command.at, by, fold(account, events), roster)]


def _deadlines(command: Command, by: Seat | None, account: Account, roster: Roster) -> list[Event]:
    """From the last purchase that counts. Only a purchase may have been overdue before it was known."""
    if account.status not in ACTIVE:
        return []
    quiet = account.last_purchase_at or _began(account)
    if quiet == account.quiet_since:
        return []
    policy, zone = policy_of(account, roster, command.at)
    days = max(policy.lapse_days, 1)
    risk, lapse = days_later(zone, quiet, (days + 1) // 2), days_later(zone, quiet, days)
    if not isinstance(command, NotePurchase):
        risk, lapse = max(risk, command.at), max(lapse, command.at)
    broken: list[Event] = [
        AccountRiskCleared(command.at, gone.cause, gone.ref, by)
        for gone in account.risks
        if gone.cause is RiskCause.SILENCE
    ]
    return [*broken, DeadlinesStamped(command.at, quiet, risk, lapse)]


def _began(account: Account) -> datetime:
    """When this journey's service began."""
    return account.counted_from or account.holdings[0].since


def _regular(at: datetime, by: Seat | None, account: Account, roster: Roster) -> list[Event]:
    """Enough purchases within the days of the policy: the day of the first is day 0, the last day is included."""
    if account.status is not Status.BUYER:
        return []
    policy, zone = policy_of(account, roster, at)
    made = sorted(
        (purchase.sold_at, purchase.sale_id)
        for purchase in account.purchases
        if purchase.counts and (account.counted_from is None or purchase.sold_at >= account.counted_from)
    )
    for (first, _), (last, _) in zip(made, made[max(policy.regular_purchases, 1) - 1 :], strict=False):
        if days_between(zone, first, last) <= policy.regular_days:
            since = max(last, account.holdings[0].since)
            return [BecameRegular(at, by, since, account.holder_at(since), policy.regular_purchases)]
    return []
