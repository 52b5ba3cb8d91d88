"""What clients say of the service, without a word on who said it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from conveyor_events.money import Amount
from conveyor_events.words import Event, LineId


class GroupGap(BaseModel):
    """One side of the service: received minus expected, the mean of its answered items."""

    model_config = ConfigDict(frozen=True)

    group: Annotated[str, Field(description="promises, speed, competence, care, materials; new ones may come")]
    weight: Annotated[Amount, Field(description="in percent")]
    gap: Annotated[Amount | None, Field(description="-6.00 to 6.00; none if not scored")] = None


class SurveyAnswered(Event):
    """A client answered the service-quality questionnaire."""

    line: LineId
    survey_id: Annotated[str, Field(description="the survey this event is about")]
    survey_version: Annotated[int, Field(description="of the questionnaire's text")]
    answered: Annotated[int, Field(description="items of 15; under 12 nothing is scored")]
    total: Annotated[Amount | None, Field(description="the weighted gap; none if not scored")] = None
    gaps: list[GroupGap]
    recommend: Annotated[int | None, Field(description="0 to 10: would the client recommend us")] = None
    alert: Annotated[bool, Field(description="somebody should look at the account")]
    alerts: Annotated[list[str], Field(description="why: total, group:<group>, recommend; new ones may come")] = []
