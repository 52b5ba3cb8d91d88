"""However it is written, the same client has the same key."""

from __future__ import annotations

import pytest

from belt.core.decider import Refused
from lead_gen.identity import IdentityKey, Kind, normalised

SAME: list[tuple[Kind, str | None, str, list[str]]] = [
    (
        "phone",
        "DE",
        "+4930123456",
        ["+49 30 123456", "0049 (30) 123-456", "030/123456", "+49 (0)30 123456", "030 12 34 56"],
    ),
    ("phone", "RU", "+74951234567", ["8 (495) 123-45-67", "+7 495 1234567"]),
    ("phone", "IT", "+39061234567", ["06 1234567", "+39 06 1234567"]),
    (
        "domain",
        None,
        "acme.example",
        ["acme.example", "https://www.Acme.example/shop?x=1", "ACME.EXAMPLE.", "http://acme.example:8080"],
    ),
    ("domain", None, "xn--mller-kva.example", ["müller.example", "www.MÜLLER.example"]),
    ("tax_no", "DE", "DE123456789", ["DE123456789", "123 456 789", "de-123.456.789"]),
    ("tax_no", None, "12345678000195", ["12.345.678/0001-95"]),
    (
        "name_city",
        None,
        "muller sohne|koln",
        ["Müller & Söhne GmbH|Köln", "Muller Sohne, Koln", "MÜLLER  SÖHNE G.m.b.H. | köln"],
    ),
    ("name_city", None, "ромашка|москва", ["ООО «Ромашка»|Москва"]),
]


@pytest.mark.parametrize(
    ("kind", "country", "key", "text"), [(k, c, key, text) for k, c, key, texts in SAME for text in texts]
)
def test_a_key_has_one_form(kind: Kind, country: str | None, key: str, text: str) -> None:
    assert normalised([IdentityKey(kind, text)], country) == (IdentityKey(kind, key),)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phone", "030 123456"),  # of which country?
        ("phone", "+49"),
        ("phone", "+0301234567"),
        ("phone", "+1234567890123456"),
        ("phone", "call me"),
        ("domain", "localhost"),
        ("domain", "info@acme.example"),
        ("domain", "a b.example"),
        ("domain", "https://"),
        ("domain", "192.168.1.1"),
        ("tax_no", "--"),
        ("tax_no", "none"),
        ("name_city", "Acme"),
        ("name_city", "|Berlin"),
        ("name_city", "…, …"),
    ],
)
def test_what_identifies_nobody_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(Refused, match=r"identity-key\.invalid"):
        normalised([IdentityKey(kind, text)], None)


def test_the_same_key_twice_is_one_key() -> None:
    keys = [IdentityKey("domain", "acme.example"), IdentityKey("domain", "www.acme.example")]
    assert len(normalised(keys, None)) == 1


def test_a_firm_called_like_a_legal_form_keeps_its_name() -> None:
    assert normalised([IdentityKey("name_city", "AG SA|Bern")], None)[0].value == "ag sa|bern"


def test_forms_are_stable() -> None:
    for kind, country, key, _ in SAME:
        assert normalised([IdentityKey(kind, key)], country) == (IdentityKey(kind, key),)
