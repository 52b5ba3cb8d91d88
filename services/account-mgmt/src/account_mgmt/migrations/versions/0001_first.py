"""The store, and the read models of offers, accounts and sales."""

from alembic import op

from account_mgmt.views import ACCOUNTS, OFFERS, SALES
from belt.io.projection import ddl
from belt.io.store import SCHEMA

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(SCHEMA)
    for view in (OFFERS, ACCOUNTS, SALES):
        for statement in ddl(view):
            op.execute(statement)
