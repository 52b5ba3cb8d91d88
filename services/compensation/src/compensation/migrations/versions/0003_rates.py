"""Rates of exchange. Rows of plans of the older shape are written anew by `python -m compensation rebuild`."""

from belt.io.store.migrate import script
from belt.io.store.projection import ddl
from compensation.views import RATE_VIEW

revision = "0003_rates"
down_revision = "0002_erasure"


def upgrade() -> None:
    for statement in ddl(RATE_VIEW):
        script(statement)
