"""The store, and the lists of offers, opportunities and deals."""

from belt.io.store.migrate import create_store
from conversion.views import VIEWS

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_store(*VIEWS)
