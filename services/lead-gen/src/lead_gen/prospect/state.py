"""What decisions need to know of a prospect, and what its receiver is shown of it (the dossier)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from conveyor_events.words import HOUSE, Seat
from lead_gen.identity import IdentityKey

CATEGORY = "prospect"


class Stage(StrEnum):
    """Where the client stands at this station."""

    NONE = "none"
    REGISTERED = "registered"
    CONTACTING = "contacting"
    IN_DIALOGUE = "in_dialogue"
    NURTURE = "nurture"
    NEED_KNOWN = "need_known"
    OFFERED = "offered"
    REWORK = "rework"
    RELEASED = "released"
    CONVERTING = "converting"
    CUSTOMER = "customer"
    INVALID = "invalid"
    DO_NOT_CONTACT = "do_not_contact"
    MERGED = "merged"


GONE = frozenset({Stage.INVALID, Stage.MERGED})
"""No client: its identity keys are free, or another's."""
FINAL = GONE | {Stage.CUSTOMER, Stage.DO_NOT_CONTACT}
NOBODY = Seat(person=HOUSE, role=HOUSE)


@dataclass(frozen=True)
class Need:
    need_id: str
    category: str
    statement: str
    evidence: tuple[str, ...]
    current_supplier: str | None
    competitor_id: str | None
    budget: str
    wish: str


@dataclass(frozen=True)
class Offer:
    """An offer of a need, open or past. `to` None: the queue of the team."""

    offer_id: str
    need_id: str
    to: Seat | None
    mode: str
    attempt: int
    accept_due_at: datetime | None
    sourced_by: Seat
    counts: bool


@dataclass(frozen=True, slots=True)
class Call:
    started_at: datetime
    by: str
    outcome: str
    duration_s: int
    next_call_at: datetime | None
    note: str | None


@dataclass(frozen=True)
class Gatekeeper:
    at: datetime
    role: str
    attitude: int
    best_time: str | None


@dataclass(frozen=True)
class Contact:
    person: str
    position: str
    channel: str
    influence: str


@dataclass(frozen=True)
class Prospect:
    """`sourced_by` holds it; `protected_until` closes it to others until then; `returns` counts rejections;
    `migrated` is what the last migration said: the variant, who serves, how long the one before is remembered;
    `merged`: other entries of the same client.
    """

    client: str = ""
    stage: Stage = Stage.NONE
    journey: str = ""
    line: str = ""
    variant: str = ""
    name: str = ""
    country: str | None = None
    keys: tuple[IdentityKey, ...] = ()
    source: str = ""
    segment: str | None = None
    sourced_by: Seat = NOBODY
    converted_by: Seat | None = None
    registered_by: Seat | None = None
    registered_at: datetime | None = None
    protected_until: datetime | None = None
    verified_at: datetime | None = None
    verified_by: Seat | None = None
    needs: Mapping[str, Need] = field(default_factory=dict)
    need_id: str | None = None
    handover_due_at: datetime | None = None
    offers: Mapping[str, Offer] = field(default_factory=dict)
    open_offer: str | None = None
    returns: int = 0
    rework_until: datetime | None = None
    parked_until: datetime | None = None
    calls: tuple[Call, ...] = ()
    gatekeepers: tuple[Gatekeeper, ...] = ()
    contacts: tuple[Contact, ...] = ()
    migrated: tuple[str, Seat | None, datetime | None] | None = None
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    erased: bool = False

    @property
    def offer(self) -> Offer | None:
        """The open offer."""
        return self.offers[self.open_offer] if self.open_offer is not None else None

    @property
    def need(self) -> Need | None:
        """The need that is known and not yet served."""
        return self.needs[self.need_id] if self.need_id is not None else None

    @property
    def keeper(self) -> Seat:
        """Whose client it is: the finder's, after the handover the receiver's."""
        return self.converted_by or self.sourced_by


def claims(prospect: Prospect) -> Iterable[tuple[str, str]]:
    """An identity key belongs to one live client; ids of needs and offers are never used twice."""
    if prospect.stage is not Stage.NONE and prospect.stage not in GONE:
        yield from ((key.kind, key.value) for key in prospect.keys)
    yield from (("need", need_id) for need_id in prospect.needs)
    yield from (("offer", offer_id) for offer_id in prospect.offers)
