"""A holder's key may be destroyed, and a claim pass from one stream to another in one unit."""

from belt.io.store.migrate import renew_append

revision = "0003_erasure"
down_revision = "0002_papers"


def upgrade() -> None:
    renew_append()
