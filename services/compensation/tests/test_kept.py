"""What is read quickly is what is read with care: for every event, sample and notation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pay_histories import company

from compensation import kept
from compensation.reading import fact
from conveyor_events import Envelope, UnknownEvent, from_json, golden, to_json
from conveyor_events.pay import AdjustmentPosted, ConflictDetected, ConflictResolved


def written(envelope: Envelope) -> str:
    return json.dumps(to_json(envelope), ensure_ascii=False)


def same(envelope: Envelope) -> None:
    quickly, trace = kept.traced(written(envelope))
    assert quickly == fact(envelope)
    assert [type(one) for one in values(quickly)] == [type(one) for one in values(fact(envelope))]
    assert trace == envelope.traceparent


def values(found: Any) -> list[Any]:
    return [getattr(found, name) for name in type(found).__slots__] + [
        getattr(found.data, name) for name in type(found.data).__slots__
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_whole_company_is_read_the_same(seed: int) -> None:
    for envelope in company(seed, 5).envelopes:
        same(envelope)


@pytest.mark.parametrize("record", list(golden.records()), ids=lambda record: record.envelope.type)
def test_every_sample_of_every_version_is_read_the_same(record: golden.Record) -> None:
    same(record.envelope)


DECIDED = tuple(model.__name__ for model in (ConflictDetected, ConflictResolved, AdjustmentPosted))


def test_all_that_pay_reads_is_read_quickly() -> None:
    """A reader that was forgotten would be found here: its facts would come as notes."""
    quick = {name for name, _, reader in kept.KINDS.values() if reader is not None}
    careful = {
        type(fact(r.envelope).data).__name__ == "Noted" or r.envelope.type.rpartition(".")[2] for r in golden.records()
    }
    assert quick == careful - {True} - {*DECIDED}


@pytest.mark.parametrize("time", ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00.5+01:00", "2026-03-01t10:00:00.000001z"])
def test_another_notation_of_an_instant_is_read_with_care(time: str) -> None:
    raw = to_json(company(3, 1).envelopes[-1]) | {"time": time}
    assert kept.read(json.dumps(raw)) == fact(from_json(raw))


@pytest.mark.parametrize("change", [{"schemaversion": 99}, {"type": "conveyor.deals.NobodyKnows"}])
def test_what_this_release_does_not_know_is_left_out(change: dict[str, Any]) -> None:
    raw = to_json(company(3, 1).envelopes[-1]) | change
    with pytest.raises(UnknownEvent):
        kept.read(json.dumps(raw))
    assert list(kept.facts([json.dumps(raw)])) == []
