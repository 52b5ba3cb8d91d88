"""What is left of an event for who may not see everybody in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from compensation.masking import masked_event
from conveyor_events.words import COLLEAGUE

FIRST: dict[str, Any] = {
    "sale_id": "s", "kind": "first", "net": "900", "currency": "EUR", "line": "north",
    "sourced_by": {"person": "ana", "role": "scout"}, "converted_by": {"person": "boris", "role": "hunter"},
    "served_by": None, "splits": [],
}  # fmt: skip


def told(data: dict[str, Any], actor: str = "boris") -> dict[str, Any]:
    seat = {"person": actor, "role": "hunter"}
    return {"event_id": "e", "type": "t", "actor": seat, "client_id": "ana", "journey_id": "ana", "data": data}


def masked(data: dict[str, Any], *seen: str, earners: Collection[str] = (), actor: str = "boris") -> dict[str, Any]:
    return masked_event(told(data, actor), {"ana", "boris", "maria"}, earners, lambda person: person in seen)


def test_who_sees_everybody_sees_the_event_as_it_is() -> None:
    assert masked({"sale": FIRST}, "ana", "boris", "maria") == told({"sale": FIRST})


def test_a_client_keeps_its_id_even_if_somebody_is_called_the_same() -> None:
    assert masked({"sale": FIRST}, "boris")["client_id"] == "ana"


def test_the_only_earner_sees_the_amount() -> None:
    assert masked({"sale": FIRST, "tax": "1"}, "boris")["data"]["sale"]["net"] == "900"
    assert "tax" not in masked({"sale": FIRST, "tax": "1"}, "ana")["data"]


def test_who_is_paid_counts_and_not_who_is_stamped() -> None:
    repeat = FIRST | {"kind": "repeat", "served_by": {"person": "boris", "role": "farmer"}}
    assert "net" not in masked({"sale": repeat}, "boris", earners={"clara"})["data"]["sale"]
    assert masked({"sale": repeat}, "clara", earners={"clara"})["data"]["sale"]["net"] == "900"
    assert masked({"sale": repeat}, "boris")["data"]["sale"]["net"] == "900"


def test_a_share_from_before_makes_a_sale_a_shared_one() -> None:
    data = {"sale": FIRST, "legacy": {"person": "ana", "until": "2026-09-29"}}
    assert "net" not in masked(data, "boris")["data"]["sale"]
    assert masked(data, "boris")["data"]["legacy"]["person"] == COLLEAGUE


def test_amounts_of_no_sale_belong_to_who_acted() -> None:
    assert masked({"net": "5"}, "boris")["data"] == {"net": "5"}
    assert masked({"net": "5"}, "ana")["data"] == {}


def test_a_name_is_hidden_wherever_it_stands_and_the_house_is_nobody() -> None:
    data = {
        "to": "maria",
        "held_by": {"person": "zoe", "role": "scout"},
        "before": {"person": "house", "role": "scout"},
    }
    shown = masked(data, "boris")["data"]
    assert (shown["to"], shown["held_by"]["person"], shown["before"]["person"]) == (COLLEAGUE, COLLEAGUE, "house")


def test_of_agreed_parts_the_own_one_is_left() -> None:
    parts = [{"person": person, "role": "hunter", "weight": "1"} for person in ("boris", "dina")]
    shown = masked({"sale": FIRST | {"splits": parts}}, "boris")["data"]["sale"]
    assert shown["splits"] == parts[:1]
    assert "net" not in shown
