"""What is shown of the work: offers and accounts by stage, and how long there is to accept."""

from __future__ import annotations

from account_mgmt import account, offer
from account_mgmt.views.accounts import ACCOUNTS_TABLE
from account_mgmt.views.offers import OFFERS_TABLE
from belt.core import handover
from belt.io.watching import Deadline, Things, Watched

_OFFER, _ACCOUNT = OFFERS_TABLE.c, ACCOUNTS_TABLE.c
WATCHED = Watched(
    things=(
        Things("offer", OFFERS_TABLE, handover.UNDECIDED),
        Things("account", ACCOUNTS_TABLE, account.ACTIVE | {account.Status.AWAITING}),
    ),
    deadlines=(
        Deadline("acceptance", "expire", offer.CATEGORY, _OFFER.offer_id, _OFFER.line, _OFFER.to_person),
        Deadline("lapse", "lapse", account.CATEGORY, _ACCOUNT.client_id, _ACCOUNT.line, _ACCOUNT.served_by),
    ),
)
