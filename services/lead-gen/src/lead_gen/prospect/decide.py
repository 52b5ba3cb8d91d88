"""What may happen to a prospect, and when. A scout finds out, never sells: no price, no proposal, no sale here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import assert_never

from belt.core.decider import Refused, Step
from belt.core.ids import derived
from conveyor_events.roster import Roster
from conveyor_events.words import Seat
from lead_gen import identity
from lead_gen.prospect import commands as c
from lead_gen.prospect import events as e
from lead_gen.prospect import holding, merging, offering, pausing, working
from lead_gen.prospect.evolve import evolve
from lead_gen.prospect.state import CATEGORY, FINAL, Prospect, Stage
from lead_gen.routing import CATEGORY as ROUTING
from lead_gen.routing import CountOffer, FreeReceiver, Routing
from lead_gen.staffing import CATEGORY as STAFFING
from lead_gen.staffing import COMPANY, Staffing

UNCOUNTED = Routing()
NOBODY = Prospect()
BUDGET = frozenset({"budget", "no_budget", "no_intent", "no_wish", "not_ready", "price"})
"""What is no reason to give a client up: budget and wish are information, never a gate."""


def reads(_id: str, command: c.Command, prospect: Prospect) -> Sequence[tuple[str, str]]:
    """Who works where; for an offer, who received how many; for a merger, the client that stays."""
    if isinstance(command, c.Merge):
        return [(STAFFING, COMPANY), (ROUTING, prospect.line), (CATEGORY, command.into)]
    if isinstance(command, c.OfferLead | c.MeetHandover) and prospect.line:
        return [(STAFFING, COMPANY), (ROUTING, prospect.line)]
    return [(STAFFING, COMPANY)]


def decide(
    command: c.Command, prospect: Prospect, staffing: Staffing, counted: Routing = UNCOUNTED, stays: Prospect = NOBODY
) -> Sequence[e.Event]:
    roster = staffing.roster
    if isinstance(command, c.RegisterProspect):
        return _register(command, prospect, roster)
    if prospect.stage is Stage.NONE:
        raise Refused("prospect.unknown")
    # An answer to an offer says that the lead was handed on: nobody kept it too long.
    answered = isinstance(command, c.Told) and prospect.stage is Stage.NEED_KNOWN
    late = [] if answered else offering.overtaken(prospect, roster, command.at)
    try:
        return [*late, *_happens(command, reduce(evolve, late, prospect), roster, counted, stays)]
    except Refused as refused:
        if refused.record:
            refused.record = (*late, *refused.record)
        raise


def _register(command: c.RegisterProspect, prospect: Prospect, roster: Roster) -> list[e.Event]:
    keys = identity.normalised(command.keys, command.country)
    staffed = holding.staffing_of(roster, command.line, command.at)
    by = holding.finder(command.by, roster, command.line, staffed.variant, command.at)
    if prospect.stage is not Stage.NONE:
        if (prospect.line, prospect.name, prospect.keys) != (command.line, command.name, keys):
            raise Refused("prospect.id-taken", client_id=command.client)
        if prospect.registered_by != by:
            raise holding.contest(c.ContestClient(command.line, command.by, command.at), prospect, roster)
        return []  # said twice
    return [
        e.ProspectRegistered(
            client=command.client,
            journey=derived(command.client, "journey", 1),
            line=command.line,
            variant=staffed.variant,
            source=command.source,
            segment=command.segment,
            country=command.country,
            name=command.name,
            keys=keys,
            protected_until=holding.protection(staffed, command.at),
            by=by,
            at=command.at,
        )
    ]


def _happens(
    command: c.Told | c.Timed | c.Rival | c.Work | c.Merged,
    prospect: Prospect,
    roster: Roster,
    counted: Routing,
    stays: Prospect,
) -> list[e.Event]:
    match command:
        case c.HandOver() | c.ReturnLead() | c.MoveOffer() | c.Recycle() | c.MakeCustomer():
            return _answered(command, prospect, roster)
        case c.MeetHandover(at):
            due = prospect.handover_due_at is not None and prospect.handover_due_at <= at
            return offering.offer(offering.Terms(None, at, at), prospect, roster, counted) if due else []
        case c.ReleaseProspect() | c.WakeProspect():
            return []  # overtaken says it all
        case c.TakeKeys():
            return merging.take_keys(command, prospect)
        case c.EraseMerged(by, at):
            return merging.forget(by, at, prospect)
        case c.ContestClient():
            raise holding.contest(command, prospect, roster)
        case c.ClaimProspect():
            return holding.claim(command, prospect, roster)
        case _:
            by = holding.acting(prospect, roster, command.by, command.at, manager=command.manager)
            return _worked(command, by, prospect, roster, counted, stays)


def _answered(command: c.Told, prospect: Prospect, roster: Roster) -> list[e.Event]:
    """What the next station says. It is never refused: what does not fit any more changes nothing."""
    match command:
        case c.HandOver():
            return offering.hand_over(command, prospect)
        case c.ReturnLead():
            return offering.take_back(command, prospect, roster)
        case c.MoveOffer():
            return offering.move(command, prospect)
        case c.Recycle():
            return pausing.recycle(command, prospect)
        case c.MakeCustomer(converted_by, at):
            if prospect.stage in FINAL:
                return []
            void = offering.superseded(prospect, "sold_before", None, at)
            return [*void, e.ProspectBecameCustomer(converted_by, at)]
        case _:
            assert_never(command)


def _worked(
    command: c.Work, by: Seat, prospect: Prospect, roster: Roster, counted: Routing, stays: Prospect
) -> list[e.Event]:
    match command:
        case c.OfferLead():
            return offering.offer(offering.Terms.of(command, by), prospect, roster, counted)
        case c.WithdrawOffer():
            return offering.withdraw(command, by, prospect, roster)
        case c.Invalidate():
            return _invalidate(command, by, prospect)
        case c.Park():
            return pausing.park(command, by, prospect)
        case c.Resume():
            return pausing.resume(command, by, prospect)
        case c.ForbidContact():
            return pausing.forbid(command, by, prospect)
        case c.Reassign():
            return pausing.reassign(command, by, prospect, roster)
        case c.Merge():
            return merging.merge(command, by, prospect, stays)
        case c.ErasePersonalData():
            return merging.erase(command, by, prospect)
        case c.MigrateJourney():
            return pausing.migrate(command, by, prospect, roster)
        case _:
            return working.work(command, by, prospect, roster)


def _invalidate(command: c.Invalidate, by: Seat, prospect: Prospect) -> list[e.Event]:
    """Leaves the base it was counted in. Only what is no client at all: never for want of money or wish."""
    if command.reason in BUDGET:
        raise Refused("budget-is-no-gate", reason=command.reason)
    if command.reason not in c.INVALID:
        raise Refused("prospect.reason-not-allowed", reason=command.reason, allowed=sorted(c.INVALID))
    if prospect.stage is Stage.INVALID:
        return []
    if prospect.stage in (Stage.CONVERTING, *(FINAL - {Stage.INVALID})):
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    counted_for = prospect.verified_by or prospect.sourced_by
    return [
        *offering.superseded(prospect, "invalid", by, command.at),
        e.ProspectInvalidated(command.reason, prospect.verified_at, counted_for, by, command.at),
    ]


def follow(event: e.Event, prospect: Prospect) -> Iterable[Step]:
    """The choice is counted in the same breath as the offer, so that the next one is fair; keys pass with a merger.

    A client is forgotten under every id it was entered with.
    """
    match event:
        case e.ProspectMerged(client=client, into=into, by=by, at=at):
            yield Step(CATEGORY, into, c.TakeKeys(client, prospect.keys, by, at))
        case e.PersonalDataErased(by=by, at=at):
            for client in prospect.merged:
                yield Step(CATEGORY, client, c.EraseMerged(by, at))
        case e.LeadOffered(to=to, among=among, counts=counts) if to is not None and (among or counts):
            yield Step(ROUTING, prospect.line, CountOffer(to.person, among, counts, event.at))
        case e.LeadWithdrawn() | e.OfferMoved() | e.LeadReturned() | e.LeadHandedOver() if event.frees is not None:
            yield Step(ROUTING, prospect.line, FreeReceiver(event.frees, event.at))
        case _:
            return
