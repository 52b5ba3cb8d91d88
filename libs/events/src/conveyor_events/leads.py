"""What happens to a client at lead generation: found, checked, its need known, handed on."""

from typing import Annotated

from pydantic import Field

from conveyor_events.words import (
    Attempt,
    ConvertedBy,
    Event,
    Instant,
    LineId,
    NeedId,
    OfferId,
    Reason,
    Seat,
    SourcedBy,
    TeamId,
)


class ProspectRegistered(Event):
    """A scout enters a new prospect; a pass along the line begins."""

    line: LineId
    source: Annotated[str, Field(description="where the prospect was found")]
    segment: str | None = None
    country: Annotated[str | None, Field(description="ISO 3166 code")] = None
    sourced_by: SourcedBy


class ProspectVerified(Event):
    """The prospect is checked and counts for the client base. Once per client."""

    line: LineId
    sourced_by: SourcedBy
    checks: Annotated[list[str], Field(description="reachable_phone, decision_role_known, legal_active")]


class ProspectInvalidated(Event):
    """The prospect turns out to be none. It leaves the base if it was counted there."""

    line: LineId
    sourced_by: SourcedBy
    reason: Reason
    was_verified: bool
    verified_at: Annotated[Instant | None, Field(description="when it entered the base")] = None


class NeedIdentified(Event):
    """A need of the client is known. From here the contact is to be handed on, whatever budget and wish."""

    line: LineId
    need_id: NeedId
    category: str
    budget: Annotated[str, Field(description="unknown, none or some; information, never a gate")]
    wish: Annotated[str, Field(description="unknown, low or high; information, never a gate")]
    competitor_id: str | None = None
    sourced_by: SourcedBy


class LeadQualified(Event):
    """A lead with a known need is offered to conversion: handover 1 begins."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    attempt: Attempt
    sourced_by: SourcedBy
    to: Annotated[Seat | None, Field(description="the receiver; none is the queue of the team")] = None
    team: TeamId
    mode: Annotated[str, Field(description="offer, or self where hands do not change")]
    accept_due_at: Annotated[Instant | None, Field(description="silence until then expires the offer")] = None
    first_touch_due_at: Instant | None = None
    credit_until: Annotated[Instant, Field(description="end of the scout's credit window")]


class LeadWithdrawn(Event):
    """The sender takes an offered lead back before it was decided."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    reason: Reason | None = None


class LeadReturned(Event):
    """A rejected lead is back at its scout for rework."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    reason: Reason
    rework_until: Annotated[Instant, Field(description="then the prospect is released")]
    sourced_by: SourcedBy


class LeadHandedOver(Event):
    """An accepted lead has left lead generation."""

    line: LineId
    offer_id: OfferId
    need_id: NeedId
    converted_by: ConvertedBy
    sourced_by: SourcedBy


class HandoverOverdue(Event):
    """A need is known and nobody offered the lead in time."""

    line: LineId
    need_id: NeedId
    sourced_by: SourcedBy


class ProspectReleased(Event):
    """The scout lost the prospect; any scout may claim it."""

    line: LineId
    sourced_by: Annotated[Seat, Field(description="who loses the prospect")]


class ProspectClaimed(Event):
    """A scout takes a released prospect."""

    line: LineId
    sourced_by: SourcedBy
    before: Annotated[Seat, Field(description="who had the prospect before")]


class RegistrationRefused(Event):
    """Somebody tried to register a client that another person holds. The attempt itself is a fact."""

    line: LineId
    attempted_by: Seat
    held_by: Seat
    reason: Annotated[str, Field(description="client-protected, existing-customer or client-known")]
    protected_until: Instant | None = None


class ContactForbidden(Event):
    """The client asked not to be contacted any more."""

    line: LineId
    sourced_by: SourcedBy


class ProspectMerged(Event):
    """The prospect turned out to be another one entered twice. It was invalidated as a duplicate just before."""

    line: LineId
    into: Annotated[str, Field(description="the client that stays")]
    sourced_by: SourcedBy


class PersonalDataErased(Event):
    """The client's personal data is forgotten. Whoever keeps some of it erases it, too; money and counts stay."""

    line: LineId


class ProspectReassigned(Event):
    """A manager gave the prospect to another person. What was earned before stays where it was."""

    line: LineId
    sourced_by: SourcedBy
    before: Annotated[Seat, Field(description="who had the prospect before")]
    reason: Reason


class JourneyMigrated(Event):
    """A client's journey goes on under another variant. Seats that were stamped before stay stamped."""

    line: LineId
    before: Annotated[str, Field(description="the variant until now")]
    variant: Annotated[str, Field(description="the variant from now on")]
    served_by: Annotated[Seat | None, Field(description="who serves the customer from now on")] = None
    legacy_until: Annotated[Instant | None, Field(description="until then repeat sales name who served before")] = None
