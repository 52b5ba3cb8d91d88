"""The competitor card: what we know of a rival, from where, how sure, and until when it may be believed.

    draft -> published -> stale -> published | retired

A price is believed for 60 days from the day it was seen, everything else for 180. The first claim that is over makes a
published card stale; seen again or dropped, the card can be published anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import assert_never

from belt.core.calendar import day_of, day_start
from belt.core.decider import Due, Private, Refused
from belt.core.replacing import replace

CATEGORY = "competitor"
TOPICS = (
    "products", "price", "terms", "strengths", "weaknesses", "clients_won", "clients_lost", "promises", "people",
    "answers", "questions",
)  # fmt: skip
PRICE_DAYS, DAYS = 60, 180

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenCard:
    card: str
    name: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Claim:
    """Something that is said of the rival. `confidence` goes from 1 (a rumour) to 5 (seen in writing)."""

    claim: str
    topic: str
    text: str
    source: str
    confidence: int
    seen_on: date


@dataclass(frozen=True)
class StateClaim:
    """A new claim, or one that was seen again. `zone` is the company's: its calendar says when the claim is over."""

    claim: Claim
    zone: str
    by: str
    at: datetime


@dataclass(frozen=True)
class DropClaim:
    claim: str
    by: str
    at: datetime


@dataclass(frozen=True)
class PublishCard:
    by: str
    at: datetime


@dataclass(frozen=True)
class RetireCard:
    by: str
    at: datetime


@dataclass(frozen=True)
class AgeCard:
    """The clock's: a claim is over."""

    at: datetime


Command = OpenCard | StateClaim | DropClaim | PublishCard | RetireCard | AgeCard

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CardOpened:
    card: str
    name: str
    by: str
    at: datetime


@dataclass(frozen=True)
class ClaimStated:
    """`over_at`: the first instant at which it is not believed any more."""

    card: str
    claim: str
    topic: str
    text: Private[str]
    source: Private[str]
    confidence: int
    seen_on: date
    over_at: datetime
    by: str
    at: datetime


@dataclass(frozen=True)
class ClaimDropped:
    claim: str
    by: str
    at: datetime


@dataclass(frozen=True)
class CardPublished:
    by: str
    at: datetime


@dataclass(frozen=True)
class CardStale:
    at: datetime


@dataclass(frozen=True)
class CardRetired:
    by: str
    at: datetime


Event = CardOpened | ClaimStated | ClaimDropped | CardPublished | CardStale | CardRetired
EVENTS: tuple[type, ...] = (CardOpened, ClaimStated, ClaimDropped, CardPublished, CardStale, CardRetired)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """`claims` are those that stand, in the order they were first stated."""

    stage: str = "none"
    card: str = ""
    name: str = ""
    claims: dict[str, ClaimStated] = field(default_factory=dict)

    @property
    def over_at(self) -> datetime | None:
        """When the first of its claims is over."""
        return min((claim.over_at for claim in self.claims.values()), default=None)


NEW = Card()


def holder(event: Event) -> str | None:
    """Whose key seals what is said: the card's own. People of a rival are people, too."""
    return f"competitor:{event.card}" if isinstance(event, ClaimStated) else None


# --- decide ---------------------------------------------------------------------------------------------------------


def decide(command: Command, card: Card) -> Sequence[Event]:
    if isinstance(command, OpenCard):
        return _open(command, card)
    if card.stage == "none":
        raise Refused("competitor.unknown")
    if isinstance(command, AgeCard):
        return overdue(command.at, card)
    late = overdue(command.at, card)
    for event in late:
        card = evolve(card, event)
    events = _decide(command, card)
    return [*late, *events] if events else events


def _open(command: OpenCard, card: Card) -> list[Event]:
    if card.stage != "none":
        if card.name == command.name:
            return []
        raise Refused("competitor.id-taken", card_id=command.card)
    return [CardOpened(command.card, command.name, command.by, command.at)]


def _decide(command: StateClaim | DropClaim | PublishCard | RetireCard, card: Card) -> list[Event]:
    if isinstance(command, RetireCard):
        return [] if card.stage == "retired" else [CardRetired(command.by, command.at)]
    if card.stage == "retired":
        raise Refused("competitor.wrong-stage", stage=card.stage)
    match command:
        case StateClaim():
            return _state(command, card)
        case DropClaim(claim=claim, by=by, at=at):
            return [ClaimDropped(claim, by, at)] if claim in card.claims else []
        case PublishCard(by=by, at=at):
            return _publish(by, at, card)
        case _:
            assert_never(command)


def _state(command: StateClaim, card: Card) -> list[Event]:
    said = command.claim
    if said.topic not in TOPICS:
        raise Refused("competitor.topic-unknown", topic=said.topic, allowed=TOPICS)
    if said.seen_on > day_of(command.zone, command.at):
        raise Refused("competitor.not-seen-yet", seen_on=said.seen_on.isoformat())
    days = PRICE_DAYS if said.topic == "price" else DAYS
    stated = ClaimStated(
        card=card.card,
        claim=said.claim,
        topic=said.topic,
        text=said.text,
        source=said.source,
        confidence=said.confidence,
        seen_on=said.seen_on,
        over_at=day_start(command.zone, said.seen_on + timedelta(days=days + 1)),
        by=command.by,
        at=command.at,
    )
    known = card.claims.get(said.claim)
    if known is not None and replace(known, by=stated.by, at=stated.at) == stated:
        return []
    return [stated]


def _publish(by: str, at: datetime, card: Card) -> list[Event]:
    """Only what is believed today is shown to others."""
    if card.stage == "published":
        return []
    over = sorted(name for name, claim in card.claims.items() if claim.over_at <= at)
    if not card.claims or over:
        raise Refused("competitor.not-believed", claims=over)
    return [CardPublished(by, at)]


def overdue(at: datetime, card: Card) -> list[Event]:
    """A published card with a claim that is over has been stale since that instant."""
    over_at = card.over_at
    return [CardStale(over_at)] if card.stage == "published" and over_at is not None and over_at <= at else []


# --- evolve ---------------------------------------------------------------------------------------------------------


def evolve(card: Card, event: Event) -> Card:
    match event:
        case CardOpened():
            return Card("draft", event.card, event.name)
        case ClaimStated():
            return replace(card, claims={**card.claims, event.claim: event})
        case ClaimDropped():
            return replace(card, claims={name: one for name, one in card.claims.items() if name != event.claim})
        case CardPublished():
            return replace(card, stage="published")
        case CardStale():
            return replace(card, stage="stale")
        case CardRetired():
            return replace(card, stage="retired")
        case _:
            assert_never(event)


def timers(card: Card) -> Iterable[Due]:
    if card.stage == "published" and card.over_at is not None:
        yield Due("stale", card.over_at, AgeCard(card.over_at))
