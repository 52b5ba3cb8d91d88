"""What a person found out about themselves: one stream a person, an attempt at a test is one event and never changes.

    none -> taken -> (30 days later) taken again …

Nothing of it is published, listed or counted, and nobody but the person may look: answers and result are sealed with
the person's own key. So it can be no trigger of pay either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from account_mgmt.papers.selftest.score import Score, score
from account_mgmt.papers.selftest.text import LEAST, MOST, current, pinned
from belt.core.calendar import day_of
from belt.core.decider import Private, Refused
from belt.core.replacing import replace

CATEGORY = "selftest"
RETAKE_DAYS = 30

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """How true a statement is: 1 almost never … 5 almost always."""

    statement: str
    value: int


@dataclass(frozen=True)
class TakeTest:
    """`version` is the one that was read; days count in `zone`, the company's."""

    at: datetime
    person: str
    attempt_id: str
    test: str
    version: int
    answers: tuple[Answer, ...]
    zone: str


Command = TakeTest

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AttemptMade:
    """`retake_on` is the first day on which the test may be taken again."""

    at: datetime
    person: str
    attempt_id: str
    test: str
    version: int
    retake_on: date
    answers: Private[tuple[Answer, ...]]
    result: Private[Score | None]


Event = AttemptMade
EVENTS: tuple[type, ...] = (AttemptMade,)


def holder(event: Event) -> str:
    """The person's own key, never a client's of the same id: who erases the person erases what was found out."""
    return f"person:{event.person}"


# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempts:
    """In the order in which they were handed in."""

    taken: tuple[AttemptMade, ...] = ()

    def of(self, test: str) -> tuple[AttemptMade, ...]:
        """Those of one test, by the time at which they were taken."""
        return tuple(sorted((one for one in self.taken if one.test == test), key=lambda one: one.at))

    def attempt(self, attempt_id: str) -> AttemptMade | None:
        return next((one for one in self.taken if one.attempt_id == attempt_id), None)


# --- decide ---------------------------------------------------------------------------------------------------------


def decide(command: Command, attempts: Attempts) -> Sequence[Event]:
    answers = tuple(sorted(command.answers, key=lambda answer: answer.statement))
    known = attempts.attempt(command.attempt_id)
    if known is not None:
        if (known.test, known.version, known.answers) == (command.test, command.version, answers):
            return []
        raise Refused("attempt.id-taken")
    result = _scored(command, answers)
    day = day_of(command.zone, command.at)
    before = attempts.of(command.test)
    if before and day < before[-1].retake_on:
        raise Refused("self-test.too-soon", retake_on=before[-1].retake_on.isoformat())
    return [
        AttemptMade(
            command.at,
            command.person,
            command.attempt_id,
            command.test,
            command.version,
            day + timedelta(days=RETAKE_DAYS),
            answers,
            result,
        )
    ]


def _scored(command: TakeTest, answers: tuple[Answer, ...]) -> Score:
    """The result, if the answers fit the version that was read: each statement once, on the scale."""
    newest, text = current(command.test), pinned(command.test, command.version)
    if newest is None:
        raise Refused("self-test.unknown")
    if text is None:
        raise Refused("self-test.version-unknown", newest=newest.version)
    given = [answer.statement for answer in answers]
    if len(given) != len(set(given)) or set(given) != text.ids:
        wrong = sorted(set(given) - text.ids)
        raise Refused("self-test.answers-do-not-fit", missing=sorted(text.ids - set(given)), not_asked=wrong)
    if any(not LEAST <= answer.value <= MOST for answer in answers):
        raise Refused("self-test.answers-do-not-fit", least=LEAST, most=MOST)
    return score(text.turned, {answer.statement: answer.value for answer in answers})


def evolve(attempts: Attempts, event: Event) -> Attempts:
    return replace(attempts, taken=(*attempts.taken, event))
