"""Events that are passed over for good are kept with the decision."""

from belt.io.store.migrate import create_skipped

revision = "0005_skipped"
down_revision = "0004_erasure"


def upgrade() -> None:
    create_skipped()
