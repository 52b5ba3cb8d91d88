"""The read models say what the streams say."""

from decimal import Decimal
from typing import Any

import pytest
from account_story import CLIENT, DUE, NEXT_DAY, OFFER, REPEAT, WON, Line, at, offered, staffed

from account_mgmt.main import STREAMS
from account_mgmt.offer import AcceptOffer, RejectOffer
from account_mgmt.sale import RecordPayment, RecordRefund, RecordRepeatSale
from belt.io.store.projection import StreamView


def busy() -> Line:
    """A client that was offered, expired, taken, sold to three times, paid and refunded."""
    station = offered()
    station.tick(DUE)
    station.command("offer", OFFER, AcceptOffer(at(3, 13), "cyril"))
    for day, sale in ((1, REPEAT), (2, "sale-3"), (3, "sale-4")):
        command = RecordRepeatSale(at(4, day), "cyril", sale, CLIENT, Decimal(100), Decimal(20), "EUR")
        station.command("sale", sale, command)
    station.command("sale", REPEAT, RecordPayment(at(4, 5), "cyril", "p1", Decimal(60), "EUR"))
    station.command("sale", "sale-3", RecordPayment(at(4, 5), "cyril", "p1", Decimal(100), "EUR"))
    station.command("sale", "sale-3", RecordRefund(at(4, 6), "cyril", "r1", Decimal(100), "EUR"))
    return station


def test_an_offer_shows_where_it_stands() -> None:
    row = busy().row("offer", OFFER)
    assert row["stage"] == "accepted"
    assert (row["to_person"], row["served_by"], row["reroutes"], row["due_at"]) == ("cyril", "cyril", 1, None)
    waiting = offered().row("offer", OFFER)
    assert (waiting["stage"], waiting["to_person"], waiting["due_at"]) == ("offered", "clara", DUE)


def test_an_account_shows_who_serves_it_and_how_it_stands() -> None:
    row = busy().row("account", CLIENT)
    assert (row["stage"], row["served_by"], row["served_since"]) == ("regular", "cyril", at(3, 13))
    assert (row["purchases"], row["last_purchase_at"], row["regular_since"]) == (3, at(4, 3), at(4, 2))


def test_a_sale_shows_where_its_money_is() -> None:
    station = busy()
    rows = {sale: station.row("sale", sale) for sale in (REPEAT, "sale-3", "sale-4")}
    assert {sale: row["stage"] for sale, row in rows.items()} == {
        REPEAT: "part_paid",
        "sale-3": "refunded",
        "sale-4": "open",
    }
    assert (rows["sale-3"]["paid"], rows["sale-3"]["refunded"]) == (100, 100)


def rejected() -> Line:
    station = offered()
    station.command("offer", OFFER, RejectOffer(NEXT_DAY, "clara", "capacity", "no hands"))
    return station


def escalated() -> Line:
    station = offered()
    station.tick(at(12, 31))
    return station


def queued() -> Line:
    station = offered(staffed([]), to=None)
    station.tick(at(12, 31))
    return station


@pytest.mark.parametrize("story", [busy, offered, rejected, escalated, queued])
def test_a_row_fits_its_table_and_agrees_with_its_stream(story: Any) -> None:
    station = story()
    for stream_id, entry in station.entries.items():
        stream = STREAMS[stream_id.partition("-")[0]]
        if not isinstance(stream.view, StreamView):
            continue
        columns = {column.name: column for column in stream.view.table.columns}
        assert set(entry.row) <= set(columns)
        needed = {name for name, column in columns.items() if not column.nullable} - {"version", "shape"}
        assert all(entry.row.get(name) is not None for name in needed)
        assert entry.row["stage"] == getattr(entry.state, "stage", getattr(entry.state, "status", None))


def test_no_private_word_stands_in_a_row() -> None:
    assert "no hands" not in repr(rejected().row("offer", OFFER))


def test_what_was_offered_before_the_deal_was_known_is_shown_as_well() -> None:
    row = offered().row("account", CLIENT)
    assert (row["stage"], row["purchases"], row["last_purchase_at"]) == ("awaiting", 1, WON)
