"""The publisher's side of every topic: what a service tells is, to the letter, the committed sample.

A new event needs a row in the table of its topic (`*_happened.py`): the private event and the state from which the
service's own `publish` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import accounts_happened
import deals_happened
import leads_happened
import pay_happened
import pytest
import staff_happened
from happened import Cases

from account_mgmt.main import SERVICE as ACCOUNT_MGMT
from belt.core.decider import Public
from belt.io.service import Service
from compensation.main import SERVICE as COMPENSATION
from conversion.main import SERVICE as CONVERSION
from conveyor_events import CATALOG, TOPICS, Entry, Envelope, Event, entry, entry_of, from_json
from conveyor_events import open as open_event
from conveyor_events.generate import CHECKOUT, SAMPLES
from conveyor_events.schemas import name
from lead_gen.main import SERVICE as LEAD_GEN

pytestmark = pytest.mark.contract

PUBLISHERS: dict[str, tuple[Service, Cases]] = {
    "conveyor.staff.v1": (LEAD_GEN, staff_happened.CASES),
    "conveyor.leads.v1": (LEAD_GEN, leads_happened.CASES),
    "conveyor.deals.v1": (CONVERSION, deals_happened.CASES),
    "conveyor.accounts.v1": (ACCOUNT_MGMT, accounts_happened.CASES),
    "conveyor.pay.v1": (COMPENSATION, pay_happened.CASES),
}


def sample(of: Entry) -> Envelope:
    file = CHECKOUT / SAMPLES / name(of, of.model.VERSION)
    return from_json(json.loads(file.read_text(encoding="utf-8")))


def told(of: Entry, promised: Envelope) -> list[Public]:
    """What the service really tells, by the `publish` that its composition root names."""
    service, cases = PUBLISHERS[of.topic]
    happened = cases[of.model](open_event(promised), promised)
    stream = service.streams[happened.category]
    assert type(happened.event) in stream.events, "no such event in that stream"
    return [one for one in stream.publish(happened.event, happened.state) if type(one.data) is of.model]


def as_promised(public: Public, promised: Envelope) -> Envelope:
    """The envelope of what was told; what the belt adds (ids, sequence, recorded time, causes) is the sample's."""
    return replace(
        promised,
        type=entry_of(public.data).wire,  # type: ignore[arg-type]
        schema_version=entry_of(public.data).model.VERSION,  # type: ignore[arg-type]
        subject=public.subject,
        occurred_at=public.at,
        actor=public.actor,
        client_id=public.client_id,
        journey_id=public.journey_id,
        variant=public.variant,
        data=public.data.model_dump(mode="json"),
    )


@pytest.mark.parametrize("of", CATALOG, ids=lambda of: of.wire)
def test_what_is_told_is_the_committed_sample(of: Entry) -> None:
    promised = sample(of)
    (public,) = told(of, promised)
    assert as_promised(public, promised) == promised
    assert promised.source == f"/conveyor/{TOPICS[of.topic].publisher}"


def without_row(catalog: Sequence[Entry]) -> list[str]:
    """Events that nobody is known to tell."""
    return [one.wire for one in catalog if one.model not in PUBLISHERS[one.topic][1]]


def test_every_event_has_its_row_with_the_publisher_of_its_topic() -> None:
    assert without_row(CATALOG) == []
    for topic, (service, cases) in PUBLISHERS.items():
        assert service.name == TOPICS[topic].publisher
        assert set(cases) <= {one.model for one in CATALOG if one.topic == topic}


# --- seeds: what a publisher could do wrong is seen ----------------------------------------------------------------

WRONG: dict[str, Callable[[Public], Public]] = {
    "another field": lambda p: replace(p, data=p.data.model_copy(update={"team": "another"})),
    "a field too few": lambda p: replace(
        p, data=type(p.data).model_construct(**{name: value for name, value in p.data if name != "team"})
    ),
    "another subject": lambda p: replace(p, subject="the line"),
    "another actor": lambda p: replace(p, actor=None),
    "another time": lambda p: replace(p, at=p.at.replace(year=2020)),
    "another journey": lambda p: replace(p, journey_id=None),
    "another variant": lambda p: replace(p, variant="hunter"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_publisher_that_strays_is_seen(wrong: str) -> None:
    promised = sample(entry("conveyor.leads.LeadQualified", 1))
    (public,) = told(entry(promised.type, 1), promised)
    assert as_promised(public, promised) == promised
    assert as_promised(WRONG[wrong](public), promised) != promised


def test_a_new_event_that_nobody_tells_is_seen() -> None:
    class LeadTasted(Event):
        """A lead was tasted."""

    assert without_row([*CATALOG, Entry(LeadTasted, "conveyor.leads.v1", "client")]) == ["conveyor.leads.LeadTasted"]


def test_a_publisher_that_says_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    of = entry("conveyor.leads.LeadQualified", 1)
    silent: Any = replace(LEAD_GEN.streams["prospect"], publish=lambda _event, _state: ())
    monkeypatch.setitem(LEAD_GEN.streams, "prospect", silent)
    assert told(of, sample(of)) == []
