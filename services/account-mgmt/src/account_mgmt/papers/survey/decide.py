"""What may be asked of a survey now, and what happens then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from account_mgmt import account as accounts
from account_mgmt.account import Account, FlagRisk, RiskCause, seat_of
from account_mgmt.papers.survey.commands import AnswerSurvey, Command, Expire, Invite, RecordConsent, WithdrawConsent
from account_mgmt.papers.survey.events import (
    Answered,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Event,
    Expired,
    Invited,
)
from account_mgmt.papers.survey.score import Answer, score
from account_mgmt.papers.survey.state import Stage, Survey
from account_mgmt.papers.survey.text import GROUPS, HUNDRED, LEAST, MOST, NEWEST, QUESTIONNAIRES
from account_mgmt.roster import CATEGORY as ROSTER
from account_mgmt.roster import COMPANY
from belt.core.calendar import days_later
from belt.core.decider import Due, Refused, Step
from conveyor_events.roster import Roster
from conveyor_events.words import Seat

RECOMMEND_MOST = 10
OPEN = frozenset({Stage.INVITED, Stage.AGREED})


def reads(_id: str, command: Command, survey: Survey) -> Sequence[tuple[str, str]]:
    client = command.client if isinstance(command, Invite) else survey.invited.client if survey.invited else None
    if client is None or isinstance(command, Expire):
        return []
    return [(accounts.CATEGORY, client), (ROSTER, COMPANY)]


def decide(
    command: Command, survey: Survey, account: Account | None = None, roster: Roster | None = None
) -> Sequence[Event]:
    if isinstance(command, Expire):
        return [Expired(command.at)] if survey.stage in OPEN else []
    if account is None or roster is None:
        raise Refused("survey.unknown")
    seat = seat_of(account, roster, command.by, command.at)
    if isinstance(command, Invite):
        return _invite(command, seat, survey, account, roster)
    if survey.invited is None:
        raise Refused("survey.unknown")
    match command:
        case RecordConsent():
            return _consent(command, seat, survey, survey.invited)
        case WithdrawConsent(at=at, via=via):
            if survey.stage is Stage.WITHDRAWN:
                return []
            if survey.agreed_at is None:
                raise Refused("survey.no-consent", stage=survey.stage)
            return [ConsentWithdrawn(at, seat, via)]
        case AnswerSurvey():
            return _answer(command, seat, survey, survey.invited)
        case _:
            assert_never(command)


def _invite(command: Invite, seat: Seat, survey: Survey, account: Account, roster: Roster) -> list[Event]:
    weights = _weights(command)
    known = survey.invited
    if known is not None:
        told = (known.client, known.survey_version, known.weights, known.via)
        forgotten = known.contact is None
        if told == (command.client, command.survey_version, weights, command.via) and (
            forgotten or known.contact == command.contact
        ):
            return []
        raise Refused("survey.id-taken")
    staffed = roster.line(account.line, command.at)
    events: list[Event] = [
        Invited(
            command.at,
            seat,
            command.survey_id,
            command.client,
            account.journey,
            account.variant,
            account.line,
            command.survey_version,
            weights,
            command.contact,
            command.via,
            # The last day counts whole.
            days_later(staffed.zone if staffed else "UTC", command.at, command.valid_days + 1),
        )
    ]
    return [*events, ConsentGiven(command.at, seat, command.via)] if command.agreed else events


def _weights(command: Invite) -> tuple[tuple[str, Decimal], ...]:
    """Those of the questionnaire, unless the survey has its own: each group, above zero, 100 in all."""
    text = QUESTIONNAIRES.get(command.survey_version)
    if text is None:
        raise Refused("survey.version-unknown", newest=NEWEST)
    weights = dict(command.weights) or text.weights
    fit = len(weights) == len(command.weights or weights) and set(weights) == set(GROUPS)
    if not fit or min(weights.values()) <= 0 or sum(weights.values()) != HUNDRED:
        raise Refused("survey.weights-do-not-fit", groups=GROUPS)
    return tuple((group, weights[group]) for group in GROUPS)


def _consent(command: RecordConsent, seat: Seat, survey: Survey, invited: Invited) -> list[Event]:
    said = Stage.AGREED if command.agreed else Stage.DECLINED
    if survey.stage is said:
        return []
    if survey.stage not in (Stage.INVITED, Stage.EXPIRED) or survey.agreed_at is not None:
        raise Refused("survey.wrong-stage", stage=survey.stage)
    _in_time(command.at, survey, invited)
    kind = ConsentGiven if command.agreed else ConsentRefused
    return [kind(command.at, seat, command.via)]


def _answer(command: AnswerSurvey, seat: Seat, survey: Survey, invited: Invited) -> list[Event]:
    answers = tuple(sorted(command.answers, key=lambda answer: answer.item))
    given = survey.answered
    if given is not None:
        said = (given.answers, given.result.recommend, given.comment)
        if said == (answers, command.recommend, command.comment):
            return []
        raise Refused("survey.answered-already", answered_at=given.at.isoformat())
    if survey.stage in (Stage.DECLINED, Stage.WITHDRAWN):
        raise Refused("survey.no-consent", stage=survey.stage)
    _in_time(command.at, survey, invited)
    if survey.agreed_at is None or command.at < survey.agreed_at:
        raise Refused("survey.no-consent", stage=survey.stage)
    text = QUESTIONNAIRES[invited.survey_version]
    _fit(answers, command.recommend, set(text.group_of))
    result = score(answers, command.recommend, dict(invited.weights), text.group_of)
    return [Answered(command.at, seat, invited.client, answers, command.comment, result)]


def _in_time(at: datetime, survey: Survey, invited: Invited) -> None:
    """What was said in time counts even if it is written down after the invitation expired."""
    if at >= invited.valid_until:
        late = [Expired(invited.valid_until)] if survey.stage in OPEN else []
        raise Refused("survey.expired", record=late, valid_until=invited.valid_until.isoformat())


def _fit(answers: Sequence[Answer], recommend: int | None, items: set[str]) -> None:
    """Each item at most once, on its scale."""
    given = [answer.item for answer in answers]
    points = [point for answer in answers for point in (answer.expected, answer.received)]
    if len(given) != len(set(given)) or not set(given) <= items:
        raise Refused("survey.answers-do-not-fit", not_asked=sorted(set(given) - items))
    if any(not LEAST <= point <= MOST for point in points) or not 0 <= (recommend or 0) <= RECOMMEND_MOST:
        raise Refused("survey.answers-do-not-fit", least=LEAST, most=MOST)
    if not answers and recommend is None:
        raise Refused("survey.answers-do-not-fit", detail="nothing was answered")


def follow(event: Event, survey: Survey) -> Sequence[Step]:
    """A low score says that the client may be lost: its account is flagged in the same append unit."""
    if not isinstance(event, Answered) or survey.invited is None or not event.result.alert:
        return ()
    return [Step(accounts.CATEGORY, event.client, FlagRisk(event.at, RiskCause.LOW_SCORE, survey.invited.survey_id))]


def timers(survey: Survey) -> Sequence[Due]:
    if survey.invited is None or survey.stage not in OPEN:
        return ()
    return [Due("expire", survey.invited.valid_until, Expire(survey.invited.valid_until))]
