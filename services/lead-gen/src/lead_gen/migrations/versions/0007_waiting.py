"""The order in which the times for rework fall due on a line."""

from belt.io.store.migrate import script

revision = "0007_waiting"
down_revision = "0006_audit"


def upgrade() -> None:
    script("create index if not exists prospects_rework on prospects (line, rework_until) where stage = 'rework'")
