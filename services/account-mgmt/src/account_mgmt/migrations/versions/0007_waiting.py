"""The order in which offers fall due on a line."""

from belt.io.store.migrate import script

revision = "0007_waiting"
down_revision = "0006_audit"


def upgrade() -> None:
    script("create index if not exists offers_clock on offers (line, due_at) where stage = 'offered'")
