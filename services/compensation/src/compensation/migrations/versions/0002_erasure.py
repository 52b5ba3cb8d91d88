"""A holder's key may be destroyed, and a claim pass from one stream to another in one unit."""

from belt.io.store.migrate import renew_append

revision = "0002_erasure"
down_revision = "0001"


def upgrade() -> None:
    renew_append()
