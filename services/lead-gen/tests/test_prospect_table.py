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
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import Stage

MAKE_CUSTOMER = c.MakeCustomer(seat("boris"), at(9))
INVALIDATE = c.Invalidate("closed_down", "ana", at(2, 16))


def reach(company: Company, stage: Stage) -> None:
    """The shortest way to the stage."""
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
        case Stage.CONVERTING | Stage.CUSTOMER:
            company.converting()
    last_step = {Stage.CONTACTING: call(), Stage.CUSTOMER: MAKE_CUSTOMER, Stage.INVALID: INVALIDATE}.get(stage)
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
# none, registered, contacting, in_dialogue, need_known, offered, rework, released, converting, customer, invalid
TABLE: dict[type, list[str]] = {
    c.RegisterProspect: ["ProspectRegistered", *[NOTHING] * 10],
    c.ContestClient: [
        UNKNOWN,
        *["client-protected!"] * 6,
        "client-known",
        "client-protected!",
        "existing-customer!",
        "client-known",
    ],
    c.VerifyProspect: [UNKNOWN, "ProspectVerified", "ProspectVerified", *[WRONG] * 8],
    c.LogCall: [UNKNOWN, "CallLogged", "CallLogged", *[WRONG] * 8],
    c.RecordGatekeeper: [UNKNOWN, WRONG, "GatekeeperMet GatekeeperPassed", *[WRONG] * 8],
    c.RecordContactReached: [UNKNOWN, WRONG, "DecisionMakerReached", *[WRONG] * 8],
    c.IdentifyNeed: [UNKNOWN, WRONG, "NeedIdentified", "NeedIdentified", *[WRONG] * 7],
    c.OfferLead: [
        UNKNOWN,
        *[WRONG] * 3,
        "HandoverOverdue LeadOffered OfferCounted",
        WRONG,
        "LeadOffered OfferCounted",
        *[WRONG] * 4,
    ],
    c.MeetHandover: [UNKNOWN, *[NOTHING] * 3, "HandoverOverdue", *[NOTHING] * 6],
    c.WithdrawOffer: [UNKNOWN, *[WRONG] * 4, "LeadWithdrawn", *[WRONG] * 5],
    c.Invalidate: [
        UNKNOWN,
        *["ProspectInvalidated"] * 4,
        "LeadWithdrawn ProspectInvalidated",
        *["ProspectInvalidated"] * 2,
        WRONG,
        WRONG,
        NOTHING,
    ],
    c.ReleaseProspect: [UNKNOWN, *[NOTHING] * 3, "HandoverOverdue", NOTHING, "ProspectReleased", *[NOTHING] * 4],
    c.ClaimProspect: [
        UNKNOWN,
        *["client-protected!"] * 6,
        "ProspectClaimed",
        "client-protected!",
        "existing-customer!",
        WRONG,
    ],
    c.HandOver: [UNKNOWN, *["LeadHandedOver"] * 7, *[NOTHING] * 3],
    c.ReturnLead: [UNKNOWN, *[NOTHING] * 4, "LeadReturned", *[NOTHING] * 5],
    c.MoveOffer: [UNKNOWN, *[NOTHING] * 4, "OfferMoved", *[NOTHING] * 5],
    c.MakeCustomer: [
        UNKNOWN,
        *["ProspectBecameCustomer"] * 4,
        "LeadWithdrawn ProspectBecameCustomer",
        *["ProspectBecameCustomer"] * 3,
        NOTHING,
        NOTHING,
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
