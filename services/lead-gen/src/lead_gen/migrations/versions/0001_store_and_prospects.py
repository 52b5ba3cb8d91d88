"""The store of the belt, and the read model of prospects."""

from alembic import op

from belt.io.projection import ddl
from belt.io.store import SCHEMA
from lead_gen.views import PROSPECTS

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(SCHEMA)
    for statement in ddl(PROSPECTS):
        op.execute(statement)
