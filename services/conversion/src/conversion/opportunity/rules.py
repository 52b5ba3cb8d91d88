"""What several commands on an opportunity have to obey."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from belt.core.decider import Refused
from conversion.deal.terms import Line, largest_discount
from conversion.opportunity.events import OpportunityOpened
from conversion.opportunity.state import LIVE, Opportunity, Stage
from conveyor_events.money import plain
from conveyor_events.roster import Roster
from conveyor_events.staff import Policy
from conveyor_events.words import Seat


def need(opportunity: Opportunity, *stages: Stage) -> None:
    """The stages in which the command is possible: the given ones, else all that are live."""
    if opportunity.stage not in (stages or LIVE):
        raise Refused("opportunity.wrong-stage", stage=opportunity.stage.value)


def policy_of(opened: OpportunityOpened, roster: Roster, at: datetime) -> Policy:
    """The rules of the line at this time."""
    staffed = roster.line(opened.line, at)
    return staffed.policy if staffed else Policy()


def within_limit(lines: Sequence[Line], opened: OpportunityOpened, by: Seat, at: datetime, roster: Roster) -> None:
    """A larger discount than the line allows is a manager's to give."""
    limit = policy_of(opened, roster, at).discount_limit_pct
    if largest_discount(lines) > limit and not roster.manages(by.person, opened.line, at):
        raise Refused("opportunity.discount-needs-manager", limit_pct=plain(limit))
