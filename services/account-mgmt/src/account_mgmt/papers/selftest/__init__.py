"""The ten self-tests "Client and You": for whoever takes them, and for nobody else.

Read text (the statements are in texts/), score, attempts (the stream), profile.
"""

from account_mgmt.papers.selftest.attempts import (
    CATEGORY,
    EVENTS,
    Answer,
    AttemptMade,
    Attempts,
    Command,
    Event,
    TakeTest,
    decide,
    evolve,
    holder,
)
from account_mgmt.papers.selftest.profile import Profile, profile
from account_mgmt.papers.selftest.score import Band, Score, score

__all__ = [
    "CATEGORY",
    "EVENTS",
    "Answer",
    "AttemptMade",
    "Attempts",
    "Band",
    "Command",
    "Event",
    "Profile",
    "Score",
    "TakeTest",
    "decide",
    "evolve",
    "holder",
    "profile",
    "score",
]
