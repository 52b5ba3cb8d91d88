"""The store, the read models and the facts."""

from alembic import op

from belt.io.store.migrate import create_store
from compensation.views import ASSIGNMENT_VIEW, FACTS, PLAN_VIEW

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_store(PLAN_VIEW, ASSIGNMENT_VIEW)
    FACTS.create(op.get_bind())
