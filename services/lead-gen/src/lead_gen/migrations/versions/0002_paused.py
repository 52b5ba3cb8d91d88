"""Prospects that are parked, and the order of the call list.

Rows of older shapes are written anew by `python -m lead_gen rebuild`, or with their next event.
"""

from belt.io.store.migrate import script
from belt.io.store.projection import keep_function
from lead_gen.views import PROSPECTS

revision = "0002_paused"
down_revision = "0001"


def upgrade() -> None:
    script(
        """
        alter table prospects add column if not exists parked_until timestamptz;
        create index if not exists prospects_calls on prospects (sourced_by, next_call_at, client_id);
        """
    )
    script(keep_function(PROSPECTS))
