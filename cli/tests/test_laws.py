"""Each law holds for books that are right, and barks at one seeded violation."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from books import good, line, statement, with_line

from conveyor.demo import laws
from conveyor.demo.laws import LAWS, Books, Sale, check


def broken(books: Books) -> list[str]:
    return [name for name, found in check(books).items() if found]


def test_books_that_are_right_break_no_law() -> None:
    assert broken(good()) == []


def test_a_total_that_is_not_the_sum_of_its_lines_breaks_the_first_law() -> None:
    books = good()
    wrong = replace(books.statements[0], payable=books.statements[0].payable + Decimal("0.01"))
    assert broken(replace(books, statements=[wrong], asked_again=[wrong])) == ["lines sum to the statement"]


def test_a_conditional_total_is_checked_too() -> None:
    books = good()
    wrong = replace(books.statements[0], conditional=Decimal(0))
    assert broken(replace(books, statements=[wrong], asked_again=[wrong])) == ["lines sum to the statement"]


def test_a_cause_nobody_published_breaks_the_law_of_causes() -> None:
    books = with_line(good(), line("l-3", "release", "240.00", causes=("e-invented",)))
    assert broken(books) == ["every cause was published"]


def test_a_line_without_any_cause_breaks_the_law_of_causes() -> None:
    books = with_line(good(), line("l-3", "release", "240.00", causes=()))
    assert broken(books) == ["every cause was published"]


def test_taking_back_more_than_was_earned_is_found() -> None:
    books = with_line(good(), line("l-5", "clawback", "-600.01"))
    assert broken(books) == ["clawbacks stay within what was earned"]


def test_taking_back_all_that_was_earned_is_allowed() -> None:
    assert broken(with_line(good(), line("l-5", "clawback", "-600.00"))) == []


def test_a_cent_missing_in_the_releases_of_a_paid_sale_is_found() -> None:
    books = with_line(good(), line("l-4", "release", "359.99"))
    assert broken(books) == ["releases of a paid sale make its commission"]


def test_a_sale_paid_in_part_may_have_released_less_than_its_commission() -> None:
    books = with_line(good(), line("l-4", "release", "0.00"))
    half = Sale("sale-1", Decimal("10000.00"), Decimal("4000.00"))
    assert broken(replace(books, sales={"sale-1": half})) == []


def test_bases_that_do_not_add_up_to_the_sale_are_found() -> None:
    wrong = line("l-2", "commission", "600.00", state="conditional", base=Decimal("9999.99"))
    assert broken(with_line(good(), wrong)) == ["credited bases make the sale"]


def test_a_base_of_a_sale_that_never_was_is_found() -> None:
    assert broken(replace(good(), sales={})) == ["credited bases make the sale"]


def test_a_statement_that_changes_between_two_questions_is_found() -> None:
    books = good()
    assert broken(replace(books, asked_again=[statement()])) == ["asking twice gives the same"]


def test_a_statement_that_disappears_is_found() -> None:
    assert broken(replace(good(), asked_again=[])) == ["asking twice gives the same"]


def test_the_same_line_in_two_statements_is_found() -> None:
    march = good().statements[0]
    twice = [march, statement(march.lines[0], person="dina")]
    assert broken(replace(good(), statements=twice, asked_again=twice)) == ["no line stands twice"]


@pytest.mark.parametrize("name", LAWS)
def test_every_law_has_a_test_that_breaks_it(name: str) -> None:
    assert f'["{name}"]' in Path(__file__).read_text()


def test_the_money_of_a_sale_is_summed_from_its_events() -> None:
    sale = {"sale_id": "s", "net": "100.00"}
    events = [
        {"type": "conveyor.deals.DealClosed", "data": {"sale": sale}},
        {"type": "conveyor.deals.PaymentReceived", "data": {"sale": sale, "net": "40.00"}},
        {"type": "conveyor.deals.PaymentReceived", "data": {"sale": sale, "net": "60.00"}},
        {"type": "conveyor.deals.PaymentRefunded", "data": {"sale": sale, "net": "25.00"}},
        {"type": "conveyor.staff.StaffHired", "data": {"person": "ana"}},
    ]
    assert laws.sales_of(events) == {"s": Sale("s", Decimal("100.00"), Decimal("100.00"), Decimal("25.00"))}


def test_a_line_is_read_as_the_service_shows_it() -> None:
    shown = {
        "line_id": "l", "person": "boris", "period": "2026-03", "kind": "commission", "amount": "600.00",
        "currency": "EUR", "state": "conditional", "plan": "ref-hunter", "version": 1, "rule": "H1", "causes": ["e"],
        "calc": {"base": "10000.00"}, "sale_id": "s", "line": "factories",
    }  # fmt: skip
    read = laws.PayLine.of(shown)
    assert (read.amount, read.base, read.rule) == (Decimal("600.00"), Decimal("10000.00"), "ref-hunter/H1")
