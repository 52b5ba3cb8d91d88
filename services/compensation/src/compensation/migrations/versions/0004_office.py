"""The pay office: its read models, and what a close waits for."""

from alembic import op

from belt.io.store.migrate import script
from belt.io.store.projection import ddl
from compensation.office.views import PROGRESS, VIEWS, WAITS

revision = "0004_office"
down_revision = "0003_rates"


def upgrade() -> None:
    for view in VIEWS:
        for statement in ddl(view):
            script(statement)
    WAITS.create(op.get_bind())
    PROGRESS.create(op.get_bind())
