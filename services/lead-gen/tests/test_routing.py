"""Who is asked first: fair in bulk, blind to who is away, and by load where the line says so."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import count

import pytest
from lead_gen_story import Company, at, last, offer, seat, withdraw

from lead_gen.prospect import commands as c
from lead_gen.prospect.events import LeadOffered
from lead_gen.staffing import Leave, SetAbsence

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
