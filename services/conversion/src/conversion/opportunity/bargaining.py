"""Objections and answers, negotiation and what is given for what."""

from __future__ import annotations

from belt.core.decider import Refused
from conversion.opportunity.commands import (
    OBJECTIONS,
    RESULTS,
    AnswerObjection,
    MakeConcession,
    RaiseObjection,
    StartNegotiation,
)
from conversion.opportunity.events import (
    ConcessionMade,
    Event,
    NegotiationStarted,
    ObjectionAnswered,
    ObjectionRaised,
    OpportunityOpened,
)
from conversion.opportunity.rules import need, policy_of
from conversion.opportunity.state import Concession, Objection, Opportunity, Stage
from conversion.papers.negotiation_plan import NegotiationPlan
from conveyor_events.money import plain
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def object_(command: RaiseObjection, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    known = opportunity.objection(command.objection)
    if known is not None:
        if (known.kind, known.words) == (command.kind, command.words):
            return []
        raise Refused("objection.id-taken", objection_id=command.objection)
    need(opportunity)
    if command.kind not in OBJECTIONS:
        raise Refused("objection.kind-unknown", kind=command.kind, allowed=OBJECTIONS)
    return [ObjectionRaised(command.at, by, opened.client, command.objection, command.kind, command.words)]


def answer(command: AnswerObjection, opportunity: Opportunity, by: Seat) -> list[Event]:
    known: Objection | None = opportunity.objection(command.objection)
    if known is None:
        raise Refused("objection.unknown", objection_id=command.objection)
    if (known.technique, known.result) == (command.technique, command.result):
        return []
    need(opportunity)
    if command.result not in RESULTS:
        raise Refused("objection.result-unknown", result=command.result, allowed=RESULTS)
    return [ObjectionAnswered(command.at, by, command.objection, command.technique, command.result)]


def negotiate(
    command: StartNegotiation,
    opportunity: Opportunity,
    opened: OpportunityOpened,
    by: Seat,
    roster: Roster,
    plan: NegotiationPlan,
) -> list[Event]:
    if opportunity.negotiation is not None:
        if opportunity.negotiation.plan == command.plan:
            return []
        raise Refused("negotiation.has-begun")
    need(opportunity, Stage.PROPOSED)
    limit = policy_of(opened, roster, command.at).negotiation_plan_above
    asked = max(sent.net for sent in opportunity.proposals)
    if command.plan is None:
        if limit is not None and asked > limit:
            raise Refused("negotiation.needs-plan", net=plain(asked), above=plain(limit))
    elif plan.stage != "ready" or plan.opportunity != opened.opportunity:
        raise Refused("negotiation.plan-not-ready", plan_id=command.plan, stage=plan.stage)
    return [NegotiationStarted(command.at, by, command.plan)]


def concede(command: MakeConcession, opportunity: Opportunity, opened: OpportunityOpened, by: Seat) -> list[Event]:
    made = Concession(command.concession, command.item, command.in_return_for, command.value)
    known = next((one for one in opportunity.concessions if one.concession == command.concession), None)
    if known is not None:
        if known == made:
            return []
        raise Refused("concession.id-taken", concession_id=command.concession)
    need(opportunity, Stage.NEGOTIATING)
    return [
        ConcessionMade(
            at=command.at,
            by=by,
            client=opened.client,
            concession=command.concession,
            item=command.item,
            in_return_for=command.in_return_for,
            value=command.value,
        )
    ]
