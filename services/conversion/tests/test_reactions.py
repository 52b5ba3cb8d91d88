"""What this station does about the others' events: pure, the same for the committed samples for ever."""

import json
from pathlib import Path
from typing import Any

import pytest
from conversion_stories import CLIENT, Bench, bench

from belt.core.decider import Step
from conversion.main import SERVICE
from conversion.offer import ReceiveLead, WithdrawLead
from conversion.opportunity.client import NoteAnswer, NoteServed
from conversion.reactions import Incomplete, react
from conveyor_events import CATALOG, TOPICS, Envelope, from_json
from conveyor_events import open as open_event

SAMPLES = Path(__file__).parents[3] / "libs" / "events" / "samples"
ALL = sorted(path.name for path in SAMPLES.glob("*.json"))
HEARD = {
    "staff.StaffHired",
    "staff.RoleGranted",
    "staff.RoleRevoked",
    "staff.AbsenceSet",
    "staff.StaffLeft",
    "staff.LineStaffed",
    "leads.LeadQualified",
    "leads.LeadWithdrawn",
    "leads.JourneyMigrated",
    "leads.PersonalDataErased",
    "accounts.SeatAssigned",
    "accounts.AccountAccepted",
    "accounts.AccountRejected",
}


def sample(name: str) -> Envelope:
    return from_json(json.loads((SAMPLES / f"{name}.v1.json").read_text(encoding="utf-8")))


def steps(envelope: Envelope) -> tuple[Step, ...]:
    return tuple(react(open_event(envelope), envelope))


@pytest.mark.parametrize("file", ALL)
def test_every_sample_of_every_version_is_heard_or_passed_over(file: str) -> None:
    envelope = from_json(json.loads((SAMPLES / file).read_text(encoding="utf-8")))
    assert bool(steps(envelope)) is (file.rpartition(".v")[0] in HEARD)


@pytest.mark.parametrize("name", sorted(HEARD))
def test_the_same_event_always_gives_the_same_commands(name: str) -> None:
    assert steps(sample(name)) == steps(sample(name))


@pytest.mark.parametrize("name", sorted(HEARD))
def test_an_event_heard_twice_leaves_what_it_left_the_first_time(name: str) -> None:
    there = Bench()
    first = _left(there, *steps(sample(name)))
    assert _left(there, *steps(sample(name))) == first


def _left(there: Bench, *todo: Step) -> Any:
    for step in todo:
        if "Withdraw" in type(step.command).__name__:
            there.refusal(step)
        else:
            there.do(step)
    return {key: (entry.version, entry.state) for key, entry in there.entries.items()}, len(there.told)


def test_the_station_hears_the_topics_whose_events_it_knows() -> None:
    short = {name.partition(".")[0] for name in HEARD}
    assert {TOPICS[topic].short for topic in SERVICE.topics} == short
    assert {f"{TOPICS[e.topic].short}.{e.model.__name__}" for e in CATALOG} >= HEARD


def test_a_qualified_lead_is_an_offer_under_its_own_id() -> None:
    envelope = sample("leads.LeadQualified")
    (step,) = steps(envelope)
    command = step.command
    assert isinstance(command, ReceiveLead)
    assert (step.category, step.id) == ("offer", envelope.data["offer_id"])
    assert (command.lead.client, command.lead.journey) == (envelope.client_id, envelope.journey_id)
    assert command.lead.variant == envelope.variant
    assert command.at == envelope.occurred_at, "a reaction carries its event's business time"


def test_a_lead_on_no_journey_is_not_guessed_at() -> None:
    envelope = sample("leads.LeadQualified")
    attributes = {name: getattr(envelope, name) for name in envelope.__slots__}
    for gone in ("client_id", "journey_id", "variant"):
        with pytest.raises(Incomplete):
            steps(Envelope(**(attributes | {gone: None})))


def test_a_withdrawal_before_any_offer_is_refused_without_harm() -> None:
    (step,) = steps(sample("leads.LeadWithdrawn"))
    assert isinstance(step.command, WithdrawLead)
    assert bench().refusal(step) == "offer.unknown"


def test_who_serves_a_client_is_known_from_the_latest_assignment() -> None:
    (step,) = steps(sample("accounts.SeatAssigned"))
    known = step.command
    assert isinstance(known, NoteServed)
    there = Bench()
    there.do(step)
    earlier = NoteServed(known.at, CLIENT, known.served_by, known.since.replace(year=2020))
    assert there.do(Step("client", step.id, earlier)) == []
    assert there.state("client", step.id).served_by == known.served_by


def test_an_answer_about_a_client_without_a_deal_changes_nothing() -> None:
    (step,) = steps(sample("accounts.AccountRejected"))
    assert isinstance(step.command, NoteAnswer)
    assert Bench().do(step) == []
