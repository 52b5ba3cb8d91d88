"""How two entries are known to be the same client: identity keys, each in one written form.

A key belongs to one live client; the store keeps that promise by claims on (kind, value).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, assert_never

import phonenumbers

from belt.core.decider import Refused

Kind = Literal["tax_no", "domain", "phone", "name_city"]


@dataclass(frozen=True)
class IdentityKey:
    kind: Kind
    value: str


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
    written = text.strip()
    if country is None and written.startswith("00"):
        written = "+" + written[2:]
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        why = "write it with + and its country" if country is None else "this is no telephone number"
        raise Refused("identity-key.invalid", kind="phone", why=why) from None
    if not phonenumbers.is_possible_number(number):
        raise Refused("identity-key.invalid", kind="phone", why="too short or too long for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
