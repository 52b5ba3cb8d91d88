"""Each kind of conflict is found from what people did, once, in any order; and what is no conflict is not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from pay_stories import (
    ANA,
    BORIS,
    CLARA,
    DINA,
    DORA,
    EGOR,
    VERA,
    accepted_after,
    closed,
    lost,
    met,
    offered,
    opened,
    overdue,
    refused,
    registered,
    rejected,
    repeat,
    seated,
    served,
    tried,
)

from compensation.conflict import KINDS, Case, conflicts
from conveyor_events import Envelope, Seat

NOBODY = Seat(person="house", role="farmer")
TWICE = [offered("o1", 1, credit=91), rejected("o1", 2), offered("o2", 60, credit=150), rejected("o2", 61)]
"""One lead, offered and rejected a second time."""

FOUND: dict[str, tuple[list[Envelope], tuple[str, str | None]]] = {
    "C1": ([registered(), refused(EGOR, "client-protected")], ("ana", "egor")),
    "C2": ([registered(), refused(EGOR, "existing-customer", CLARA)], ("clara", "egor")),
    "C3": ([closed(10), *served(), met(30, BORIS)], ("clara", "boris")),
    "C4": ([*served(), repeat(30, BORIS)], ("clara", "boris")),
    "C5": ([opened("one", 1, BORIS, "n1"), opened("two", 2, DINA, "n2", "n1")], ("boris", "dina")),
    "C6": ([closed(10), *served(), tried(BORIS)], ("clara", "boris")),
    "C7": ([offered(), rejected(), offered("o2", 4), rejected("o2", 5)], ("ana", "boris")),
    "C8": ([offered(), rejected(), closed(50)], ("ana", "boris")),
    "C9": ([overdue()], ("ana", None)),
}

NOT_FOUND: dict[str, list[Envelope]] = {
    "the same person tries again": [registered(), refused(ANA, "client-known")],
    "the one who serves meets the client": [closed(10), *served(), met(30, CLARA)],
    "the hunter met the client before": [met(9, BORIS), closed(10), *served()],
    "a manager meets the client": [closed(10), *served(), met(30, VERA)],
    "the one who serves sells": [*served(), repeat(30, CLARA)],
    "a part was agreed": [*served(), repeat(30, BORIS, CLARA, BORIS)],
    "the first opportunity was lost": [opened("one", 1, BORIS, "n1"), lost("one", 2), opened("two", 3, DINA, "n1")],
    "another need": [opened("one", 1, BORIS, "n1"), opened("two", 2, DINA, "n2")],
    "one's own customer": [closed(10), tried(BORIS, BORIS)],
    "rejected once": [offered(), rejected()],
    "sold after the credit window": [offered(credit=40), rejected(), closed(50)],
    "sold at the very end of the window": [offered(credit=50), rejected(), closed(50)],
    "sold by somebody else": [offered(), rejected(), closed(50, DINA)],
    "the finder has the credit": [offered(), rejected(), closed(50, sourced_by=ANA)],
    "rejected, mended and accepted": [offered(), rejected(), accepted_after(5), closed(50)],
    "a new journey": [closed(10), closed(200, DINA, sale_id="d2", journey="j2")],
    "the successor enters a sale of before": [*served(), seated(40, DORA), repeat(39, DORA, written=41)],
    "the predecessor enters an own sale late": [*served(), seated(40, DORA), repeat(39, CLARA, written=41)],
    "nobody serves by then": [*served(), seated(25, NOBODY), met(30, BORIS)],
    "nobody served yet": [seated(20, NOBODY), met(30, BORIS)],
}


def kinds(found: list[Case]) -> list[str]:
    return [case.kind for case in found]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_with_its_claims(kind: str) -> None:
    events, (a, b) = FOUND[kind]
    (case,) = [case for case in conflicts(events) if case.kind == kind]
    assert (case.a.person, case.b.person if case.b else None) == (a, b)
    assert set(case.events) <= {str(envelope.id) for envelope in events}
    assert case.at == max(e.occurred_at for e in events if str(e.id) in case.events)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_is_found_in_the_same_story(kind: str) -> None:
    assert kinds(conflicts(FOUND[kind][0])) == [kind]


@pytest.mark.parametrize("story", NOT_FOUND)
def test_what_is_no_conflict_is_not_found(story: str) -> None:
    assert conflicts(NOT_FOUND[story]) == []


@pytest.mark.parametrize("seed", range(20))
def test_in_any_order_and_three_times_the_same_cases_are_found(seed: int) -> None:
    events = [envelope for story, _ in FOUND.values() for envelope in story]
    again = events * 3
    Random(seed).shuffle(again)
    assert conflicts(again) == conflicts(events)


def test_a_second_first_sale_on_one_journey_is_a_case() -> None:
    (case,) = conflicts([closed(10), closed(20, DINA, sale_id="d2")])
    assert (case.kind, case.people, case.sale_id, case.net) == ("C6", ("boris", "dina"), "d2", Decimal(5000))


def test_a_case_that_goes_on_stays_the_same_case() -> None:
    def story(n: int) -> Iterator[Any]:
        for number in range(n):
            yield from (offered(f"o{number}", 2 * number), rejected(f"o{number}", 2 * number + 1))

    events = list(story(3))
    (two,), (three,) = conflicts(events[:4]), conflicts(events)
    assert two.case_id == three.case_id
    assert len(three.events) == 3


@pytest.mark.parametrize(("at", "lead"), [(50, "o1"), (62, "o2"), (100, "o2"), (149.99, "o2"), (150, None)], ids=str)
def test_a_sale_inside_the_window_of_any_rejection_is_a_case_and_the_newest_names_it(
    at: float, lead: str | None
) -> None:
    found = [case for case in conflicts([*TWICE, closed(at)]) if case.kind == "C8"]
    assert [case.lead.offer_id for case in found if case.lead is not None] == ([lead] if lead else [])


def test_an_older_rejection_is_a_case_where_the_newer_gives_no_credit() -> None:
    events = [offered("o1", 1, credit=91), rejected("o1", 2), offered("o2", 5, credit=40), rejected("o2", 6)]
    (case,) = [case for case in conflicts([*events, closed(50)]) if case.kind == "C8"]
    assert case.lead is not None
    assert case.lead.offer_id == "o1"


@pytest.mark.parametrize("mode", ["accepted", "overturned"])
def test_a_lead_accepted_in_the_end_was_not_stolen_however_often_it_was_rejected(mode: str) -> None:
    found = conflicts([*TWICE, accepted_after(62, mode=mode), closed(100)])
    assert kinds(found) == ["C7"]


def test_who_served_before_enters_no_sale_of_the_successor() -> None:
    (case,) = conflicts([*served(), seated(40, DORA), repeat(41, CLARA, written=42)])
    assert (case.kind, case.people) == ("C4", ("dora", "clara"))


@pytest.mark.parametrize("by", [BORIS, DINA, DORA], ids=lambda seat: str(seat.person))
def test_who_does_not_serve_enters_no_sale_of_who_served(by: Seat) -> None:
    """Neither at the sale nor when it is written down; the station lets who sold first and the whole team do it."""
    (case,) = conflicts([*served(), repeat(39, by, written=41)])
    assert (case.kind, case.people) == ("C4", ("clara", by.person))


def test_who_will_serve_later_enters_no_sale_before() -> None:
    (case,) = conflicts([*served(), repeat(38, DORA, written=39), seated(40, DORA)])
    assert (case.kind, case.people) == ("C4", ("clara", "dora"))


def test_a_second_first_sale_on_the_journey_after_a_return_is_a_case() -> None:
    second = [closed(200, sale_id="d2", journey="j2"), closed(210, DINA, sale_id="d3", journey="j2")]
    (case,) = conflicts([closed(10, CLARA), *second])
    assert (case.kind, case.people, case.sale_id) == ("C6", ("boris", "dina"), "d3")
    assert case.events == tuple(str(one.id) for one in second)


def test_a_late_first_sale_on_the_journey_before_is_measured_by_that_journey() -> None:
    events = [closed(10), closed(200, DINA, sale_id="d2", journey="j2"), closed(210, DINA, sale_id="d3")]
    (case,) = conflicts(events)
    assert (case.kind, case.people, case.sale_id) == ("C6", ("boris", "dina"), "d3")


def test_a_refused_deal_is_measured_by_who_sold_last() -> None:
    sold = [closed(10), closed(200, DINA, sale_id="d2", journey="j2")]
    (case,) = conflicts([*sold, tried(BORIS, None, at=220)])
    assert (case.kind, case.people) == ("C6", ("dina", "boris"))


def test_a_hunter_is_too_late_where_the_seat_was_given_without_an_offer() -> None:
    """An account that was reassigned before anybody took it, or whose history was brought in."""
    (case,) = conflicts([closed(10), seated(20, CLARA), met(30, BORIS)])
    assert (case.kind, case.people) == ("C3", ("clara", "boris"))


def test_a_meeting_that_is_somebody_else_s_by_a_seat_recorded_later_rests_on_that_seat() -> None:
    before = [*served(by=BORIS), met(30, BORIS)]
    late = seated(25, CLARA, written=60)
    assert list(conflicts(before)) == []
    (case,) = conflicts([*before, late])
    assert case.kind == "C3"
    assert case.events == (str(before[0].id), str(late.id), str(before[-1].id))
