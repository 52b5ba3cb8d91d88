"""The read model of surveys."""

from account_mgmt.papers.survey.views import SURVEYS
from belt.io.migrate import script
from belt.io.projection import ddl

revision = "0003_surveys"
down_revision = "0002_standing"


def upgrade() -> None:
    for statement in ddl(SURVEYS):
        script(statement)
