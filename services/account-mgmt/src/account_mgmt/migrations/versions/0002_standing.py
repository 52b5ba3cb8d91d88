"""What falls due for accounts, and the orders in which offers, accounts and sales are listed.

Rows of older shapes are written anew by `python -m account_mgmt rebuild`, or with their account's next event.
"""

from account_mgmt.views import ACCOUNTS
from belt.io.store.migrate import script
from belt.io.store.projection import keep_function

revision = "0002_standing"
down_revision = "0001"


def upgrade() -> None:
    script(
        """
        alter table accounts
            add column if not exists journey_id text,
            add column if not exists risks text[] not null default '{}',
            add column if not exists at_risk_since timestamptz,
            add column if not exists lapse_due_at timestamptz,
            add column if not exists gone_at timestamptz,
            add column if not exists open_complaints integer not null default 0,
            add column if not exists last_contact_at timestamptz,
            add column if not exists next_contact_at timestamptz;
        create index if not exists accounts_lapse on accounts (served_by, lapse_due_at, client_id);
        create index if not exists accounts_contact on accounts (served_by, next_contact_at, client_id);
        create index if not exists offers_due on offers (to_person, due_at, offer_id);
        create index if not exists sales_sold on sales (client_id, sold_at, sale_id);
        """
    )
    script(keep_function(ACCOUNTS))
