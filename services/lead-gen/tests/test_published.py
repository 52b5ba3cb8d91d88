"""What the outside is told: the promised fields, on the client's journey, and nothing personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lead_gen_story import Company, at, offer, seat, staffed, verify, withdraw

import conveyor_events
from belt.core.decider import Public, Refused
from conveyor_events.catalog import CATALOG, entry_of
from conveyor_events.words import Event
from lead_gen import published, staffing
from lead_gen.prospect import commands as c
from lead_gen.staffing import Leave, RevokeRole, SetAbsence

SAMPLES = Path(conveyor_events.__file__).parents[2] / "samples"
OURS = [entry for entry in CATALOG if entry.topic in ("conveyor.leads.v1", "conveyor.staff.v1")]
SECRETS = ("Eva Roth", "Acme", "acme.example", "leaks", "drip", "rings back", "mornings", "Ana", "Boris")


def everything() -> list[Public]:
    """A company in which every public event of this station happens."""
    company = Company()
    told: list[Public] = []
    fresh = Company.__new__(Company)
    fresh.states, fresh.happened, fresh.told = {}, [], []
    fresh.staff(staffing.Hire("ana", "Ana", date(2026, 1, 1), "vera", at(1)))
    fresh.staff(staffing.GrantRole("ana", "scout", at(1), None, "vera", at(1)))
    company.staff(SetAbsence("ana", at(5), at(6), "vera", at(1)))
    company.staff(RevokeRole("clara", "farmer", at(5), "vera", at(1)))
    company.staff(Leave("olga", date(2026, 3, 15), "vera", at(1)))
    company.staff(staffed("hunter", since=at(1, month=7)))
    company.registered("gone")
    company.to("gone", verify())
    company.to("gone", c.Invalidate("closed_down", "ana", at(3)))
    company.registered("moved")
    company.to("moved", c.Reassign("egor", "workload", "vera", at(3), manager=True))
    company.to("moved", c.ForbidContact("said so", "egor", at(4)))
    company.registered("double")
    company.to("double", c.Merge("moved", "vera", at(4), manager=True))
    company.to("moved", c.ErasePersonalData("vera", at(4), manager=True))
    company.need_known("late")
    company.tick(at(4), "late")
    company.offered("back")
    company.to("back", withdraw())
    company.rework()
    rival = c.ClaimProspect("egor", at(10))
    try:
        company.to("acme", rival)
    except Refused as refused:
        state = company.prospect()
        for event in refused.record:
            company.told += published.prospect(event, state)
    company.tick(at(17, 0))
    company.to("acme", c.ClaimProspect("egor", at(18)))
    company.offered("good")
    company.to("good", c.HandOver("good-1", "good-need", seat("ana", "scout"), seat("boris"), at(4)))
    company.to("good", c.MakeCustomer(seat("boris"), at(5)))
    company.to("good", c.MigrateJourney("hunter-farmer", "clara", at(20), "vera", at(4, 18), manager=True))
    told += [*fresh.told, *company.told]
    return told


@pytest.fixture(scope="module")
def told() -> list[Public]:
    return everything()


def fields(data: Any, path: str = "") -> Iterator[str]:
    """Every field there is, however deep; the keys of open maps count as one."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield f"{path}/{name}"
            yield from fields(value, f"{path}/{name}")
    elif isinstance(data, list) and data:
        yield from fields(data[0], f"{path}/*")


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.wire)
def test_each_event_has_the_fields_of_its_sample(told: list[Public], entry: Any) -> None:
    mine = [one.data for one in told if isinstance(one.data, entry.model)]
    assert mine, f"{entry.wire} was never told"
    short, name = entry.wire.split(".")[1:]
    sample = json.loads((SAMPLES / f"{short}.{name}.v{entry.model.VERSION}.json").read_text())["data"]
    for data in mine:
        assert set(data.model_dump()) == set(sample)
    told_fields = {field for data in mine for field in fields(json.loads(data.model_dump_json()))}
    # What a calendar may leave empty: a line without holidays or breaks tells none.
    optional = {field for field in fields(sample) if "/holidays/" in field or "/breaks/" in field}
    assert set(fields(sample)) - optional <= told_fields


def test_the_subject_is_whose_history_it_is(told: list[Public]) -> None:
    for one in told:
        assert isinstance(one.data, Event)
        entry = entry_of(one.data)
        if entry.subject == "client":
            assert one.subject == one.client_id
            assert one.journey_id
            migrated = one.client_id == "good" and type(one.data).__name__ == "JourneyMigrated"
            assert one.variant == ("hunter-farmer" if migrated else "scout-hunter-farmer")
        else:
            assert one.subject == getattr(one.data, entry.subject)


def test_the_clock_is_no_actor_and_people_are(told: list[Public]) -> None:
    by_clock = {type(one.data).__name__ for one in told if one.client_id and one.actor is None}
    assert by_clock == {"HandoverOverdue", "ProspectReleased"}


def test_nothing_personal_is_told(told: list[Public]) -> None:
    for one in told:
        text = one.data.model_dump_json()
        assert not [secret for secret in SECRETS if secret in text], text


def test_a_text_given_as_a_reason_stays_here() -> None:
    company = Company()
    company.offered()
    company.to("acme", withdraw(reason="Eva Roth is on leave"))
    assert company.told[-1].data.model_dump()["reason"] == "other"


def test_an_offer_tells_the_terms_under_which_it_was_made() -> None:
    company = Company()
    company.need_known()
    company.to("acme", offer(offer_id="acme-1"))
    data = company.told[-1].data.model_dump()
    assert data["team"] == "closers"
    assert (data["mode"], data["attempt"]) == ("offer", 1)
    assert data["to"] == {"person": "boris", "role": "hunter"}
