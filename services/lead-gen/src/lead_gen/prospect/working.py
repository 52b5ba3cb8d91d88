"""The scout's own work: check, call, get past the gatekeeper, reach the one who decides, find out the need."""

from __future__ import annotations

from operator import attrgetter
from typing import assert_never

from belt.core.decider import Refused
from belt.core.ids import derived
from conveyor_events.roster import Roster
from conveyor_events.words import Seat
from lead_gen.prospect.commands import (
    IdentifyNeed,
    LogCall,
    RecordContactReached,
    RecordGatekeeper,
    VerifyProspect,
)
from lead_gen.prospect.events import (
    CallLogged,
    DecisionMakerReached,
    Event,
    GatekeeperMet,
    GatekeeperPassed,
    NeedIdentified,
    ProspectVerified,
)
from lead_gen.prospect.offering import handover_due
from lead_gen.prospect.state import Call, Contact, Gatekeeper, Prospect, Stage

STARTED_AT = attrgetter("started_at")
EARLY = (Stage.REGISTERED, Stage.CONTACTING)


def need_stage(prospect: Prospect, *stages: Stage) -> None:
    if prospect.stage not in stages:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)


def work(
    command: VerifyProspect | LogCall | RecordGatekeeper | RecordContactReached | IdentifyNeed,
    by: Seat,
    prospect: Prospect,
    roster: Roster,
) -> list[Event]:
    match command:
        case VerifyProspect():
            return _verify(command, by, prospect)
        case LogCall():
            return _call(command, by, prospect)
        case RecordGatekeeper():
            return _gatekeeper(command, by, prospect)
        case RecordContactReached():
            return _contact(command, by, prospect)
        case IdentifyNeed():
            return _need(command, by, prospect, roster)
        case _:
            assert_never(command)


def _verify(command: VerifyProspect, by: Seat, prospect: Prospect) -> list[Event]:
    """Counts for the base, once per client."""
    need_stage(prospect, *EARLY)
    if prospect.verified_at is not None:
        return []
    return [ProspectVerified(tuple(dict.fromkeys(command.checks)), prospect.sourced_by, by, command.at)]


def _call(command: LogCall, by: Seat, prospect: Prospect) -> list[Event]:
    need_stage(prospect, *EARLY)
    if command.started_at in map(STARTED_AT, prospect.calls):
        call = Call(
            command.started_at, by.person, command.outcome, command.duration_s, command.next_call_at, command.note
        )
        if call in prospect.calls:
            return []  # one and the same call
    return [
        CallLogged(
            prospect.client,
            command.outcome,
            command.started_at,
            command.duration_s,
            command.next_call_at,
            command.note,
            by,
            command.at,
        )
    ]


def _gatekeeper(command: RecordGatekeeper, by: Seat, prospect: Prospect) -> list[Event]:
    need_stage(prospect, Stage.CONTACTING)
    if Gatekeeper(command.at, command.role, command.attitude, command.best_time) in prospect.gatekeepers:
        return []
    met = GatekeeperMet(prospect.client, command.role, command.attitude, command.best_time, by, command.at)
    if command.approach is None:
        return [met]
    return [met, GatekeeperPassed(command.approach, command.attempts, by, command.at)]


def _contact(command: RecordContactReached, by: Seat, prospect: Prospect) -> list[Event]:
    contact = Contact(command.person, command.position, command.channel, command.influence)
    if prospect.stage is Stage.IN_DIALOGUE and contact in prospect.contacts:
        return []
    need_stage(prospect, Stage.CONTACTING)
    return [
        DecisionMakerReached(
            prospect.client, command.person, command.position, command.channel, command.influence, by, command.at
        )
    ]


def _need(command: IdentifyNeed, by: Seat, prospect: Prospect, roster: Roster) -> list[Event]:
    """A known need goes on, whatever the budget and the wish: they are written down and decide nothing."""
    known = prospect.need
    if prospect.stage is Stage.NEED_KNOWN and known is not None:
        same = known.need_id if command.need_id is not None else (known.category, known.statement)
        if same == (command.need_id or (command.category, command.statement)):
            return []
    need_stage(prospect, Stage.CONTACTING, Stage.IN_DIALOGUE)
    return [
        NeedIdentified(
            client=prospect.client,
            need_id=command.need_id or derived(prospect.client, "need", len(prospect.needs) + 1),
            category=command.category,
            statement=command.statement,
            evidence=tuple(dict.fromkeys(command.evidence)),
            current_supplier=command.current_supplier,
            competitor_id=command.competitor_id,
            budget=command.budget,
            wish=command.wish,
            handover_due_at=handover_due(prospect, roster, command.at, command.now),
            sourced_by=prospect.sourced_by,
            by=by,
            at=command.at,
        )
    ]
