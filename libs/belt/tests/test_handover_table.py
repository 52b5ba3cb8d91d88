"""Every command in every stage of a handover, and what holds whatever is asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from handovers import (
    ACCEPTED,
    ANA,
    BORIS,
    DINA,
    DISPUTED,
    DUE,
    ESCALATED,
    FRIDAY,
    GLEB,
    MARIA,
    OFFER,
    OFFERED,
    QUEUED,
    REJECTED,
    RULES,
    TOMORROW,
    given_,
    refusal,
    seat,
    when,
)
from hypothesis import given
from hypothesis import strategies as st

from belt.core import handover
from belt.core.decider import Refused
from belt.core.handover import (
    Accept,
    Accepted,
    Dispute,
    Expire,
    Offer,
    Overturn,
    Overturned,
    Reject,
    Upheld,
    Uphold,
    Withdraw,
    Withdrawn,
)

# --- the whole table ------------------------------------------------------------------------------------------------

STAGES: dict[str, list[Any]] = {
    "none": [],
    "offered": [OFFERED],
    "queued": [QUEUED],
    "escalated": ESCALATED,
    "accepted": [OFFERED, ACCEPTED],
    "rejected": [OFFERED, REJECTED],
    "withdrawn": [OFFERED, Withdrawn(TOMORROW, ANA, None)],
    "disputed": DISPUTED,
    "upheld": [*DISPUTED, Upheld(TOMORROW, MARIA)],
    "overturned": [*DISPUTED, Overturned(TOMORROW, MARIA), Accepted(TOMORROW, MARIA, BORIS, "overturned")],
}
COMMANDS: dict[str, Any] = {
    "offer": replace(OFFER, at=TOMORROW, attempt=2),
    "accept": Accept(TOMORROW, BORIS),
    "assign": Accept(TOMORROW, MARIA, to="dina"),
    "reject": Reject(TOMORROW, BORIS, "duplicate"),
    "withdraw": Withdraw(TOMORROW, ANA),
    "expire": Expire(DUE),
    "dispute": Dispute(TOMORROW, ANA),
    "uphold": Uphold(TOMORROW, MARIA),
    "overturn": Overturn(TOMORROW, MARIA),
}
# events, or ! and the refusal, or . for nothing new
TABLE = """
           | offer    | accept       | assign       | reject       | withdraw     | expire           | dispute      | uphold       | overturn
none       | Offered  | !unknown     | !unknown     | !unknown     | !unknown     | .                | !unknown     | !unknown     | !unknown
offered    | !exists  | Accepted     | Accepted     | Rejected     | Withdrawn    | Expired Rerouted | !wrong-stage | !wrong-stage | !wrong-stage
queued     | !exists  | Accepted     | Accepted     | Rejected     | Withdrawn    | Expired Rerouted | !wrong-stage | !wrong-stage | !wrong-stage
escalated  | !exists  | !expired     | Accepted     | !expired     | Withdrawn    | .                | !wrong-stage | !wrong-stage | !wrong-stage
accepted   | !exists  | .            | !wrong-stage | !wrong-stage | !wrong-stage | .                | !wrong-stage | !wrong-stage | !wrong-stage
rejected   | !exists  | !wrong-stage | !wrong-stage | !wrong-stage | !wrong-stage | .                | Disputed     | !wrong-stage | !wrong-stage
withdrawn  | !exists  | !wrong-stage | !wrong-stage | !wrong-stage | .            | .                | !wrong-stage | !wrong-stage | !wrong-stage
disputed   | !exists  | !wrong-stage | !wrong-stage | !wrong-stage | !wrong-stage | .                | .            | Upheld       | Overturned Accepted
upheld     | !exists  | !wrong-stage | !wrong-stage | !wrong-stage | !wrong-stage | .                | !wrong-stage | .            | !wrong-stage
overturned | !exists  | !wrong-stage | !wrong-stage | !wrong-stage | !wrong-stage | .                | !wrong-stage | !wrong-stage | .
"""  # noqa: E501


def cells() -> list[tuple[str, str, str]]:
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines()]
    return [(row[0], name, row[n]) for row in rows for n, name in enumerate(head) if n]


def test_the_table_is_whole() -> None:
    assert {(stage, name) for stage, name, _ in cells()} == {(s, c) for s in STAGES for c in COMMANDS}
    assert {type(command) for command in COMMANDS.values()} == set(handover.COMMANDS)


@pytest.mark.parametrize(("stage", "name", "expected"), cells())
def test_every_command_in_every_stage(stage: str, name: str, expected: str) -> None:
    if expected.startswith("!"):
        assert refusal(STAGES[stage], COMMANDS[name]).code == f"handover.{expected[1:]}"
    else:
        events = when(STAGES[stage], COMMANDS[name])
        assert " ".join(type(event).__name__ for event in events) == expected.strip(".")


@pytest.mark.parametrize(("stage", "name", "expected"), cells())
def test_the_same_command_again_gives_nothing_or_a_refusal(stage: str, name: str, expected: str) -> None:
    if expected.startswith("!"):
        return
    events = [*STAGES[stage], *when(STAGES[stage], COMMANDS[name])]
    assert when(events, COMMANDS[name]) == []


# --- laws -----------------------------------------------------------------------------------------------------------

PEOPLE = st.sampled_from([ANA, BORIS, DINA, seat("fedor"), GLEB, MARIA, seat("stranger")])
TIMES = st.integers(0, 200).map(lambda hours: FRIDAY + timedelta(hours=hours))
ANY = st.one_of(
    st.builds(Offer, TIMES, st.just(ANA), st.just("receiver"), st.sampled_from(["boris", None]), due_at=st.just(DUE)),
    st.builds(Accept, TIMES, PEOPLE, st.sampled_from([None, "dina"])),
    st.builds(Reject, TIMES, PEOPLE, st.sampled_from(["duplicate", "no_budget"])),
    st.builds(Withdraw, TIMES, PEOPLE),
    st.builds(Expire, TIMES),
    st.builds(Dispute, TIMES, PEOPLE),
    st.builds(Uphold, TIMES, PEOPLE),
    st.builds(Overturn, TIMES, PEOPLE),
)


@given(st.lists(ANY, max_size=12))
def test_whatever_is_asked_it_ends_once_has_an_owner_and_is_asked_of_few(commands: list[Any]) -> None:
    events: list[Any] = []
    for command in [OFFER, *commands]:
        try:
            new = when(events, command)
        except Refused as refused:
            new = list(refused.record)
        events += new
        state = given_(*events)
        assert state.stage != "expired"
        assert state.owner is not None or state.to is None
        assert len(state.asked) == len(set(state.asked)) <= 1 + RULES.reroutes
        assert not handover.timers(state) or state.open
    names = [type(event).__name__ for event in events]
    assert names.count("Offered") == 1
    assert sum(names.count(end) for end in ("Accepted", "Withdrawn", "Upheld")) <= 1
