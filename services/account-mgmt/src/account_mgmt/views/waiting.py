"""How much waits here, as everybody is told: offers of buyers, and accounts."""

from __future__ import annotations

from account_mgmt.account import Status
from account_mgmt.views.accounts import ACCOUNTS_TABLE
from account_mgmt.views.offers import OFFERS_TABLE
from belt.io.http.waiting import Kind

WAITING = (
    Kind(
        "buyer",
        OFFERS_TABLE,
        {"offered": ("offered",), "expired": ("expired", "escalated")},
        clock=OFFERS_TABLE.c.due_at,
        runs=("offered",),
    ),
    Kind(
        "account",
        ACCOUNTS_TABLE,
        {
            "served": (Status.BUYER, Status.REGULAR),
            "at_risk": (Status.AT_RISK,),
            "lapsed": (Status.LAPSED,),
        },
    ),
)
