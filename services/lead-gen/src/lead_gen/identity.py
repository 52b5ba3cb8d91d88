"""How two entries are known to be the same client: identity keys, each in one written form.

A key belongs to one live client; the store keeps that promise by claims on (kind, value).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, assert_never

from belt.core.decider import Refused

Kind = Literal["tax_no", "domain", "phone", "name_city"]


@dataclass(frozen=True)
class IdentityKey:
    kind: Kind
    value: str


CALLING: dict[str, tuple[str, str]] = {
    "AE": ("971", "0"), "AR": ("54", "0"), "AT": ("43", "0"), "AU": ("61", "0"), "BE": ("32", "0"), "BG": ("359", "0"),
    "BR": ("55", "0"), "BY": ("375", "80"), "CA": ("1", "1"), "CH": ("41", "0"), "CL": ("56", ""), "CN": ("86", "0"),
    "CO": ("57", ""), "CY": ("357", ""), "CZ": ("420", ""), "DE": ("49", "0"), "DK": ("45", ""), "EE": ("372", ""),
    "EG": ("20", "0"), "ES": ("34", ""), "FI": ("358", "0"), "FR": ("33", "0"), "GB": ("44", "0"), "GR": ("30", ""),
    "HR": ("385", "0"), "HU": ("36", "06"), "IE": ("353", "0"), "IL": ("972", "0"), "IN": ("91", "0"), "IT": ("39", ""),
    "JP": ("81", "0"), "KR": ("82", "0"), "KZ": ("7", "8"), "LT": ("370", "8"), "LU": ("352", ""), "LV": ("371", ""),
    "MX": ("52", ""), "NL": ("31", "0"), "NO": ("47", ""), "NZ": ("64", "0"), "PL": ("48", ""), "PT": ("351", ""),
    "RO": ("40", "0"), "RS": ("381", "0"), "RU": ("7", "8"), "SE": ("46", "0"), "SG": ("65", ""), "SI": ("386", "0"),
    "SK": ("421", "0"), "TR": ("90", "0"), "UA": ("380", "0"), "US": ("1", "1"), "ZA": ("27", "0"),
}  # fmt: skip
"""Country: its calling code, and what is dialled before a number inside the country."""

_LATIN = (
    "ab ag as bv co corp dd doo eireli gmbh inc kft kg kk llc llp lp ltd ltda me nv oao oo ooo oy ohg plc pte pty pvt"
)
_MORE = "sa sarl sas se sl spa sro srl ug zao ао зао ип оао ооо пао"
LEGAL_FORMS = frozenset(f"{_LATIN} {_MORE}".split())
"""Words of a firm's name that say nothing of which firm it is."""

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})")


def normalised(keys: Iterable[IdentityKey], country: str | None) -> tuple[IdentityKey, ...]:
    """Every key in its one form, each once, in a fixed order. What cannot be a key is refused."""
    found = {IdentityKey(key.kind, _value(key, country)) for key in keys}
    return tuple(sorted(found, key=lambda key: (key.kind, key.value)))


def _value(key: IdentityKey, country: str | None) -> str:
    match key.kind:
        case "phone":
            return _phone(key.value, country)
        case "domain":
            return _domain(key.value)
        case "tax_no":
            return _tax_no(key.value, country)
        case "name_city":
            return _name_city(key.value)
        case _:
            assert_never(key.kind)


def _phone(text: str, country: str | None) -> str:
    """As E.164: +, country, number. A number without its country is read in the country of the client."""
    digits = "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())
    text = text.strip()
    if text.startswith("+"):
        # +49 (0)30 …: the bracket is for callers inside the country
        inside = re.search(r"\(0\)", text)
        digits = re.sub(r"\D", "", text.replace("(0)", "", 1)) if inside else digits
    elif digits.startswith("00"):
        digits = digits[2:]
    elif country in CALLING:
        code, trunk = CALLING[country]
        digits = code + (digits.removeprefix(trunk) if trunk else digits)
    else:
        raise Refused("identity-key.invalid", kind="phone", why="a number needs its country: write it with +")
    if not 7 <= len(digits) <= 15 or digits.startswith("0"):
        raise Refused("identity-key.invalid", kind="phone", why="7 to 15 digits, country first")
    return f"+{digits}"


def _domain(text: str) -> str:
    """The bare host, lower case, international names in their ASCII form."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip().lower())
    host = re.split(r"[/?#:]", host, maxsplit=1)[0].rstrip(".").removeprefix("www.")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Refused("identity-key.invalid", kind="domain", why="a host name such as example.com")
    return host


def _tax_no(text: str, country: str | None) -> str:
    """Letters and digits only; with the country in front where it is known."""
    value = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())
    if len(value) < 4 or not any(sign.isdigit() for sign in value):
        raise Refused("identity-key.invalid", kind="tax_no", why="at least four letters and digits")
    return value if country is None or value.startswith(country) else country + value


def _name_city(text: str) -> str:
    """name|city (or name, city), without case, accents, punctuation and legal form."""
    name, _, city = text.rpartition("|") if "|" in text else text.rpartition(",")
    words, place = _words(name), _words(city)
    words = [word for word in words if word not in LEGAL_FORMS] or words
    if not words or not place:
        raise Refused("identity-key.invalid", kind="name_city", why="write it as name|city")
    return f"{' '.join(words)}|{' '.join(place)}"


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace(".", "").casefold())
    return re.findall(r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))
