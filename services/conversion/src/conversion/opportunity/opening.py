"""Opening: from an accepted lead, or as a hunter's own find."""

from __future__ import annotations

from belt.core.decider import Refused
from belt.core.ids import derived
from conversion.opportunity.client import Client
from conversion.opportunity.commands import OpenFromLead, OpenOpportunity
from conversion.opportunity.events import OpportunityOpened
from conversion.opportunity.state import Opportunity
from conversion.roster import HERE, calendar_of
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import HOUSE, Seat, Station, role_at


def from_lead(command: OpenFromLead, roster: Roster, client: Client) -> OpportunityOpened:
    """The clock of the first contact is the one that was stamped; where silence used it up, it begins anew."""
    staffed = roster.line(command.line, command.at)
    policy = staffed.policy if staffed else Policy()
    due = command.first_touch_due_at
    if due is not None and due <= command.at:
        due = calendar_of(staffed).due(command.at, policy.first_touch_within_hours)
    return OpportunityOpened(
        at=command.at,
        by=command.by,
        opportunity=command.opportunity,
        client=command.client,
        journey=command.journey,
        variant=client.variant_of(command.journey, command.variant),
        line=command.line,
        needs=(command.need,),
        sourced_by=command.sourced_by,
        converted_by=command.converted_by,
        from_lead=True,
        first_touch_due_at=due,
        stalls_after=policy.stalled_days,
    )


def own_find(command: OpenOpportunity, roster: Roster, client: Client) -> OpportunityOpened:
    """A client that is on its way along this line already stays on it; else a new journey begins."""
    staffed = roster.line(command.line, command.at)
    if staffed is None:
        raise Refused("line.unknown", line=command.line)
    if not roster.works_at(command.by, command.line, HERE, command.at):
        raise Refused("opportunity.not-in-team", line=command.line)
    same = client.journey if client.line == command.line else None
    variant = client.variant_of(same, client.variant) if same else staffed.variant
    hunter = Seat(person=command.by, role=role_at(variant, HERE))
    return OpportunityOpened(
        at=command.at,
        by=hunter,
        opportunity=command.opportunity,
        client=command.client,
        journey=same or derived(command.opportunity, "journey"),
        variant=variant,
        line=command.line,
        needs=tuple(dict.fromkeys(command.needs)),
        sourced_by=Seat(person=HOUSE, role=role_at(variant, Station.LEAD_GEN)),
        converted_by=hunter,
        stalls_after=staffed.policy.stalled_days,
    )


def opened(event: OpportunityOpened, opportunity: Opportunity) -> list[OpportunityOpened]:
    known = opportunity.opened
    if known is None:
        return [event]
    if (known.client, known.line, known.needs, known.converted_by) == (
        event.client,
        event.line,
        event.needs,
        event.converted_by,
    ):
        return []
    raise Refused("opportunity.id-taken")
