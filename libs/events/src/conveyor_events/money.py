"""Money: decimal only, minor units by ISO 4217, one way to round and one way to split."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG "
    "YER ZAR ZMW ZWG"
)
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

MINOR_UNITS: dict[str, int] = {
    code: digits for digits, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
"""ISO 4217: digits after the point of every active currency. Codes without minor units (gold, tests) are no money."""

_MAX_WHOLE, _MAX_FRACTION = 30, 12
_PLAIN = rf"-?[0-9]{{1,{_MAX_WHOLE}}}(\.[0-9]{{1,{_MAX_FRACTION}}})?"
_IS_PLAIN = re.compile(_PLAIN).fullmatch
_EXACT = Context(prec=200)


class UnknownCurrency(ValueError):
    """Not an active ISO 4217 currency."""


def minor_units(currency: str) -> int:
    """Digits after the point."""
    if currency not in MINOR_UNITS:
        raise UnknownCurrency(f"unknown currency {currency!r}")
    return MINOR_UNITS[currency]


@lru_cache
def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(currency))


def round_half_up(x: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit, a half away from zero: so a reversal mirrors to the cent."""
    rounded = x.quantize(_unit(currency), rounding=ROUND_HALF_UP, context=_EXACT)
    return abs(rounded) if rounded.is_zero() else rounded


def fits(amount: Decimal, currency: str) -> bool:
    """Whether the amount can be paid in this currency to the last digit."""
    return amount == amount.quantize(_unit(currency), rounding=ROUND_DOWN, context=_EXACT)


def split(base: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Parts of the base by weight that sum to it exactly: largest remainder, the first in order wins a tie.

    A negative base gives the mirror image of its positive one.
    """
    if not weights or any(not w.is_finite() or w < 0 for w in weights) or not any(weights):
        raise ValueError("weights must not be negative and one must be above zero")
    if not fits(base, currency):
        raise ValueError(f"{base} has more digits than {currency} has minor units")
    if base < 0:
        return [-part if part else part for part in split(-base, weights, currency)]
    scale = max(0, *(-int(w.as_tuple().exponent) for w in weights))
    shares = [int(w.scaleb(scale, context=_EXACT)) for w in weights]
    total, units = sum(shares), int(base.scaleb(minor_units(currency), context=_EXACT))
    floors, remainders = zip(*(divmod(units * share, total) for share in shares), strict=True)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-remainders[i], i))
    extra = set(by_remainder[: units - sum(floors)])
    return [(floor + (i in extra)) * _unit(currency) for i, floor in enumerate(floors)]


def plain(amount: Decimal) -> str:
    """The amount as people write it: no exponent, no minus zero."""
    return format(abs(amount) if amount.is_zero() else amount, "f")


def _read(value: object) -> Decimal:
    if isinstance(value, str):
        if not _IS_PLAIN(value):
            raise ValueError("an amount is a plain decimal string such as '1666.67'")
        return Decimal(value)
    if isinstance(value, Decimal):
        if not value.is_finite() or not _IS_PLAIN(plain(value) if abs(value.adjusted()) < 50 else ""):
            raise ValueError("an amount is a finite decimal of reasonable size")
        return value
    raise ValueError("an amount is a decimal string, never a JSON number")


Amount = Annotated[
    Decimal,
    BeforeValidator(_read),
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_PLAIN}$", "examples": ["1666.67"]}),
]
"""A decimal that travels as a string: JSON numbers are refused because they lose cents."""


def payable(currency: str, *amounts: Decimal) -> None:
    """Raises ValueError unless every amount fits the currency's minor units."""
    for amount in amounts:
        if not fits(amount, currency):
            raise ValueError(f"{plain(amount)} has more digits than {currency} has minor units")


@dataclass(frozen=True)
class Money:
    """An amount in a currency, exact to its minor units."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", _read(self.amount))
        payable(self.currency, self.amount)

    def __add__(self, other: "Money") -> "Money":
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> "Money":
        return Money(self.amount.copy_negate() if self.amount else self.amount, self.currency)

    def __str__(self) -> str:
        return f"{plain(round_half_up(self.amount, self.currency))} {self.currency}"

    def split(self, weights: Sequence[Decimal]) -> "list[Money]":
        """Parts by weight that sum to the whole."""
        return [Money(part, self.currency) for part in split(self.amount, weights, self.currency)]

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.amount
