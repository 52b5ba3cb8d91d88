from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from conveyor_events.money import MINOR_UNITS, Amount, Money, UnknownCurrency, fits, round_half_up, split

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])


class Priced(BaseModel):
    price: Amount


def minor(currency: str, largest: int = 10**24) -> st.SearchStrategy[Decimal]:
    return st.integers(-largest, largest).map(lambda units: Decimal(units).scaleb(-MINOR_UNITS[currency]))


BASES = CURRENCIES.flatmap(lambda currency: st.tuples(minor(currency), st.just(currency)))
WEIGHTS = st.lists(st.decimals("0.001", "1000", places=3), min_size=1, max_size=7)
ANY = st.decimals(-(10**20), 10**20, allow_nan=False, places=7)


def rounded_by_fractions(x: Decimal, currency: str) -> Fraction:
    unit = Fraction(1, 10 ** MINOR_UNITS[currency])
    size = floor(abs(Fraction(x)) / unit + Fraction(1, 2)) * unit
    return size if x > 0 else -size


def split_by_fractions(base: Decimal, weights: Sequence[Decimal], currency: str) -> list[Fraction]:
    unit = Fraction(1, 10 ** MINOR_UNITS[currency])
    exact = [abs(Fraction(base)) * Fraction(w) / sum(map(Fraction, weights)) / unit for w in weights]
    parts = [floor(share) for share in exact]
    left = list(range(len(parts)))
    while sum(parts) * unit < abs(Fraction(base)):
        winner = max(left, key=lambda i: (exact[i] - floor(exact[i]), -i))
        left.remove(winner)
        parts[winner] += 1
    return [part * unit * (1 if base >= 0 else -1) for part in parts]


@given(ANY, CURRENCIES)
def test_rounding_is_half_away_from_zero(x: Decimal, currency: str) -> None:
    assert Fraction(round_half_up(x, currency)) == rounded_by_fractions(x, currency)


@given(ANY, CURRENCIES)
def test_a_reversal_mirrors_to_the_cent(x: Decimal, currency: str) -> None:
    assert round_half_up(-x, currency) == -round_half_up(x, currency)


@pytest.mark.parametrize(
    ("x", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("1.004999", "EUR", "1.00"),
        ("2.5", "JPY", "3"),
        ("-2.5", "JPY", "-3"),
        ("1.0005", "KWD", "1.001"),
        ("-0.001", "EUR", "0.00"),
        ("123456789012345678901234567890.125", "EUR", "123456789012345678901234567890.13"),
    ],
)
def test_rounding_knows_the_minor_units(x: str, currency: str, expected: str) -> None:
    assert str(round_half_up(Decimal(x), currency)) == expected


@given(BASES, WEIGHTS)
def test_the_parts_sum_to_the_base_exactly(money: tuple[Decimal, str], weights: list[Decimal]) -> None:
    base, currency = money
    parts = split(base, weights, currency)
    assert sum(map(Fraction, parts)) == Fraction(base)
    assert all(fits(part, currency) for part in parts)


@given(BASES, WEIGHTS)
def test_splitting_is_by_largest_remainder(money: tuple[Decimal, str], weights: list[Decimal]) -> None:
    base, currency = money
    assert [Fraction(part) for part in split(base, weights, currency)] == split_by_fractions(base, weights, currency)


@given(BASES, WEIGHTS)
def test_a_negative_base_splits_like_its_mirror(money: tuple[Decimal, str], weights: list[Decimal]) -> None:
    base, currency = money
    assert split(-base, weights, currency) == [-part for part in split(base, weights, currency)]


@pytest.mark.parametrize(
    ("base", "weights", "currency", "expected"),
    [
        ("1666.67", "1 1 1", "EUR", "555.56 555.56 555.55"),
        ("-1666.67", "1 1 1", "EUR", "-555.56 -555.56 -555.55"),
        ("0.01", "1 1", "EUR", "0.01 0.00"),
        ("100", "1 1 1", "JPY", "34 33 33"),
        ("0.001", "1 2", "KWD", "0.000 0.001"),
        ("10.00", "0.5 0.5 0", "EUR", "5.00 5.00 0.00"),
    ],
)
def test_the_first_in_order_wins_a_tie(base: str, weights: str, currency: str, expected: str) -> None:
    parts = split(Decimal(base), [Decimal(w) for w in weights.split()], currency)
    assert [str(part) for part in parts] == expected.split()


@pytest.mark.parametrize("weights", [[], [Decimal(0)], [Decimal(2), Decimal(-1)], [Decimal("NaN")]])
def test_weights_that_weigh_nothing_are_refused(weights: list[Decimal]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(Decimal(1), weights, "EUR")


def test_a_base_finer_than_its_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="minor units"):
        split(Decimal("0.5"), [Decimal(1)], "JPY")


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XOF", 0)])
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert MINOR_UNITS[currency] == digits


@pytest.mark.parametrize("currency", ["XAU", "XXX", "DEM", "eur", ""])
def test_what_cannot_be_paid_in_is_no_currency(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        round_half_up(Decimal(1), currency)


@pytest.mark.parametrize("price", [1.1, 1, True, None, "1e3", "1E+3", "NaN", "Infinity", "1_0", " 1", "1.", ".5", "١"])
def test_only_a_plain_string_is_an_amount_on_the_wire(price: Any) -> None:
    with pytest.raises(ValidationError):
        Priced.model_validate({"price": price})


@pytest.mark.parametrize("text", ["1.5", "15"])
def test_a_json_number_is_no_amount(text: str) -> None:
    with pytest.raises(ValidationError):
        Priced.model_validate_json(f'{{"price": {text}}}')


@given(st.decimals(-(10**29), 10**29, allow_nan=False, allow_infinity=False, places=12))
def test_an_amount_survives_the_wire_digit_by_digit(price: Decimal) -> None:
    written = Priced(price=price).model_dump_json()
    assert "E" not in written
    assert Priced.model_validate_json(written).price == price


def test_an_amount_is_written_without_exponent_or_minus_zero() -> None:
    assert Priced(price=Decimal("1E+3")).model_dump(mode="json") == {"price": "1000"}
    assert Priced(price=Decimal("1E-7")).model_dump(mode="json") == {"price": "0.0000001"}
    assert Priced(price=Decimal("-0.00")).model_dump(mode="json") == {"price": "0.00"}


@pytest.mark.parametrize("price", ["NaN", "-Infinity", "1E+400", "1E-400", "0E+400"])
def test_a_decimal_that_is_no_sum_of_money_is_refused(price: str) -> None:
    with pytest.raises(ValidationError):
        Priced(price=Decimal(price))


def test_money_adds_up_only_in_one_currency() -> None:
    assert Money(Decimal("1.10"), "EUR") + Money(Decimal("2.20"), "EUR") == Money(Decimal("3.30"), "EUR")
    assert Money(Decimal("1.10"), "EUR") - Money(Decimal("2.20"), "EUR") == -Money(Decimal("1.10"), "EUR")
    with pytest.raises(ValueError, match="add up"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


def test_money_is_exact_to_its_minor_units() -> None:
    assert str(Money(Decimal(1000), "EUR")) == "1000.00 EUR"
    assert str(Money(Decimal(1000), "JPY")) == "1000 JPY"
    with pytest.raises(ValueError, match="minor units"):
        Money(Decimal("0.001"), "EUR")
    with pytest.raises(ValueError, match="never a JSON number"):
        Money(0.1, "EUR")  # type: ignore[arg-type]


def test_money_splits_into_money() -> None:
    thirds = Money(Decimal("1666.67"), "EUR").split([Decimal(1)] * 3)
    assert [str(part) for part in thirds] == ["555.56 EUR", "555.56 EUR", "555.55 EUR"]
