"""The bookkeeping of the intake, the picture of the line, and sessions."""

from belt.io.store.migrate import create_store, script
from board.projection import SCHEMA

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_store()
    script(SCHEMA)
