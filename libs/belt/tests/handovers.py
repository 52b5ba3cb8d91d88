"""A handover as stories tell it: who is who, when, and given/when/then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from belt.core import handover
from belt.core.calendar import Calendar
from belt.core.decider import Refused
from belt.core.handover import (
    Accepted,
    Disputed,
    Escalated,
    Expired,
    Handover,
    Offer,
    Offered,
    Rejected,
    Rules,
    Team,
)
from conveyor_events.words import Seat

BERLIN = Calendar("Europe/Berlin")
RULES = Rules(frozenset({"duplicate", "no_evidence"}), BERLIN, accept_hours=8)
TEAM = Team(members=("boris", "dina", "fedor", "gleb"), managers=("maria",))
FRIDAY = datetime(2026, 3, 27, 15, tzinfo=UTC)
DUE = datetime(2026, 3, 30, 13, tzinfo=UTC)
TOMORROW = DUE - timedelta(hours=1)
LATER = DUE + timedelta(days=30)


def seat(person: str, role: str = "receiver") -> Seat:
    return Seat(person=person, role=role)


ANA, BORIS, DINA, GLEB = seat("ana", "sender"), seat("boris"), seat("dina"), seat("gleb")
MARIA = seat("maria", "manager")
OFFER = Offer(FRIDAY, ANA, "receiver", "boris", due_at=DUE)
OFFERED = Offered(FRIDAY, ANA, "receiver", BORIS, "offer", 1, DUE)
QUEUED = Offered(FRIDAY, ANA, "receiver", None, "offer", 1, DUE)
REJECTED = Rejected(TOMORROW, BORIS, "no_evidence", datetime(2026, 4, 6, 22, tzinfo=UTC))
ACCEPTED = Accepted(TOMORROW, BORIS, BORIS, "accepted")
ESCALATED = [OFFERED, Expired(DUE, BORIS), Escalated(DUE, "maria")]
DISPUTED = [OFFERED, REJECTED, Disputed(TOMORROW, ANA)]


def given_(*events: Any) -> Handover:
    return handover.fold(Handover(), events)


def when(events: Sequence[Any], command: Any, team: Team = TEAM, rules: Rules = RULES) -> list[Any]:
    return list(handover.decide(command, given_(*events), rules, team))


def refusal(events: Sequence[Any], command: Any, team: Team = TEAM) -> Refused:
    with pytest.raises(Refused) as refused:
        when(events, command, team)
    return refused.value
