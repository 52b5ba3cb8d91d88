"""The store of the belt, and the read model of prospects."""

from belt.io.store.migrate import create_store
from lead_gen.views import PROSPECTS

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_store(PROSPECTS)
