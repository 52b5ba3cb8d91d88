"""The store, and the lists of offers, opportunities and deals."""

from alembic import op

from belt.io.projection import ddl
from belt.io.store import SCHEMA
from conversion.views import VIEWS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(SCHEMA)
    for view in VIEWS:
        for statement in ddl(view):
            op.execute(statement)
