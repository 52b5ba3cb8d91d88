"""What others are told of a survey: what it came to, and nothing of who said so."""

from __future__ import annotations

from collections.abc import Sequence

from account_mgmt.papers.survey.events import Answered, Event
from account_mgmt.papers.survey.state import Survey
from belt.core.decider import Public
from conveyor_events import surveys


def publish(event: Event, survey: Survey) -> Sequence[Public]:
    about = survey.invited
    if not isinstance(event, Answered) or about is None:
        return ()
    result = event.result
    told = surveys.SurveyAnswered(
        line=about.line,
        survey_id=about.survey_id,
        survey_version=about.survey_version,
        answered=result.answered,
        total=result.total,
        gaps=[surveys.GroupGap(group=one.group, weight=one.weight, gap=one.gap) for one in result.gaps],
        recommend=result.recommend,
        alert=result.alert,
        alerts=list(result.alerts),
    )
    return [
        Public(
            told,
            event.at,
            subject=about.client,
            actor=event.by,
            client_id=about.client,
            journey_id=about.journey,
            variant=about.variant,
        )
    ]
