"""What this station does when it hears of something: public event in, commands out.

Staff, leads and deals arrive in any order to each other; the events of one client on one topic arrive in theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from account_mgmt import account, offer, roster
from account_mgmt.account import CountPurchase, MigrateAccount, NotePurchase, OpenAccount
from account_mgmt.offer import ReceiveOffer
from account_mgmt.roster import Learn
from belt.core.decider import Step
from belt.core.erasure import erase
from conveyor_events import deals, leads, staff
from conveyor_events.envelope import Envelope
from conveyor_events.words import Event, UnknownVariant

STAFF = "conveyor.staff.v1"
LEADS = "conveyor.leads.v1"
DEALS = "conveyor.deals.v1"
TOPICS = (STAFF, LEADS, DEALS)

_ROSTER = (
    staff.StaffHired,
    staff.StaffLeft,
    staff.RoleGranted,
    staff.RoleRevoked,
    staff.AbsenceSet,
    staff.LineStaffed,
)


def react(event: Event, envelope: Envelope) -> Sequence[Step]:
    at, client = envelope.occurred_at, envelope.subject
    match event:
        case _ if isinstance(event, _ROSTER):
            return [Step(roster.CATEGORY, roster.COMPANY, Learn(at, event))]
        case deals.DealClosed(sale=sale):
            return [Step(account.CATEGORY, client, NotePurchase(at, client, sale.sale_id, sale.sold_at))]
        case deals.PaymentReceived(sale=sale):
            return [Step(account.CATEGORY, client, CountPurchase(at, sale.sale_id, counts=True))]
        case deals.PaymentRefunded(sale=sale, empties=True) | deals.DealCancelled(sale=sale):
            return [Step(account.CATEGORY, client, CountPurchase(at, sale.sale_id, counts=False))]
        case leads.JourneyMigrated(variant=variant, served_by=served_by, legacy_until=until):
            migrated = MigrateAccount(at, variant, envelope.actor, served_by, until, client)
            return [Step(account.CATEGORY, client, migrated)]
        case leads.PersonalDataErased():
            return [erase(client, at)]
        case deals.AccountOffered():
            return _offered(event, envelope)
        case _:
            return ()


def _offered(event: deals.AccountOffered, envelope: Envelope) -> Sequence[Step]:
    """The account is opened and waits; the offer of it is decided in a stream of its own."""
    at, client = envelope.occurred_at, envelope.subject
    if envelope.variant is None:
        raise UnknownVariant("an account is offered on a journey, and every journey has a variant")
    opened = OpenAccount(
        at,
        client=client,
        journey=envelope.journey_id,
        variant=envelope.variant,
        line=event.line,
        sourced_by=event.sourced_by,
        converted_by=event.converted_by,
        itself=event.mode == "self",
    )
    received = ReceiveOffer(
        at,
        offer_id=event.offer_id,
        client=client,
        journey=envelope.journey_id,
        variant=envelope.variant,
        line=event.line,
        deal_id=event.deal_id,
        team=event.team,
        mode=event.mode,
        attempt=event.attempt,
        to=event.to.person if event.to is not None else None,
        due_at=event.accept_due_at,
        sourced_by=event.sourced_by,
        converted_by=event.converted_by,
        checklist=tuple(event.checklist),
        promises=tuple(event.open_promises),
        role=event.to.role if event.to is not None else None,
    )
    return [Step(account.CATEGORY, client, opened), Step(offer.CATEGORY, event.offer_id, received)]
