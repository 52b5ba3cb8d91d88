from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from conveyor_events import CATALOG, TOPICS, UnknownEvent, accounts, deals, entry_of, topic_of, wire_type
from conveyor_events.sale import Sale
from conveyor_events.schemas import meaning
from conveyor_events.staff import Policy, WorkingCalendar
from conveyor_events.words import Event, Seat

SALE: dict[str, Any] = {
    "sale_id": "s1",
    "kind": "first",
    "line": "tokyo",
    "net": "1000",
    "currency": "JPY",
    "sold_at": "2026-03-10T14:30:00Z",
    "sourced_by": {"person": "ana", "role": "scout"},
    "converted_by": {"person": "boris", "role": "hunter"},
}


def test_each_wire_type_is_in_the_catalog_once() -> None:
    wires = [entry.wire for entry in CATALOG]
    assert len(wires) == len(set(wires))
    assert {entry.topic for entry in CATALOG} == set(TOPICS)


def test_one_name_on_two_topics_is_two_types() -> None:
    assert wire_type(deals.PaymentReceived) == "conveyor.deals.PaymentReceived"
    assert wire_type(accounts.PaymentReceived) == "conveyor.accounts.PaymentReceived"
    assert topic_of(accounts.PaymentReceived) == "conveyor.accounts.v1"


def test_every_event_says_when_it_happens() -> None:
    for entry in CATALOG:
        assert "__doc__" in vars(entry.model)
        assert meaning(entry.model).endswith(".")


def test_a_model_outside_the_catalog_has_no_wire_type() -> None:
    with pytest.raises(UnknownEvent):
        entry_of(Event)


def test_events_do_not_change() -> None:
    sale = Sale.model_validate(SALE)
    with pytest.raises(ValidationError):
        sale.net = Decimal(1)  # type: ignore[misc]


def test_a_sale_fits_the_minor_units_of_its_currency() -> None:
    assert Sale.model_validate({**SALE, "net": "1000.0"}).net == 1000
    with pytest.raises(ValidationError, match="minor units"):
        Sale.model_validate({**SALE, "net": "1000.5"})
    assert Sale.model_validate({**SALE, "net": "1000.125", "currency": "KWD"}).net == Decimal("1000.125")
    with pytest.raises(ValidationError, match="unknown currency"):
        Sale.model_validate({**SALE, "currency": "XXX"})


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (accounts.RepeatSale, {"sale": SALE, "tax": "0.5"}),
        (
            deals.PaymentReceived,
            {"payment_id": "p", "sale": SALE, "net": "1", "currency": "JPY", "paid_net_total": "1.5"},
        ),
        (
            deals.DealClosed,
            {
                "sale": SALE,
                "deal_id": "d",
                "opportunity_id": "o",
                "tax": "0",
                "payment_schedule": [{"due_on": "2026-03-15", "amount": "0.01"}],
            },
        ),
    ],
)
def test_every_amount_beside_a_currency_is_checked(model: type[Event], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="minor units"):
        model.model_validate(data)


@pytest.mark.parametrize("weight", ["0", "-1", 1])
def test_a_split_weighs_something(weight: Any) -> None:
    with pytest.raises(ValidationError):
        Sale.model_validate({**SALE, "splits": [{"person": "boris", "role": "hunter", "weight": weight}]})


@pytest.mark.parametrize("at", ["2026-03-10T14:30:00", "2026-03-10", 1773135000, "1773135000"])
def test_an_instant_needs_its_zone(at: Any) -> None:
    with pytest.raises(ValidationError):
        Sale.model_validate({**SALE, "sold_at": at})


def test_the_policy_has_a_default_for_everything() -> None:
    policy = Policy()
    assert (policy.accept_within_hours, policy.account_accept_within_hours, policy.reroutes) == (8, 16, 2)
    assert policy.calendar == WorkingCalendar(weekdays=[0, 1, 2, 3, 4], opens="09:00", closes="18:00", holidays=[])
    assert Policy.model_validate(policy.model_dump(mode="json")) == policy


@pytest.mark.parametrize("calendar", [{"weekdays": []}, {"weekdays": [7]}, {"opens": "18:00"}, {"closes": "24:00"}])
def test_a_calendar_without_working_time_is_refused(calendar: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorkingCalendar.model_validate(calendar)


def test_a_seat_keeps_the_role_as_a_word() -> None:
    assert type(Seat(person="ana", role="anything-new").role) is str
