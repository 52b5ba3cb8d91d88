"""Events that are passed over for good are kept with the decision."""

from belt.io.store.migrate import create_skipped

revision = "0004_skipped"
down_revision = "0003_erasure"


def upgrade() -> None:
    create_skipped()
