"""Losing, and what may become of a lost one: it goes on, or back to lead generation."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from belt.core.decider import Refused
from conversion.opportunity.client import Client
from conversion.opportunity.commands import LOST_REASONS, LoseOpportunity, RecycleOpportunity, ReopenOpportunity
from conversion.opportunity.events import (
    Event,
    OpportunityLost,
    OpportunityOpened,
    OpportunityRecycled,
    OpportunityReopened,
)
from conversion.opportunity.rules import need, policy_of
from conversion.opportunity.state import LIVE, Opportunity, Stage
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def lose(command: LoseOpportunity, opportunity: Opportunity, by: Seat) -> list[Event]:
    if command.reason not in LOST_REASONS:
        raise Refused("reason-not-allowed", reason=command.reason, allowed=LOST_REASONS)
    if opportunity.stage is Stage.LOST and opportunity.lost is not None and opportunity.lost.reason == command.reason:
        return []
    need(opportunity)
    return [OpportunityLost(command.at, by, command.reason)]


def reopen(
    command: ReopenOpportunity,
    opportunity: Opportunity,
    opened: OpportunityOpened,
    by: Seat,
    roster: Roster,
    client: Client,
) -> list[Event]:
    """The window counts calendar days in the zone of the line and includes its last one.

    Whose client went back to lead generation meanwhile waits for its next lead.
    """
    if opportunity.stage in LIVE:
        return []
    need(opportunity, Stage.LOST)
    if client.given_back:
        raise Refused("opportunity.given-back")
    staffed = roster.line(opened.line, command.at)
    zone = ZoneInfo(staffed.zone if staffed else "UTC")
    days = policy_of(opened, roster, command.at).reopen_days
    if opportunity.lost is not None:
        gone = (command.at.astimezone(zone).date() - opportunity.lost.at.astimezone(zone).date()).days
        if gone > days:
            raise Refused("opportunity.reopen-over", days=days, lost_at=opportunity.lost.at.isoformat())
    return [OpportunityReopened(command.at, by, opportunity.lost_from)]


def recycle(command: RecycleOpportunity, opportunity: Opportunity, by: Seat, client: Client) -> list[Event]:
    """Back to lead generation; but a client that is still sold to for another need stays."""
    known = opportunity.recycled
    if known is not None and (known.reason, known.not_before) == (command.reason, command.not_before):
        return []
    need(opportunity, Stage.LOST)
    if command.reason not in LOST_REASONS:
        raise Refused("reason-not-allowed", reason=command.reason, allowed=LOST_REASONS)
    others_open = bool(client.working)  # what is lost stands there no more
    return [OpportunityRecycled(command.at, by, command.reason, command.not_before, others_open)]
