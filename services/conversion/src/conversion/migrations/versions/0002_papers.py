"""What is seen of opportunities and deals besides their stage: contact, silence, recycling, cancelling.

Rows of older shapes are written anew by `python -m conversion rebuild`, or with their next event.
"""

from belt.io.store.migrate import script
from belt.io.store.projection import keep_function
from conversion.views import DEALS, OPPORTUNITIES

revision = "0002_papers"
down_revision = "0001"


def upgrade() -> None:
    script(
        """
        alter table opportunities
            add column if not exists touched_at timestamptz,
            add column if not exists active_at timestamptz not null default now(),
            add column if not exists stalled boolean not null default false,
            add column if not exists not_before timestamptz;
        alter table deals add column if not exists cancelled text;
        create index if not exists opportunities_stalled on opportunities (stalled, converted_by, opportunity_id);
        create index if not exists offers_due on offers (to_person, due_at, offer_id);
        """
    )
    script(keep_function(OPPORTUNITIES))
    script(keep_function(DEALS))
