"""The store, and the read models of offers, accounts and sales."""

from account_mgmt.views import ACCOUNTS, OFFERS, SALES
from belt.io.store.migrate import create_store

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_store(OFFERS, ACCOUNTS, SALES)
