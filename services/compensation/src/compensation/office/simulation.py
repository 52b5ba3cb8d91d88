"""The stream of one what-if: queued → done, or cancelled, or failed. Its result is kept; nobody is paid by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from belt.core.decider import Refused

CATEGORY = "simulation"


@dataclass(frozen=True)
class Ask:
    """`scenario` as JSON text, read and found sound; `documents`: digests of the plans in it."""

    simulation_id: str
    scenario: str
    documents: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class Finish:
    """`result` as JSON text: everybody's sums. `ledger`: the digest of the last closed month, before and after."""

    result: str
    ledger: tuple[str | None, str | None]
    at: datetime


@dataclass(frozen=True)
class Cancel:
    by: str
    at: datetime


@dataclass(frozen=True)
class Fail:
    reason: str
    at: datetime


Command = Ask | Finish | Cancel | Fail


@dataclass(frozen=True)
class SimulationAsked:
    at: datetime
    simulation_id: str
    scenario: str
    documents: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class SimulationDone:
    at: datetime
    result: str
    ledger: tuple[str | None, str | None]


@dataclass(frozen=True)
class SimulationCancelled:
    at: datetime
    by: str


@dataclass(frozen=True)
class SimulationFailed:
    at: datetime
    reason: str


Event = SimulationAsked | SimulationDone | SimulationCancelled | SimulationFailed
EVENTS = (SimulationAsked, SimulationDone, SimulationCancelled, SimulationFailed)


@dataclass(frozen=True)
class Simulation:
    asked: SimulationAsked | None = None
    stage: str = "none"
    done: SimulationDone | None = None
    reason: str | None = None


def decide(command: Command, state: Simulation) -> Sequence[Event]:
    c = command
    if isinstance(c, Ask):
        if state.asked is None:
            return [SimulationAsked(c.at, c.simulation_id, c.scenario, c.documents, c.by)]
        if state.asked.scenario == c.scenario:
            return []
        raise Refused("simulation.id-taken", simulation_id=c.simulation_id)
    if state.asked is None:
        raise Refused("simulation.unknown")
    match c:
        case Finish():
            return [SimulationDone(c.at, c.result, c.ledger)] if state.stage == "queued" else []
        case Cancel():
            if state.stage == "cancelled":
                return []
            if state.stage != "queued":
                raise Refused("simulation.wrong-stage", stage=state.stage)
            return [SimulationCancelled(c.at, c.by)]
        case Fail():
            return [SimulationFailed(c.at, c.reason)] if state.stage == "queued" else []
        case _:
            assert_never(c)


def evolve(state: Simulation, event: Event) -> Simulation:
    match event:
        case SimulationAsked():
            return Simulation(event, "queued")
        case SimulationDone():
            return replace(state, stage="done", done=event)
        case SimulationCancelled():
            return replace(state, stage="cancelled")
        case SimulationFailed():
            return replace(state, stage="failed", reason=event.reason)
        case _:
            assert_never(event)
