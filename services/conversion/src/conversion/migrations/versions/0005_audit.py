"""Who has read whose pay or personal data."""

from belt.io.store.migrate import create_audit

revision = "0005_audit"
down_revision = "0004_skipped"


def upgrade() -> None:
    create_audit()
