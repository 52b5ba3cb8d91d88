"""What the pay office may do when: every command of its streams in every stage."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

import pytest

from belt.core.decider import Public, Refused, Step
from compensation.conflict import Case, Claim
from compensation.office import adjustment, dispute, ledger, payout, resolution, sheet, simulation
from conveyor_events.catalog import CATALOG

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
UNTIL = AT + timedelta(days=14)
CUTOFF = datetime(2026, 4, 5, tzinfo=UTC)
ENDS = datetime(2026, 3, 31, 22, tzinfo=UTC)


class Table(NamedTuple):
    """A stream, its stages by name, its commands, and what each does in each stage: an event, a code, or nothing."""

    stream: Any
    title: str
    about: str
    stages: dict[str, Any]
    commands: dict[str, Any]
    does: dict[str, list[str]]


def told(stream: Any, initial: Any, *commands: Any) -> Any:
    state = initial
    for command in commands:
        state = reduce(stream.evolve, stream.decide(command, state), state)
    return state


# --- the ledger -----------------------------------------------------------------------------------------------------

BEGIN = ledger.BeginClose("2026-03", CUTOFF, ENDS, "olga", AT)
FINISH = ledger.FinishClose("2026-03", CUTOFF, (ledger.Frozen("2026-03", 3, "ab" * 32, None),), AT)
NEXT = ledger.BeginClose("2026-04", AT, datetime(2026, 4, 30, 22, tzinfo=UTC), "olga", AT)
LEDGER = Table(
    ledger,
    "Ledger (compensation)",
    "The periods of the company. One is closed after the other, and none is opened again.",
    {
        "none": ledger.Ledger(),
        "closing": told(ledger, ledger.Ledger(), BEGIN),
        "closed": told(ledger, ledger.Ledger(), BEGIN, FINISH),
    },
    {
        "begin": BEGIN,
        "the next month": NEXT,
        "a month too far": replace(NEXT, period="2026-06"),
        "before the month ends": replace(BEGIN, cutoff=ENDS - timedelta(seconds=1)),
        "a cutoff to come": replace(BEGIN, cutoff=AT + timedelta(seconds=1)),
        "finish": FINISH,
    },
    {
        "begin": ["CloseBegun", "", "!period.closed"],
        "the next month": ["CloseBegun", "!period.closing", "CloseBegun"],
        "a month too far": ["!period.not-over", "!period.closing", "!period.not-next"],
        "before the month ends": ["!period.not-over", "!period.closing", "!period.closed"],
        "a cutoff to come": ["!period.cutoff-ahead", "!period.closing", "!period.closed"],
        "finish": ["", "PeriodClosed", ""],
    },
)
LEDGER.commands["a month too far"] = replace(
    NEXT, period="2026-06", ends=datetime(2026, 6, 30, 22, tzinfo=UTC)
)  # fmt: skip

# --- statements -----------------------------------------------------------------------------------------------------

FREEZE = sheet.Freeze("2026-03", "boris", "[]", '[{"currency":"EUR","payable":"1100.00"}]', "ab" * 32, AT)
PUBLISH = sheet.Publish(UNTIL, "olga", AT)
AGREE = sheet.Acknowledge("boris", AT)
CONTEST = sheet.Contest("d1", AT)
FINAL = sheet.Finalize("olga", AT)
PAY = sheet.Pay("run-1", AT)
NEW = sheet.Sheet()
STATEMENT = Table(
    sheet,
    "Statement (compensation)",
    "One person's pay of a closed month. Its lines never change; what follows is who has agreed to it.",
    {
        "none": NEW,
        "draft": told(sheet, NEW, FREEZE),
        "published": told(sheet, NEW, FREEZE, PUBLISH),
        "acknowledged": told(sheet, NEW, FREEZE, PUBLISH, AGREE),
        "disputed": told(sheet, NEW, FREEZE, PUBLISH, CONTEST),
        "settled": told(sheet, NEW, FREEZE, PUBLISH, CONTEST, sheet.Settle("d1", AT)),
        "final": told(sheet, NEW, FREEZE, PUBLISH, AGREE, FINAL),
        "paid": told(sheet, NEW, FREEZE, PUBLISH, AGREE, FINAL, PAY),
    },
    {
        "freeze": FREEZE,
        "freeze otherwise": replace(FREEZE, digest="cd" * 32),
        "publish": PUBLISH,
        "acknowledge": AGREE,
        "acknowledge for another": sheet.Acknowledge("ana", AT),
        "contest": sheet.Contest("d2", AT),
        "contest too late": sheet.Contest("d2", UNTIL),
        "settle": sheet.Settle("d1", AT),
        "finalize": FINAL,
        "finalize in silence": sheet.Finalize("olga", UNTIL),
        "pay": sheet.Pay("run-2", AT),
        "nobody": sheet.Nobody(),
    },
    {
        "freeze": ["StatementFrozen", *[""] * 7],
        "freeze otherwise": ["StatementFrozen", "StatementFrozen", *["!wrong"] * 6],
        "publish": ["!unknown", "Published", *[""] * 6],
        "acknowledge": ["!unknown", "!wrong", "Acknowledged", "", "!wrong", "!wrong", "", ""],
        "acknowledge for another": ["!unknown"] * 8,
        "contest": ["!unknown", "!wrong", *["StatementDisputed"] * 4, "!wrong", "!wrong"],
        "contest too late": ["!unknown", "!wrong", *["!objection-over"] * 4, "!wrong", "!wrong"],
        "settle": ["!unknown", "", "", "", "StatementSettled", "", "", ""],
        "finalize": ["!unknown", "!wrong", "!wrong", "Finalized", "!disputed", "Finalized", "", ""],
        "finalize in silence": ["!unknown", "!wrong", "Finalized", "Finalized", "!disputed", "Finalized", "", ""],
        "pay": ["!unknown", *["!wrong"] * 5, "StatementPaid", "!wrong"],
        "nobody": [""] * 8,
    },
)

# --- conflicts ------------------------------------------------------------------------------------------------------

ANA, BORIS = Claim("ana", "scout", AT, "e1"), Claim("boris", "hunter", AT, "e2")
CASE = Case("c1", "C8", "acme", "north", ANA, BORIS, AT, ("e1", "e2"), "d1")
ALONE = replace(CASE, kind="C9", b=None, sale_id=None)
DETECT = resolution.Detect(CASE, AT, AT)
INVITE = resolution.InviteClaims(UNTIL, "olga", AT)
RESOLVE = resolution.Resolve("credit_a", "the lead was good", "olga", AT)
CALM = resolution.Conflict()
CONFLICT = Table(
    resolution,
    "Conflict (compensation)",
    "Two may think that something is theirs. Found by itself, decided by somebody who is neither.",
    {
        "none": CALM,
        "detected": told(resolution, CALM, DETECT),
        "claims_invited": told(resolution, CALM, DETECT, INVITE),
        "resolved": told(resolution, CALM, DETECT, RESOLVE),
    },
    {
        "detect": DETECT,
        "detect more": resolution.Detect(replace(CASE, events=("e1", "e2", "e3")), AT, AT),
        "invite": INVITE,
        "claim": resolution.StateClaim("mine", "ana", AT),
        "claim too late": resolution.StateClaim("mine", "ana", UNTIL),
        "claim of a third": resolution.StateClaim("mine", "egor", AT),
        "resolve": RESOLVE,
        "resolve otherwise": replace(RESOLVE, outcome="split"),
        "resolve one's own": replace(RESOLVE, by="boris"),
    },
    {
        "detect": ["Detected", "", "", ""],
        "detect more": ["Detected", "Detected", "Detected", ""],
        "invite": ["!unknown", "ClaimsInvited", "", "!resolved"],
        "claim": ["!unknown", "!no-claims-now", "ClaimStated", "!resolved"],
        "claim too late": ["!unknown", "!no-claims-now", "!no-claims-now", "!resolved"],
        "claim of a third": ["!unknown", "!unknown", "!unknown", "!resolved"],
        "resolve": ["!unknown", "Resolved", "Resolved", ""],
        "resolve otherwise": ["!unknown", "Resolved", "Resolved", "!resolved"],
        "resolve one's own": ["!unknown", "!own", "!own", "!own"],
    },
)

# --- adjustments ----------------------------------------------------------------------------------------------------

ASKED = adjustment.Asked("a1", "boris", Decimal("20.00"), "EUR", "missed-bonus", "2026-03")
PROPOSE = adjustment.Propose(ASKED, "olga", AT)
APPROVE = adjustment.Approve("petra", AT)
REJECT = adjustment.Reject("petra", AT)
BLANK = adjustment.Adjustment()
ADJUSTMENT = Table(
    adjustment,
    "Adjustment (compensation)",
    "An amount beside the rules. It takes two people, and neither is the one who is paid.",
    {
        "none": BLANK,
        "proposed": told(adjustment, BLANK, PROPOSE),
        "posted": told(adjustment, BLANK, PROPOSE, APPROVE),
        "rejected": told(adjustment, BLANK, PROPOSE, REJECT),
    },
    {
        "propose": PROPOSE,
        "propose another": replace(PROPOSE, asked=replace(ASKED, amount=Decimal(1))),
        "propose for oneself": replace(PROPOSE, by="boris"),
        "propose for the house": replace(PROPOSE, asked=replace(ASKED, person="house")),
        "approve": APPROVE,
        "approve one's own": adjustment.Approve("olga", AT),
        "approve for oneself": adjustment.Approve("boris", AT),
        "reject": REJECT,
        "grant": adjustment.Grant(ASKED, "d1", "olga", AT),
    },
    {
        "propose": ["AdjustmentProposed", "", "", ""],
        "propose another": ["AdjustmentProposed", *["!id-taken"] * 3],
        "propose for oneself": ["!own"] * 4,
        "propose for the house": ["!person.reserved", *["!id-taken"] * 3],
        "approve": ["!unknown", "AdjustmentPosted", "", "!decided"],
        "approve one's own": ["!unknown", "!own", "", "!decided"],
        "approve for oneself": ["!unknown", "!own", "", "!decided"],
        "reject": ["!unknown", "AdjustmentRejected", "!decided", ""],
        "grant": ["AdjustmentProposed AdjustmentPosted", "", "", ""],
    },
)

# --- disputes -------------------------------------------------------------------------------------------------------

OPEN = dispute.Open("d1", "boris", "2026-03", ("line-1",), (), "the base is too low", AT)
REVIEW = dispute.Review("olga", AT)
ASK = dispute.RequestInfo("which sale?", "olga", AT)
GIVE = dispute.GiveInfo("the second", ("event-1",), "boris", AT)
GRANT = dispute.Decide("partly", "half of it", Decimal("1.50"), "EUR", "olga", AT)
REFUSE = dispute.Decide("refused", "no", None, None, "olga", AT)
CLOSE = dispute.Close(AT)
QUIET = dispute.Dispute()
DISPUTE = Table(
    dispute,
    "Dispute (compensation)",
    "A person objects to a statement. There is a clock, and whoever decides is somebody else.",
    {
        "none": QUIET,
        "opened": told(dispute, QUIET, OPEN),
        "in_review": told(dispute, QUIET, OPEN, REVIEW),
        "info_requested": told(dispute, QUIET, OPEN, ASK),
        "partly": told(dispute, QUIET, OPEN, GRANT),
        "refused": told(dispute, QUIET, OPEN, REFUSE),
        "closed": told(dispute, QUIET, OPEN, REFUSE, CLOSE),
    },
    {
        "open": OPEN,
        "review": REVIEW,
        "ask": ASK,
        "answer": GIVE,
        "answer for another": replace(GIVE, by="ana"),
        "grant": GRANT,
        "refuse": REFUSE,
        "refuse with an amount": replace(REFUSE, amount=Decimal(1), currency="EUR"),
        "grant oneself": replace(GRANT, by="boris"),
        "overdue": dispute.Overdue(AT),
        "close": CLOSE,
    },
    {
        "open": ["DisputeOpened", *["!id-taken"] * 6],
        "review": ["!unknown", "ReviewBegun", "", "ReviewBegun", "!wrong", "!wrong", "!wrong"],
        "ask": ["!unknown", "InfoRequested", "InfoRequested", *["!wrong"] * 4],
        "answer": ["!unknown", "!wrong", "!wrong", "InfoGiven", *["!wrong"] * 3],
        "answer for another": ["!unknown"] * 7,
        "grant": ["!unknown", *["DisputeDecided"] * 3, *["!wrong"] * 3],
        "refuse": ["!unknown", *["DisputeDecided"] * 3, *["!wrong"] * 3],
        "refuse with an amount": ["!unknown", *["!amount-and-outcome"] * 3, *["!wrong"] * 3],
        "grant oneself": ["!unknown", *["!own"] * 3, *["!wrong"] * 3],
        "overdue": ["!unknown", *["AnswerOverdue"] * 3, "", "", ""],
        "close": ["!unknown", *["!wrong"] * 3, "DisputeClosed", "DisputeClosed", ""],
    },
)

# --- what if --------------------------------------------------------------------------------------------------------

QUESTION = simulation.Ask("s1", '{"from":"2026-03"}', (), "pia", AT)
ANSWER = simulation.Finish('{"people":[]}', (None, None), AT)
STOP = simulation.Cancel("pia", AT)
BREAK = simulation.Fail("ZeroDivisionError", AT)
UNASKED = simulation.Simulation()
SIMULATION = Table(
    simulation,
    "Simulation (compensation)",
    "What if. The worker takes up what is queued, oldest first; nobody is paid by it.",
    {
        "none": UNASKED,
        "queued": told(simulation, UNASKED, QUESTION),
        "done": told(simulation, UNASKED, QUESTION, ANSWER),
        "cancelled": told(simulation, UNASKED, QUESTION, STOP),
        "failed": told(simulation, UNASKED, QUESTION, BREAK),
    },
    {
        "ask": QUESTION,
        "ask something else": replace(QUESTION, scenario="{}"),
        "finish": ANSWER,
        "cancel": STOP,
        "fail": BREAK,
    },
    {
        "ask": ["SimulationAsked", "", "", "", ""],
        "ask something else": ["SimulationAsked", *["!id-taken"] * 4],
        "finish": ["!unknown", "SimulationDone", "", "", ""],
        "cancel": ["!unknown", "SimulationCancelled", "!wrong", "", "!wrong"],
        "fail": ["!unknown", "SimulationFailed", "", "", ""],
    },
)

STREAMS = (LEDGER, STATEMENT, CONFLICT, ADJUSTMENT, DISPUTE, SIMULATION)
TABLES = {table.stream.CATEGORY: table for table in STREAMS}


def outcome(table: Table, command: Any, state: Any) -> str:
    try:
        return " ".join(type(event).__name__ for event in table.stream.decide(command, state))
    except Refused as refused:
        short = refused.code.removeprefix(f"{table.stream.CATEGORY}.")
        return f"!{'wrong' if short == 'wrong-stage' else short}"


@pytest.mark.parametrize(("stream", "command"), [(s, c) for s, table in TABLES.items() for c in table.commands])
def test_each_command_does_in_each_stage_what_the_table_says(stream: str, command: str) -> None:
    table = TABLES[stream]
    assert [state.stage for state in table.stages.values()] == list(table.stages)
    assert [outcome(table, table.commands[command], s) for s in table.stages.values()] == table.does[command]


def test_a_case_with_one_claim_is_credited_or_dismissed() -> None:
    alone = told(resolution, CALM, resolution.Detect(ALONE, AT, AT))
    assert outcome(CONFLICT, replace(RESOLVE, outcome="split"), alone) == "!one-claim"
    assert outcome(CONFLICT, replace(RESOLVE, outcome="dismissed"), alone) == "Resolved"


def test_a_granted_dispute_settles_the_statement_and_posts_what_it_grants_in_one_commit() -> None:
    opened = DISPUTE.stages["opened"]
    (event,) = dispute.decide(GRANT, opened)
    settled, granted = dispute.follow(event, dispute.evolve(opened, event))
    assert settled == Step("statement", "2026-03:boris", sheet.Settle("d1", AT))
    assert (granted.category, granted.command.asked.amount, granted.command.dispute_id) == (
        "adjustment",
        Decimal("1.50"),
        "d1",
    )
    (refused,) = dispute.decide(REFUSE, opened)
    assert [step.category for step in dispute.follow(refused, dispute.evolve(opened, refused))] == ["statement"]


def test_a_dispute_has_a_clock_and_closes_by_itself() -> None:
    opened, partly = DISPUTE.stages["opened"], DISPUTE.stages["partly"]
    assert [(due.name, due.at) for due in dispute.timers(opened)] == [("overdue", AT + dispute.ANSWER_WITHIN)]
    assert list(dispute.timers(told(dispute, opened, dispute.Overdue(AT)))) == []
    assert [(due.name, due.at) for due in dispute.timers(partly)] == [("close", AT + dispute.CLOSE_AFTER)]
    assert list(dispute.timers(DISPUTE.stages["closed"])) == []


def exported(*rows: tuple[str, str, str]) -> payout.Exported:
    made = tuple(payout.PayoutRow(person, currency, Decimal(amount)) for person, currency, amount in rows)
    return payout.Exported(AT, "run-1", "2026-03", tuple(row.person for row in made), made, "olga")


def test_the_file_of_a_run_sums_to_its_total_and_is_the_same_each_time() -> None:
    run = exported(("ana", "EUR", "1050"), ("boris", "EUR", "1100.00"), ("kenji", "JPY", "90000"))
    assert payout.totals(run.rows) == {"EUR": Decimal("2150.00"), "JPY": Decimal(90000)}
    rows = list(csv.DictReader(io.StringIO(payout.file(run))))
    assert [(row["person"], row["amount"]) for row in rows] == [
        ("ana", "1050.00"),
        ("boris", "1100.00"),
        ("kenji", "90000"),
    ]
    assert payout.digest(run) == payout.digest(exported(*((r.person, r.currency, str(r.amount)) for r in run.rows)))


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@sum", "\tx", "\rx"])
def test_no_cell_of_a_payout_file_is_a_formula(name: str) -> None:
    (row,) = csv.DictReader(io.StringIO(payout.file(exported((name, "EUR", "1.00"))), newline=""))
    assert row["person"] == f"'{name}"
    (safe,) = csv.DictReader(io.StringIO(payout.file(exported(("ana", "EUR", "-1.00")))))
    assert safe["amount"] == "-1.00", "a number stays a number"


def test_a_run_without_anybody_is_refused_and_an_id_stands_for_one_run() -> None:
    export = payout.Export("run-1", "2026-03", (), (), "olga", AT)
    with pytest.raises(Refused, match="nothing-to-pay"):
        payout.decide(export, payout.Payout())
    made = payout.Payout(exported(("ana", "EUR", "1.00")))
    assert payout.decide(export, made) == []
    with pytest.raises(Refused, match="id-taken"):
        payout.decide(replace(export, period="2026-04"), made)


def test_every_result_of_pay_is_told_as_its_sample_promises() -> None:
    told = {type(public.data).__name__: public for public in everything()}
    promised = {entry.model.__name__: entry for entry in CATALOG if entry.topic == "conveyor.pay.v1"}
    assert told.keys() == promised.keys() - {"PlanActivated"}
    for name, public in told.items():
        subject = promised[name].subject
        said = public.data.model_dump(mode="json")
        assert public.subject == said[subject], name
        assert not {"text", "reason_text", "said"} & said.keys()


def everything() -> list[Public]:
    """One of each public event of the office, out of the tables."""
    found: list[Public] = []
    for table in TABLES.values():
        for command in table.commands.values():
            for state in table.stages.values():
                try:
                    events = table.stream.decide(command, state)
                except Refused:
                    continue
                publish = getattr(table.stream, "publish", lambda _event, _state: ())
                found += [public for event in events for public in publish(event, table.stream.evolve(state, event))]
    return [*found, *payout.publish(exported(("ana", "EUR", "1.00")), payout.Payout())]
