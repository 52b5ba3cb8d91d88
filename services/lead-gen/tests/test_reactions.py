"""What this station does when it hears from the next one: once or twice, early or late, it comes to the same."""

from __future__ import annotations

from typing import Any

import pytest
from lead_gen_story import CLIENT, Company, at, sample

from belt.core.decider import Refused
from conveyor_events import Envelope
from conveyor_events import open as opened
from conveyor_events.catalog import CATALOG, TOPICS
from lead_gen.prospect.state import Stage
from lead_gen.reactions import TOPICS as HEARD
from lead_gen.reactions import react


def hear(company: Company, envelope: Envelope) -> list[Any]:
    return company.do(*react(opened(envelope), envelope))


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("LeadAccepted", Stage.CONVERTING),
        ("LeadRejected", Stage.REWORK),
        ("LeadOfferExpired", Stage.OFFERED),
        ("LeadOfferRerouted", Stage.OFFERED),
        ("LeadOfferEscalated", Stage.OFFERED),
        ("DealClosed", Stage.CUSTOMER),
        ("OpportunityLost", Stage.OFFERED),
        ("PaymentReceived", Stage.OFFERED),
    ],
)
def test_heard_twice_it_is_heard_once(name: str, stage: Stage) -> None:
    company = Company()
    company.offered()
    hear(company, sample(name))
    stood = company.states
    assert company.prospect().stage is stage
    assert hear(company, sample(name)) == []
    assert company.states == stood


def test_what_happened_here_carries_the_time_of_what_was_heard() -> None:
    company = Company()
    company.offered()
    [returned] = hear(company, sample("LeadRejected"))
    assert returned.at == at(4)


def test_the_next_receiver_is_taken_over() -> None:
    company = Company()
    company.offered()
    hear(company, sample("LeadOfferRerouted", to={"person": "dina", "role": "hunter"}))
    offer = company.prospect().offer
    assert offer is not None
    assert offer.to is not None
    assert offer.to.person == "dina"


def test_a_manager_who_is_asked_may_look() -> None:
    company = Company()
    company.offered()
    hear(company, sample("LeadOfferEscalated", to="vera"))
    offer = company.prospect().offer
    assert offer is not None
    assert offer.to is not None
    assert (offer.to.person, offer.to.role) == ("vera", "manager")


def test_a_client_that_conversion_found_by_itself_is_no_business_of_ours() -> None:
    company = Company()
    with pytest.raises(Refused, match=r"prospect\.unknown"):
        hear(company, sample("DealClosed"))


def test_every_event_of_the_topics_it_listens_to_is_understood() -> None:
    for entry in CATALOG:
        if entry.topic in HEARD:
            envelope = sample(entry.model.__name__)
            for step in react(opened(envelope), envelope):
                assert (step.category, step.id) == ("prospect", CLIENT)
    assert set(HEARD) <= set(TOPICS)
