"""One client entered twice becomes one; and a client that asks for it is forgotten."""

from __future__ import annotations

from datetime import datetime

from belt.core.decider import Refused
from conveyor_events.words import Role, Seat
from lead_gen.prospect.commands import ErasePersonalData, Merge, TakeKeys
from lead_gen.prospect.events import Event, KeysTaken, PersonalDataErased, ProspectInvalidated, ProspectMerged
from lead_gen.prospect.state import GONE, Prospect, Stage

NOT_MERGED = frozenset({Stage.INVALID, Stage.OFFERED, Stage.CONVERTING, Stage.CUSTOMER, Stage.DO_NOT_CONTACT})
"""What is offered or sold to is the next station's business, too: it stays, and the other one is merged into it."""


def merge(command: Merge, by: Seat, prospect: Prospect, stays: Prospect) -> list[Event]:
    """A manager merges any two, anybody else two of their own. The duplicate leaves the base it was counted in."""
    if prospect.merged_into == command.into:
        return []
    if command.into == prospect.client:
        raise Refused("prospect.merged-into-itself")
    if prospect.stage in NOT_MERGED or prospect.stage is Stage.MERGED:
        raise Refused("prospect.wrong-stage", stage=prospect.stage)
    if stays.stage is Stage.NONE:
        raise Refused("prospect.unknown", client_id=command.into)
    if stays.stage in GONE:
        raise Refused("prospect.wrong-stage", client_id=command.into, stage=stays.stage)
    if by.role != Role.MANAGER and by.person != stays.sourced_by.person:
        raise Refused("prospect.not-yours", held_by=stays.sourced_by.person)
    counted_for = prospect.verified_by or prospect.sourced_by
    return [
        ProspectInvalidated("duplicate", prospect.verified_at, counted_for, by, command.at),
        ProspectMerged(prospect.client, command.into, prospect.sourced_by, by, command.at),
    ]


def take_keys(command: TakeKeys, prospect: Prospect) -> list[Event]:
    return [KeysTaken(prospect.client, command.merged, command.keys, command.by, command.at)]


def erase(command: ErasePersonalData, by: Seat, prospect: Prospect) -> list[Event]:
    """In any stage, by a manager. The keys are forgotten, too: if the client comes back, it comes as a new one."""
    if by.role != Role.MANAGER:
        raise Refused("prospect.needs-manager")
    return forget(by, command.at, prospect)


def forget(by: Seat, at: datetime, prospect: Prospect) -> list[Event]:
    return [] if prospect.erased else [PersonalDataErased(prospect.client, by, at)]
