"""The read model of surveys."""

from account_mgmt.papers.survey.views import SURVEYS
from belt.io.store.migrate import script
from belt.io.store.projection import ddl

revision = "0003_surveys"
down_revision = "0002_standing"


def upgrade() -> None:
    for statement in ddl(SURVEYS):
        script(statement)
