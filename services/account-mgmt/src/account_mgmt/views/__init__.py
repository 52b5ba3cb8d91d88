"""Read models: one row an offer, an account, a sale. Folded from the stream's own events and written with them."""

from account_mgmt.views.accounts import ACCOUNTS, ACCOUNTS_TABLE
from account_mgmt.views.offers import OFFERS, OFFERS_TABLE
from account_mgmt.views.sales import SALES, SALES_TABLE
from account_mgmt.views.waiting import WAITING
from account_mgmt.views.watched import WATCHED

__all__ = ["ACCOUNTS", "ACCOUNTS_TABLE", "OFFERS", "OFFERS_TABLE", "SALES", "SALES_TABLE", "WAITING", "WATCHED"]
