"""The words everybody shares: stations, roles, seats, the four variants, and how an instant is written."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

HOUSE = "house"
"""The pseudo-person that holds a seat without pay."""
COLLEAGUE = "colleague"
"""Stands for whoever a reader of pay may not see; so nobody is called that."""


class Station(StrEnum):
    """A place on the line; a client visits them in this order."""

    LEAD_GEN = "lead-gen"
    CONVERSION = "conversion"
    ACCOUNT_MGMT = "account-mgmt"


class Role(StrEnum):
    """What a person can be. A manager steers a line but never sits in a seat of a variant."""

    SCOUT = "scout"
    HUNTER = "hunter"
    FARMER = "farmer"
    MANAGER = "manager"


VARIANTS: dict[str, Mapping[Station, Role]] = {
    "scout-hunter-farmer": {
        Station.LEAD_GEN: Role.SCOUT,
        Station.CONVERSION: Role.HUNTER,
        Station.ACCOUNT_MGMT: Role.FARMER,
    },
    "hunter-farmer": {
        Station.LEAD_GEN: Role.HUNTER,
        Station.CONVERSION: Role.HUNTER,
        Station.ACCOUNT_MGMT: Role.FARMER,
    },
    "scout-hunter": {
        Station.LEAD_GEN: Role.SCOUT,
        Station.CONVERSION: Role.HUNTER,
        Station.ACCOUNT_MGMT: Role.HUNTER,
    },
    "hunter": {
        Station.LEAD_GEN: Role.HUNTER,
        Station.CONVERSION: Role.HUNTER,
        Station.ACCOUNT_MGMT: Role.HUNTER,
    },
}
"""Who works at which station: one row a variant. A new variant is a new row, nothing else."""


class UnknownVariant(LookupError):
    """The variant has no row in the table."""


def role_at(variant: str, station: Station) -> Role:
    """The role that staffs the station in this variant."""
    if variant not in VARIANTS:
        raise UnknownVariant(variant)
    return VARIANTS[variant][station]


def changes_hands(variant: str, a: Station, b: Station) -> bool:
    """Whether a client gets another keeper on the way from a to b."""
    return role_at(variant, a) is not role_at(variant, b)


_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


def parse_instant(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime."""
    text = text.upper()
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    return utc(datetime.fromisoformat(text))


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and Z: sorts as text the way it sorts as time."""
    return utc(at).isoformat(timespec="microseconds")[:-6] + "Z"


def utc(at: datetime) -> datetime:
    """The same instant in UTC; a time without a zone is refused, and one whose UTC has no year."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a time needs a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time before the first or after the last there is") from None


def _read_instant(value: object) -> object:
    if isinstance(value, str):
        return parse_instant(value)
    if isinstance(value, datetime):
        return utc(value)
    raise ValueError("a time is an RFC 3339 string")


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    PlainSerializer(instant_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time: aware, UTC, on the wire RFC 3339 with microseconds and Z."""

PersonId = Annotated[str, Field(description="person id")]
LineId = Annotated[str, Field(description="the line on which the client moves")]
OfferId = Annotated[str, Field(description="the handover this event is about")]
NeedId = Annotated[str, Field(description="the client's need")]
OpportunityId = Annotated[str, Field(description="the chance to sell")]
TeamId = Annotated[str, Field(description="the team of the receiving station")]
Attempt = Annotated[int, Field(description="1 for the first offer, one more after each return")]
Reason = Annotated[str, Field(description="a code; new ones may come")]


class Seat(BaseModel):
    """A person in the role they had when it happened. Never looked up again later."""

    model_config = ConfigDict(frozen=True)

    person: str
    role: str


SourcedBy = Annotated[Seat, Field(description="who found the client")]
ConvertedBy = Annotated[Seat, Field(description="who owns the first sale")]
ServedBy = Annotated[Seat, Field(description="who serves the buyer")]


class Event(BaseModel):
    """The data of a public event: frozen, and open to fields that a newer publisher adds."""

    model_config = ConfigDict(frozen=True, extra="allow")

    VERSION: ClassVar[int] = 1
