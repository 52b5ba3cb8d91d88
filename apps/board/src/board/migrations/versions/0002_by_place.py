"""What waits longest and what came last, found at its place: neither grows with the history."""

from belt.io.store.migrate import script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    script("""
create index things_place on things (line, kind, state, since, ref);
drop index things_line;
create index happened_place on happened (line, topic, position desc);
""")
