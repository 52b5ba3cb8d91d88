"""The list of competitor cards."""

from belt.io.store.migrate import script
from belt.io.store.projection import ddl
from lead_gen.views import COMPETITORS

revision = "0003_competitors"
down_revision = "0002_paused"


def upgrade() -> None:
    for statement in ddl(COMPETITORS):
        script(statement)
