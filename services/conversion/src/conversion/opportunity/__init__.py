"""The opportunity: a hunter's work on one client's needs, from the accepted lead to the first sale or its loss.

    open -> meeting_planned -> meeting_held -> proposed -> won
    lost, from any of them but won

A stage never falls back: a meeting after a proposal leaves the opportunity at `proposed`.
"""

from __future__ import annotations

from conversion.opportunity.commands import (
    CATEGORY,
    LOST_REASONS,
    OBJECTIVES,
    CloseDeal,
    Command,
    LoseOpportunity,
    NextStep,
    OpenFromLead,
    OpenOpportunity,
    RecordMeeting,
    ScheduleMeeting,
    SendProposal,
)
from conversion.opportunity.decide import decide, follow, reads
from conversion.opportunity.events import (
    EVENTS,
    DealClosed,
    DealRefused,
    Event,
    MeetingHeld,
    MeetingScheduled,
    OpportunityLost,
    OpportunityOpened,
    ProposalSent,
)
from conversion.opportunity.state import NEW, ORDER, Meeting, Opportunity, Stage, evolve

__all__ = [
    "CATEGORY",
    "EVENTS",
    "LOST_REASONS",
    "NEW",
    "OBJECTIVES",
    "ORDER",
    "CloseDeal",
    "Command",
    "DealClosed",
    "DealRefused",
    "Event",
    "LoseOpportunity",
    "Meeting",
    "MeetingHeld",
    "MeetingScheduled",
    "NextStep",
    "OpenFromLead",
    "OpenOpportunity",
    "Opportunity",
    "OpportunityLost",
    "OpportunityOpened",
    "ProposalSent",
    "RecordMeeting",
    "ScheduleMeeting",
    "SendProposal",
    "Stage",
    "decide",
    "evolve",
    "follow",
    "reads",
]
