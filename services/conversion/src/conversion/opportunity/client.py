"""What this station knows of a client across its opportunities: the guard of all that is unique per client.

One open opportunity per need, one first sale. Every opportunity that opens or ends says so here within its own append
unit, so of two that race one is decided again and sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from belt.core.decider import Refused, Step
from belt.core.replacing import replace
from conversion.deal import ANSWERS, HearAnswer
from conveyor_events.words import Seat

CATEGORY = "client"
UNNAMED = ""
"""The need of an opportunity that names none: of those, too, only one may be open."""

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoteOpened:
    at: datetime
    client: str
    journey: str
    variant: str
    line: str
    opportunity: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class NoteLost:
    at: datetime
    opportunity: str


@dataclass(frozen=True)
class NoteGivenBack:
    """Lead generation has the client again."""

    at: datetime
    opportunity: str


@dataclass(frozen=True)
class NoteWon:
    """The first sale is made."""

    at: datetime
    opportunity: str
    deal: str


@dataclass(frozen=True)
class NoteMigrated:
    """The journey goes on under another variant."""

    at: datetime
    client: str
    journey: str
    variant: str


@dataclass(frozen=True)
class NoteServed:
    """Account management says who serves the client from `since` on."""

    at: datetime
    client: str
    served_by: Seat
    since: datetime


@dataclass(frozen=True)
class NoteAnswer:
    """Account management took the buyer or refused it; the deal of this client wants to know."""

    at: datetime
    client: str
    offer: str
    answer: str
    by: Seat
    reason: str | None = None


Command = NoteOpened | NoteLost | NoteGivenBack | NoteWon | NoteMigrated | NoteServed | NoteAnswer

# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpportunityNoted:
    at: datetime
    client: str
    journey: str
    variant: str
    line: str
    opportunity: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class OpportunityEnded:
    at: datetime
    opportunity: str


@dataclass(frozen=True)
class ClientGivenBack:
    at: datetime
    opportunity: str


@dataclass(frozen=True)
class BecameCustomer:
    at: datetime
    opportunity: str
    deal: str


@dataclass(frozen=True)
class JourneyMigrated:
    at: datetime
    client: str
    journey: str
    variant: str


@dataclass(frozen=True)
class ServedBy:
    at: datetime
    client: str
    served_by: Seat
    since: datetime


@dataclass(frozen=True)
class AccountAnswered:
    at: datetime
    client: str
    offer: str
    answer: str
    by: Seat
    reason: str | None


Event = (
    OpportunityNoted
    | OpportunityEnded
    | ClientGivenBack
    | BecameCustomer
    | JourneyMigrated
    | ServedBy
    | AccountAnswered
)
EVENTS: tuple[type, ...] = (
    OpportunityNoted,
    OpportunityEnded,
    ClientGivenBack,
    BecameCustomer,
    JourneyMigrated,
    ServedBy,
    AccountAnswered,
)

# --- state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Client:
    """`working` says which opportunity is open for which need; `deal` is the first sale; `migrated` which variants
    journeys have that began under another; `given_back`: lead generation works the client again.
    """

    client: str = ""
    journey: str | None = None
    variant: str = ""
    line: str = ""
    working: Mapping[str, str] = field(default_factory=dict)
    deal: str | None = None
    served_by: Seat | None = None
    served_since: datetime | None = None
    migrated: Mapping[str, str] = field(default_factory=dict)
    given_back: bool = False

    @property
    def customer(self) -> bool:
        """Won here, or served by account management."""
        return self.deal is not None or self.served_by is not None

    def variant_of(self, journey: str, stamped: str) -> str:
        """The variant under which the journey goes on, which began under the stamped one."""
        return self.migrated.get(journey, stamped)

    def busy(self, needs: Iterable[str]) -> str | None:
        """The opportunity that is open for one of these needs."""
        return next((self.working[need] for need in needs or (UNNAMED,) if need in self.working), None)


# --- decide ---------------------------------------------------------------------------------------------------------


def decide(command: Command, client: Client) -> Sequence[Event]:
    match command:
        case NoteOpened(at, name, journey, variant, line, opportunity, needs):
            if busy := client.busy(needs):
                raise Refused("opportunity.need-open", opportunity_id=busy)
            return [OpportunityNoted(at, name, journey, variant, line, opportunity, needs)]
        case NoteLost(at, opportunity):
            return [OpportunityEnded(at, opportunity)]
        case NoteGivenBack(at, opportunity):
            return [ClientGivenBack(at, opportunity)]
        case NoteWon(at, opportunity, deal):
            if client.customer:
                raise Refused("existing-customer")
            return [BecameCustomer(at, opportunity, deal)]
        case NoteMigrated(at, name, journey, variant):
            return [] if client.migrated.get(journey) == variant else [JourneyMigrated(at, name, journey, variant)]
        case NoteServed(at, name, served_by, since):
            if client.served_since is not None and since <= client.served_since:
                return []  # an older holder, told late
            return [ServedBy(at, name, served_by, since)]
        case NoteAnswer(at, name, offer, answer, by, reason):
            if client.deal is None or answer not in ANSWERS:
                return []  # not a customer of ours
            return [AccountAnswered(at, name, offer, answer, by, reason)]
        case _:
            assert_never(command)


def evolve(client: Client, event: Event) -> Client:
    match event:
        case OpportunityNoted():
            working = {**client.working, **dict.fromkeys(event.needs or (UNNAMED,), event.opportunity)}
            if client.journey is not None and client.customer:
                return replace(
                    client, working=working, given_back=False
                )  # a customer stays on the way on which it was won
            return replace(
                client,
                client=event.client,
                journey=event.journey,
                variant=event.variant,
                line=event.line,
                working=working,
                given_back=False,
            )
        case OpportunityEnded():
            return replace(client, working=_without(client, event.opportunity))
        case ClientGivenBack():
            return replace(client, given_back=True)
        case BecameCustomer():
            return replace(client, working=_without(client, event.opportunity), deal=event.deal)
        case JourneyMigrated(journey=journey, variant=variant):
            return replace(client, client=event.client, migrated={**client.migrated, journey: variant})
        case ServedBy():
            return replace(client, client=event.client, served_by=event.served_by, served_since=event.since)
        case AccountAnswered():
            return client
        case _:
            assert_never(event)


def _without(client: Client, opportunity: str) -> dict[str, str]:
    return {need: one for need, one in client.working.items() if one != opportunity}


def follow(event: Event, client: Client) -> Iterable[Step]:
    """What account management answered is passed on to the deal."""
    if isinstance(event, AccountAnswered) and client.deal is not None:
        answer = HearAnswer(event.at, event.offer, event.answer, event.by, event.reason)
        yield Step("deal", client.deal, answer)
