"""Winning: the sale as it is made, the attempt on somebody's customer, and the deal that follows."""

from __future__ import annotations

from belt.core.decider import Refused
from belt.core.replacing import replace
from conversion.deal import OpenDeal
from conversion.deal.terms import Part, amount, priced, scheduled, shared
from conversion.opportunity.client import Client
from conversion.opportunity.commands import CloseDeal
from conversion.opportunity.events import DealClosed, DealRefused, Event, OpportunityOpened
from conversion.opportunity.rules import need, within_limit
from conversion.opportunity.state import LIVE, Opportunity, Stage
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def close(
    command: CloseDeal,
    opportunity: Opportunity,
    opened: OpportunityOpened,
    by: Seat,
    roster: Roster,
    client: Client,
) -> list[Event]:
    done = opportunity.closed
    sale = _sale(command, opportunity, opened, by, roster)
    if done is not None and replace(sale, at=done.at, now=done.now, by=done.by, variant=done.variant) == done:
        return []
    if opportunity.stage in LIVE and client.customer:
        raise Refused("existing-customer", record=_refused(sale, opportunity, client))
    need(opportunity, Stage.PROPOSED, Stage.NEGOTIATING)
    within_limit(command.lines, opened, by, command.at, roster)
    variant = client.variant_of(opened.journey, opened.variant)
    return [sale if variant == opened.variant else replace(sale, variant=variant)]


def _refused(sale: DealClosed, opportunity: Opportunity, client: Client) -> list[DealRefused]:
    """The attempt, unless it was recorded before."""
    refused = DealRefused(sale.at, sale.by, client.served_by, "existing-customer", sale.net, sale.currency)
    told = {replace(one, at=sale.at, served_by=client.served_by) for one in opportunity.refused}
    return [] if refused in told else [refused]


def _sale(
    command: CloseDeal, opportunity: Opportunity, opened: OpportunityOpened, by: Seat, roster: Roster
) -> DealClosed:
    currency, hunter = command.currency, opened.converted_by
    net, tax = priced(command.lines, command.net, currency), amount("tax", command.tax, currency)
    parts = tuple(Part(person, hunter.role, weight) for person, weight in command.splits)
    shared(parts, hunter.person)
    for part in parts:
        if part.person != hunter.person and part.person not in roster.people:
            raise Refused("terms.split-unknown-person", person=part.person)
    return DealClosed(
        at=command.at,
        now=command.now,
        by=by,
        deal=command.deal,
        net=net,
        tax=tax,
        currency=currency,
        lines=command.lines,
        schedule=scheduled(command.schedule, net, tax, currency),
        splits=parts,
        checklist=tuple(dict.fromkeys(command.checklist)) or _confirmed(opportunity),
        promises=tuple(dict.fromkeys(command.promises)),
    )


def _confirmed(opportunity: Opportunity) -> tuple[str, ...]:
    """What there is to hand over, as far as the opportunity's own record shows it."""
    met = any(meeting.objective_met for meeting in opportunity.meetings)
    return (*(("contacts",) if met else ()), "contract", *(("price-terms",) if opportunity.proposals else ()))


def deal_of(event: DealClosed, opened: OpportunityOpened) -> OpenDeal:
    return OpenDeal(
        at=event.at,
        now=event.now,
        by=event.by,
        deal=event.deal,
        opportunity=opened.opportunity,
        client=opened.client,
        journey=opened.journey,
        variant=event.variant or opened.variant,
        line=opened.line,
        net=event.net,
        tax=event.tax,
        currency=event.currency,
        sourced_by=opened.sourced_by,
        converted_by=opened.converted_by,
        splits=event.splits,
        schedule=event.schedule,
        checklist=event.checklist,
        promises=event.promises,
    )
