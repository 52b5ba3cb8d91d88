"""Who is asked first: fair in bulk, blind to who is away, and by load where the line says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead_gen_story import Company, at, last, offer, seat, staffed, withdraw

from conveyor_events.staff import StationTeam
from conveyor_events.words import Station
from lead_gen.prospect import commands as c
from lead_gen.prospect.events import LeadOffered
from lead_gen.routing import CountOffer, Routing, decide, evolve
from lead_gen.staffing import GrantRole, Leave, SetAbsence

_numbers = count()


def offered(company: Company, **how: str) -> str | None:
    """Another lead of Ana's: who gets it?"""
    client = f"c{next(_numbers)}"
    company.need_known(client)
    company.to(client, offer(to=how.get("to")))
    to = last(company, LeadOffered).to
    return to.person if to is not None else None


def test_leads_are_shared_evenly() -> None:
    company = Company()
    got = Counter(offered(company) for _ in range(31))
    assert max(got.values()) - min(got.values()) <= 1


def test_who_is_away_or_has_left_gets_nothing() -> None:
    company = Company()
    company.staff(SetAbsence("boris", at(1), at(4), "vera", at(1)))
    assert {offered(company) for _ in range(4)} == {"dina"}
    company.staff(Leave("dina", date(2026, 3, 2), "vera", at(1)))
    assert offered(company) is None


def test_a_named_receiver_does_not_disturb_the_turn() -> None:
    company = Company()
    turn = [offered(company), offered(company)]
    assert [offered(company, to="boris") for _ in range(3)] == ["boris"] * 3
    assert [offered(company), offered(company)] == turn


def test_nobody_is_picked_to_judge_what_they_found_themselves() -> None:
    company = Company()
    company.staff(GrantRole("ana", "hunter", at(1), None, "vera", at(1)))
    both = staffed("scout-hunter-farmer", since=at(1))
    closers = {**both.teams, Station.CONVERSION: StationTeam(team="closers", members=["ana", "boris"])}
    company.staff(replace(both, teams=closers))
    assert {offered(company) for _ in range(4)} == {"boris"}
    company.staff(SetAbsence("boris", at(1), at(4), "vera", at(1)))
    assert offered(company) is None, "then it waits in the queue"


def test_by_load_the_one_with_the_least_unanswered_leads_is_asked() -> None:
    company = Company(routing="least_loaded")
    for _ in range(3):
        assert offered(company, to="boris") == "boris"
    assert [offered(company) for _ in range(3)] == ["dina"] * 3


@pytest.mark.parametrize("how", ["withdrawn", "returned", "accepted", "moved"])
def test_an_answered_lead_is_no_load_any_more(how: str) -> None:
    company = Company(routing="least_loaded")
    company.offered("acme")
    assert company.states["routing-tools"].load == {"boris": 1}
    if how == "withdrawn":
        company.to("acme", withdraw())
    elif how == "returned":
        company.to("acme", c.ReturnLead("acme-1", "duplicate", seat("boris"), at(4)))
    elif how == "accepted":
        company.to("acme", c.HandOver("acme-1", "acme-need", seat("ana", "scout"), seat("boris"), at(4)))
    else:
        company.to("acme", c.MoveOffer("acme-1", seat("dina"), at(4)))
        company.to("acme", c.HandOver("acme-1", "acme-need", seat("ana", "scout"), seat("dina"), at(5)))
    assert company.states["routing-tools"].load == {"boris": 0}


class Desk:
    """The routing of one line alone, as its stream makes it."""

    def __init__(self) -> None:
        self.routing, self.kept = Routing(), list[Any]()

    def lead(self, there: Sequence[str], how: str = "round_robin") -> str | None:
        to = self.routing.next(there, how)
        if to is not None:
            for event in decide(CountOffer(to, tuple(there), loads=False, at=at(2)), self.routing):
                self.kept.append(event)
                self.routing = evolve(self.routing, event)
        return to

    def restart(self) -> None:
        """What is known after a restart is what the events say."""
        self.routing = reduce(evolve, self.kept, Routing())


def test_ten_thousand_leads_are_shared_within_one_across_restarts() -> None:
    desk, team = Desk(), [f"hunter-{n}" for n in range(7)]
    got: Counter[str | None] = Counter()
    for number in range(10_000):
        if number % 2_500 == 1_234:
            desk.restart()
        got[desk.lead(team)] += 1
    assert max(got.values()) - min(got.values()) <= 1
    assert set(got) == set(team)


@given(st.lists(st.sets(st.sampled_from(["ana", "boris", "clara", "dina", "egor"])), min_size=1, max_size=60))
def test_nobody_who_is_not_there_receives_anything_and_those_always_there_are_equal(days: list[set[str]]) -> None:
    desk, got = Desk(), Counter[str]()
    always = set.intersection(*days)
    for there in days:
        to = desk.lead(sorted(there))
        assert to in there or (to is None and not there)
        got.update([to] if to else [])
    shares = [got[one] for one in always]
    assert not shares or max(shares) - min(shares) <= 1
