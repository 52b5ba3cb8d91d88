"""The service-quality questionnaire: what a client expects and what it receives, asked of one person who agreed to it.

    none -> invited -> agreed -> answered
            declined   expired   withdrawn

Read text (the questions are in texts/), score, commands, events, state, decide; then published, views, trend.
"""

from account_mgmt.papers.survey.commands import AnswerSurvey, Command, Expire, Invite, RecordConsent, WithdrawConsent
from account_mgmt.papers.survey.decide import decide, follow, reads, timers
from account_mgmt.papers.survey.events import (
    EVENTS,
    Answered,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Contact,
    Event,
    Expired,
    Invited,
    Via,
)
from account_mgmt.papers.survey.published import publish
from account_mgmt.papers.survey.score import Answer, GroupGap, Result, score
from account_mgmt.papers.survey.state import Stage, Survey, evolve
from account_mgmt.papers.survey.trend import Trend, trend

CATEGORY = "survey"

__all__ = [
    "CATEGORY",
    "EVENTS",
    "Answer",
    "AnswerSurvey",
    "Answered",
    "Command",
    "ConsentGiven",
    "ConsentRefused",
    "ConsentWithdrawn",
    "Contact",
    "Event",
    "Expire",
    "Expired",
    "GroupGap",
    "Invite",
    "Invited",
    "RecordConsent",
    "Result",
    "Stage",
    "Survey",
    "Trend",
    "Via",
    "WithdrawConsent",
    "decide",
    "evolve",
    "follow",
    "publish",
    "reads",
    "score",
    "timers",
    "trend",
]
