"""Every command in every stage: what comes of it. The table is the specification, and is complete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from lead_gen_story import (
    Company,
    accepted,
    at,
    call,
    contact,
    gatekeeper,
    need,
    offer,
    register,
    seat,
    verify,
    withdraw,
)

from belt.core.decider import Refused
from lead_gen.identity import IdentityKey
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import Stage

MAKE_CUSTOMER = c.MakeCustomer(seat("boris"), at(9))
INVALIDATE = c.Invalidate("closed_down", "ana", at(2, 16))

PARK = c.Park(at(20), "on holiday", "ana", at(2, 16))
FORBID = c.ForbidContact("said so", "ana", at(2, 16))
MERGE = c.Merge("other", "ana", at(2, 16))
LAST: dict[Stage, Any] = {
    Stage.CONTACTING: call(),
    Stage.NURTURE: PARK,
    Stage.CUSTOMER: MAKE_CUSTOMER,
    Stage.INVALID: INVALIDATE,
    Stage.DO_NOT_CONTACT: FORBID,
    Stage.MERGED: MERGE,
}


def reach(company: Company, stage: Stage) -> None:
    """The shortest way to the stage. There is another client of the same person, too."""
    company.registered("other")
    match stage:
        case Stage.NONE:
            return
        case Stage.REGISTERED | Stage.CONTACTING | Stage.INVALID:
            company.registered()
        case Stage.IN_DIALOGUE:
            company.in_dialogue()
        case Stage.NEED_KNOWN:
            company.need_known()
        case Stage.OFFERED:
            company.offered()
        case Stage.REWORK | Stage.RELEASED:
            company.rework()
        case Stage.NURTURE:
            company.in_dialogue()
        case Stage.DO_NOT_CONTACT | Stage.MERGED:
            company.registered()
        case Stage.CONVERTING | Stage.CUSTOMER:
            company.converting()
    last_step = LAST.get(stage)
    if last_step is not None:
        company.to("acme", last_step)
    if stage is Stage.RELEASED:
        company.tick(at(17, 0))


COMMANDS: dict[type, Any] = {
    c.RegisterProspect: register(),
    c.ContestClient: c.ContestClient("tools", "egor", at(3)),
    c.VerifyProspect: verify(),
    c.LogCall: call(when=at(2, 17)),
    c.RecordGatekeeper: gatekeeper(),
    c.RecordContactReached: replace(contact(), person="Udo Kern"),
    c.IdentifyNeed: need(need_id="another"),
    c.OfferLead: offer(offer_id="acme-2", evidence=("photographs",), when=at(5)),
    c.MeetHandover: c.MeetHandover(at(3, 14)),
    c.WithdrawOffer: withdraw(),
    c.Park: c.Park(at(25), "later", "ana", at(2, 17)),
    c.Resume: c.Resume("ana", at(3)),
    c.ForbidContact: FORBID,
    c.Reassign: c.Reassign("egor", "workload", "vera", at(3), manager=True),
    c.MigrateJourney: c.MigrateJourney("hunter", None, None, "vera", at(3), manager=True),
    c.Merge: MERGE,
    c.TakeKeys: c.TakeKeys("third", (IdentityKey("domain", "third.example"),), seat("ana", "scout"), at(9)),
    c.EraseMerged: c.EraseMerged(seat("vera", "manager"), at(9)),
    c.ErasePersonalData: c.ErasePersonalData("vera", at(9), manager=True),
    c.WakeProspect: c.WakeProspect(at(20)),
    c.Recycle: c.Recycle("timing", at(30), seat("ana", "scout"), at(9)),
    c.Invalidate: c.Invalidate("no_such", "ana", at(3)),
    c.ReleaseProspect: c.ReleaseProspect(at(17, 0)),
    c.ClaimProspect: c.ClaimProspect("egor", at(5)),
    c.HandOver: accepted(),
    c.ReturnLead: c.ReturnLead("acme-1", "duplicate", seat("boris"), at(4)),
    c.MoveOffer: c.MoveOffer("acme-1", seat("dina"), at(4)),
    c.MakeCustomer: MAKE_CUSTOMER,
}

ORDER = list(Stage)
WRONG, UNKNOWN = "prospect.wrong-stage", "prospect.unknown"
NOTHING = "-"

# In the order of Stage:
# none, registered, contacting, in_dialogue, nurture, need_known, offered,
# rework, released, converting, customer, invalid, do_not_contact, merged
TABLE: dict[type, list[str]] = {
    c.RegisterProspect: [
        "ProspectRegistered",
        *[NOTHING] * 13,
    ],
    c.ContestClient: [
        UNKNOWN,
        *["client-protected!"] * 7,
        "client-known",
        "client-protected!",
        "existing-customer!",
        "client-known",
        "contact-forbidden",
        "client-known",
    ],
    c.VerifyProspect: [
        UNKNOWN,
        *["ProspectVerified"] * 2,
        *[WRONG] * 11,
    ],
    c.LogCall: [
        UNKNOWN,
        *["CallLogged"] * 2,
        *[WRONG] * 11,
    ],
    c.RecordGatekeeper: [
        UNKNOWN,
        WRONG,
        "GatekeeperMet GatekeeperPassed",
        *[WRONG] * 11,
    ],
    c.RecordContactReached: [
        UNKNOWN,
        WRONG,
        "DecisionMakerReached",
        *[WRONG] * 11,
    ],
    c.IdentifyNeed: [
        UNKNOWN,
        WRONG,
        *["NeedIdentified"] * 2,
        *[WRONG] * 10,
    ],
    c.OfferLead: [
        UNKNOWN,
        *[WRONG] * 4,
        "HandoverOverdue LeadOffered OfferCounted",
        WRONG,
        "LeadOffered OfferCounted",
        *[WRONG] * 6,
    ],
    c.MeetHandover: [
        UNKNOWN,
        *[NOTHING] * 4,
        "HandoverOverdue",
        *[NOTHING] * 8,
    ],
    c.WithdrawOffer: [
        UNKNOWN,
        *[WRONG] * 5,
        "LeadWithdrawn",
        *[WRONG] * 7,
    ],
    c.Park: [
        UNKNOWN,
        WRONG,
        *["ProspectParked"] * 2,
        *[WRONG] * 10,
    ],
    c.Resume: [
        UNKNOWN,
        WRONG,
        NOTHING,
        WRONG,
        "ProspectResumed",
        *[WRONG] * 9,
    ],
    c.ForbidContact: [
        UNKNOWN,
        *["ContactForbidden"] * 5,
        "LeadWithdrawn ContactForbidden",
        *["ContactForbidden"] * 4,
        WRONG,
        NOTHING,
        WRONG,
    ],
    c.Reassign: [
        UNKNOWN,
        *["ProspectReassigned"] * 5,
        WRONG,
        "ProspectReassigned",
        *[WRONG] * 6,
    ],
    c.MigrateJourney: [
        UNKNOWN,
        *["JourneyMigrated"] * 10,
        *[WRONG] * 3,
    ],
    c.Merge: [
        UNKNOWN,
        *["ProspectInvalidated ProspectMerged KeysTaken"] * 5,
        WRONG,
        *["ProspectInvalidated ProspectMerged KeysTaken"] * 2,
        *[WRONG] * 4,
        NOTHING,
    ],
    c.TakeKeys: [
        UNKNOWN,
        *["KeysTaken"] * 4,
        "HandoverOverdue KeysTaken",
        *["KeysTaken"] * 8,
    ],
    c.EraseMerged: [
        UNKNOWN,
        *["PersonalDataErased"] * 4,
        "HandoverOverdue PersonalDataErased",
        *["PersonalDataErased"] * 8,
    ],
    c.ErasePersonalData: [
        UNKNOWN,
        *["PersonalDataErased"] * 4,
        "HandoverOverdue PersonalDataErased",
        *["PersonalDataErased"] * 8,
    ],
    c.WakeProspect: [
        UNKNOWN,
        *[NOTHING] * 3,
        "ProspectResumed",
        "HandoverOverdue",
        NOTHING,
        "ProspectReleased",
        *[NOTHING] * 6,
    ],
    c.Recycle: [
        UNKNOWN,
        *[NOTHING] * 8,
        "LeadRecycled",
        *[NOTHING] * 4,
    ],
    c.Invalidate: [
        UNKNOWN,
        *["ProspectInvalidated"] * 5,
        "LeadWithdrawn ProspectInvalidated",
        *["ProspectInvalidated"] * 2,
        *[WRONG] * 2,
        NOTHING,
        *[WRONG] * 2,
    ],
    c.ReleaseProspect: [
        UNKNOWN,
        *[NOTHING] * 4,
        "HandoverOverdue",
        NOTHING,
        "ProspectReleased",
        *[NOTHING] * 6,
    ],
    c.ClaimProspect: [
        UNKNOWN,
        *["client-protected!"] * 7,
        "ProspectClaimed",
        "client-protected!",
        "existing-customer!",
        WRONG,
        "contact-forbidden",
        WRONG,
    ],
    c.HandOver: [
        UNKNOWN,
        *["LeadHandedOver"] * 8,
        *[NOTHING] * 5,
    ],
    c.ReturnLead: [
        UNKNOWN,
        *[NOTHING] * 5,
        "LeadReturned",
        *[NOTHING] * 7,
    ],
    c.MoveOffer: [
        UNKNOWN,
        *[NOTHING] * 5,
        "OfferMoved",
        *[NOTHING] * 7,
    ],
    c.MakeCustomer: [
        UNKNOWN,
        *["ProspectBecameCustomer"] * 5,
        "LeadWithdrawn ProspectBecameCustomer",
        *["ProspectBecameCustomer"] * 3,
        *[NOTHING] * 4,
    ],
}


def outcome(company: Company, command: Any) -> str:
    """The names of the events, or the code of the refusal; ! marks one that is itself a fact."""
    try:
        happened = company.to("acme", command)
    except Refused as refused:
        return refused.code + ("!" if refused.record else "")
    return " ".join(type(event).__name__ for event in happened) or NOTHING


def test_the_table_names_every_command_and_every_stage() -> None:
    assert set(TABLE) == set(COMMANDS) == set(get_args(c.Command))
    assert all(len(row) == len(ORDER) for row in TABLE.values())


@pytest.mark.parametrize("command", list(COMMANDS), ids=lambda kind: kind.__name__)
def test_each_command_does_in_each_stage_what_the_table_says(command: type) -> None:
    found = []
    for stage in ORDER:
        company = Company()
        reach(company, stage)
        assert company.prospect().stage is stage
        found.append(outcome(company, COMMANDS[command]))
    assert dict(zip(ORDER, found, strict=True)) == dict(zip(ORDER, TABLE[command], strict=True))


@pytest.mark.parametrize("command", list(COMMANDS), ids=lambda kind: kind.__name__)
def test_said_twice_nothing_more_happens(command: type) -> None:
    for stage in ORDER:
        company = Company()
        reach(company, stage)
        outcome(company, COMMANDS[command])
        stood = company.states
        again = outcome(company, COMMANDS[command])
        assert company.states == stood, (stage, again)


def test_a_refused_command_changes_nothing() -> None:
    for stage in ORDER:
        for command in COMMANDS.values():
            company = Company()
            reach(company, stage)
            before = dict(company.states)
            try:
                company.to("acme", command)
            except Refused:
                assert company.states == before, (stage, command)
