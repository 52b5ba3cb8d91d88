"""Pictures are numbers that follow from what was told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from board_told import NOON, Story, whole

from board.arithmetic import steps
from board.drawing.band import WIDTH, band
from board.drawing.bars import TALL, WIDE, hours, swings
from conveyor_events import to_json


def told(story: Story) -> list[dict[str, Any]]:
    """As the API tells a journey."""
    shown = [to_json(envelope) for envelope in story.told]
    return [{"event_id": e["id"], "type": e["type"], "occurred_at": e["time"], "data": e["data"]} for e in shown]


def test_a_band_shows_who_held_the_client_at_each_station() -> None:
    drawn = band(told(whole()), NOON + timedelta(days=9))
    assert [(stay.lane, stay.person) for stay in drawn.stays] == [(0, "ana"), (1, "boris"), (2, "clara")]
    assert [(one.lane, one.outcome) for one in drawn.handovers] == [(0, "accepted"), (1, "accepted")]
    assert drawn.stays[-1].until is None
    assert len(drawn.marks) == len(whole().told)


def test_nothing_is_drawn_outside_and_time_runs_to_the_right() -> None:
    drawn = band(told(whole()), NOON + timedelta(days=400))
    xs = [mark.x for mark in drawn.marks]
    assert xs == sorted(xs)
    assert all(stay.x >= 0 and stay.x + stay.width <= WIDTH for stay in drawn.stays)
    assert len({mark.x for mark in drawn.marks}) == len(xs), "each event has a place of its own"


def test_an_offer_without_an_answer_is_open_until_now() -> None:
    drawn = band(told(Story().registered().needed().offered()), NOON + timedelta(days=1))
    assert [(one.lane, one.outcome) for one in drawn.handovers] == [(0, "open")]


def test_hours_are_as_tall_as_they_are_many() -> None:
    bars = hours([0] * 9 + [4, 2] + [0] * 13, 4)
    assert [(bar.label, bar.height) for bar in bars] == [("09:00", TALL), ("10:00", TALL / 2)]


def test_gain_is_to_the_right_and_loss_to_the_left() -> None:
    drawn = swings([("b", Decimal("-250.00")), ("a", Decimal("125.00")), ("c", Decimal(0))])
    assert [(one.label, one.x, one.width) for one in drawn] == [
        ("a", 0.0, WIDE / 2),
        ("c", 0.0, 0.0),
        ("b", -WIDE, WIDE),
    ]
    assert swings([("a", Decimal(0))])[0].width == 0.0


def test_the_arithmetic_of_a_commission_names_each_band() -> None:
    calc = {
        "exact": "1066.6672",
        "of_base": "15000.00",
        "base": "13333.34",
        "weight": "2",
        "of_weights": "3",
        "credited_before": "8000.00",
        "window": "month",
        "slices": [
            {"above": "0", "below": "10000", "base": "2000.00", "percent": "6", "amount": "120.00"},
            {"above": "10000", "below": None, "base": "11333.34", "percent": "8", "amount": "906.6672"},
        ],
    }
    found = steps({"kind": "commission", "amount": "1066.67", "calc": calc})
    assert [step.key for step in found] == ["part", "before", "slice", "slice_open", "rounded"]


def test_the_arithmetic_of_a_clawback_names_money_day_and_step() -> None:
    calc = {
        "entitlement": "600.00",
        "moved": "4000.00",
        "of_money": "10000.00",
        "step": "50",
        "day": 91,
        "exact": "-120.00",
    }
    found = steps({"kind": "clawback", "amount": "-120.00", "calc": calc})
    assert [step.key for step in found] == ["entitlement", "moved", "step"]


def test_what_a_cap_takes_is_told_after_what_was_rounded() -> None:
    calc = {"each": "3.00", "gained": 6, "lost": 0, "carried": 0, "units": 6, "exact": "18.004", "uncapped": "18.00"}
    told = steps({"kind": "growth", "amount": "12.00", "calc": calc})
    assert [step.key for step in told] == ["growth", "rounded", "capped"]
    assert told[1].amounts == {"exact": "18.004", "amount": "18.00"}
    whole = calc | {"exact": "18.00"}
    assert [step.key for step in steps({"kind": "growth", "amount": "12.00", "calc": whole})] == ["growth", "capped"]
