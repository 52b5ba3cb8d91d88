"""A holder's key may be destroyed, and a claim pass from one stream to another in one unit."""

from belt.io.store.migrate import renew_append

revision = "0004_erasure"
down_revision = "0003_surveys"


def upgrade() -> None:
    renew_append()
