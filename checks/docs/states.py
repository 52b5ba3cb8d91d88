"""docs/states.md: every command in every stage of a stream, found by running the deciders.

How a stage is reached and what each command carries stands in the table tests of the streams: they are taken from
there, so that the page shows exactly what is tested.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial, reduce
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from checks.docs.tables import Folded, Table, Trial, stage_of
from compensation import approval
from compensation.lint import Finding

ROOT = Path(__file__).parents[2]
HEAD = """\
# States

What each command does in each stage, for every stream that has stages. The cells are not drawn: they come from running
`decide`, with the stages and commands of the tests named below each table; the tests hold the same tables by hand.

* `Event Event`: what happens, in this order.
* **·** nothing new happens (it was said before, or it does not concern this stage). The caller gets a 200.
* **✕** refused with `….wrong-stage`, **?** refused with `….unknown`.
* *code* refused with this [error](errors.md); **!** after it: the refusal itself is recorded as a fact.

"""
STAGELESS = {
    "erasure": ("that a client is forgotten here, too: its key is destroyed", ["libs/belt/src/belt/core"]),
    "staffing": (
        "the company: people, roles, absences, leaves, how each line is staffed",
        ["services/lead-gen/src/lead_gen"],
    ),
    "roster": (
        "the same, as heard on the staff topic",
        ["services/conversion/src/conversion", "services/account-mgmt/src/account_mgmt"],
    ),
    "routing": (
        "who received how many, so that the next choice is fair",
        ["services/lead-gen/src/lead_gen", "services/conversion/src/conversion/deal"],
    ),
    "client": (
        "what is unique for a client: one open opportunity for each need, one first sale",
        ["services/conversion/src/conversion/opportunity"],
    ),
    "exchange": (
        "what one currency was worth in another, by date",
        ["services/compensation/src/compensation"],
    ),
    "payout": (
        "one payout run: which statements are paid with it, and what its file says",
        ["services/compensation/src/compensation/office"],
    ),
    "assignment": ("who is paid by which plan, from when to when", ["services/compensation/src/compensation"]),
    "selftest/attempts": (
        "what a person found out about themselves: each attempt at a self-test, for the person only",
        ["services/account-mgmt/src/account_mgmt/papers"],
    ),
}


def page() -> str:
    """The whole page."""
    tables = (_handover(), _prospect(), _competitor(), *_conversion(), *_account_mgmt(), _plan(), *_office())
    return HEAD + "\n".join(table.text() for table in tables) + "\n" + _stageless()


def _stageless() -> str:
    text = "## Streams without stages\n\n| stream | what it remembers | file |\n|---|---|---|\n"
    for stream, (about, folders) in STAGELESS.items():
        files = ", ".join(f"[{one.split('/')[1]}](../{one}/{stream}.py)" for one in folders)
        text += f"| `{stream.partition('/')[0]}` | {about} | {files} |\n"
    return text


def _named(commands: dict[Any, Any]) -> dict[str, str]:
    """The commands by their names in the test. The class is shown; where it comes twice, the name beside it."""
    kinds = {str(key): type(command).__name__ for key, command in commands.items()}
    often = Counter(kinds.values())
    return {
        key: kind if often[kind] == 1 or kind.lower().startswith(key.lower()) else f"{kind} ({key})"
        for key, kind in kinds.items()
    }


def _test(place: str) -> ModuleType:
    """A test module as a module. What tests of its folder share beside it can be imported by it."""
    path = ROOT / place
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = "tables_" + "_".join(path.with_suffix("").parts[-4:]).replace("-", "_")
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LookupError(place)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _handover() -> Table:
    place = "libs/belt/tests/test_handover_table.py"
    test = _test(place)
    return Table(
        title="Handover (any)",
        about="What both handovers share: an offer with an owner and a clock, decided in the receiver's stream.",
        decider="libs/belt/src/belt/core/handover/decide.py",
        test=place,
        commands=_named(test.COMMANDS),
        stages=list(test.STAGES),
        trial=lambda command, stage: Folded(
            test.handover.fold(test.handover.Handover(), test.STAGES[stage]),
            lambda state: test.handover.decide(
                test.COMMANDS[command], state, sys.modules["handovers"].RULES, sys.modules["handovers"].TEAM
            ),
            lambda state, event: test.handover.fold(state, [event]),
        ).trial(),
    )


def _prospect() -> Table:
    place = "services/lead-gen/tests/test_prospect_table.py"
    test = _test(place)
    commands = {kind.__name__: command for kind, command in test.COMMANDS.items()}
    stages = {stage.value: stage for stage in test.Stage}

    def trial(command: str, stage: str) -> Trial:
        company = test.Company()
        test.reach(company, stages[stage])
        return Trial(
            lambda: stage_of(company.states.get("prospect-acme", _streams("lead_gen")["prospect"].initial)),
            lambda: company.to("acme", commands[command]),
            _events("lead_gen", "prospect"),
        )

    return Table(
        title="Prospect (lead-gen)",
        about="One stream a client. What is overdue is said first, at its own instant (`HandoverOverdue`).",
        decider="services/lead-gen/src/lead_gen/prospect/decide.py",
        test=place,
        commands=_named(commands),
        stages=list(stages),
        trial=trial,
    )


def _competitor() -> Table:
    place = "services/lead-gen/tests/test_competitor.py"
    test = _test(place)
    return Table(
        title="Competitor card (lead-gen)",
        about="What is known of a rival, and until when it is believed.",
        decider="services/lead-gen/src/lead_gen/papers/competitor.py",
        test=place,
        commands=_named(test.COMMANDS),
        stages=list(test.STAGES),
        trial=lambda command, stage: Folded(
            test.STAGES[stage],
            lambda card: test.k.decide(test.COMMANDS[command], card),
            test.k.evolve,
        ).trial(),
    )


def _conversion() -> Iterable[Table]:
    about = {
        "offer": (
            "Lead offer (conversion)",
            "Handover 1. An acceptance opens the opportunity in the same append unit.",
        ),
        "opportunity": ("Opportunity (conversion)", "From an accepted lead, or a hunter's own find, to a first sale."),
        "deal": ("Deal (conversion)", "A won sale: its money, and its buyer on the way to account management."),
    }
    deciders = {"offer": "offer.py", "opportunity": "opportunity/decide.py", "deal": "deal/decide.py"}
    for stream, (title, text) in about.items():
        place = f"services/conversion/tests/test_{stream}.py"
        yield _stepped(stream, title, text, f"services/conversion/src/conversion/{deciders[stream]}", place)


def _stepped(stream: str, title: str, about: str, decider: str, place: str) -> Table:
    """A table whose stages are reached by steps, or by commands for the one opportunity of the story."""
    test = _test(place)

    def step(given: Any) -> Any:
        return given if hasattr(given, "category") else test.on(test.OPPORTUNITY, given)

    def trial(command: str, stage: str) -> Trial:
        there = test.bench()
        for before in test.STAGES[stage]:
            there.do(step(before))
        does = step(test.COMMANDS[command])
        mine = does if does.category == stream else step(test.STAGES[stage][0])

        def state() -> Any:
            entry = there.entries.get(mine.stream_id)
            return entry.state if entry is not None else _streams("conversion")[stream].initial

        return Trial(lambda: stage_of(state()), lambda: there.do(does), _events("conversion", stream))

    commands = {key: step(command).command for key, command in test.COMMANDS.items()}
    return Table(title, about, decider, place, _named(commands), list(test.STAGES), trial)


def _account_mgmt() -> Iterable[Table]:
    about = {
        "offer": ("Account offer (account-mgmt)", "Handover 2. An acceptance takes the seat at the account as well."),
        "account": (
            "Account (account-mgmt)",
            "One client in service: who serves it, and where it stands. What is overdue is said first.",
        ),
        "sale": ("Repeat sale (account-mgmt)", "A sale to a customer and its money. Nobody else writes these."),
        "survey": (
            "Survey of service quality (account-mgmt)",
            "One person at a client is asked, agrees or not, and answers once (`late`: when the invitation is over).",
        ),
    }
    deciders = {
        "offer": "offer.py",
        "account": "account/decide.py",
        "sale": "sale/decide.py",
        "survey": "papers/survey/decide.py",
    }
    for stream, (title, text) in about.items():
        place = f"services/account-mgmt/tests/test_{stream}.py"
        yield _folded(stream, title, text, f"services/account-mgmt/src/account_mgmt/{deciders[stream]}", place)


def _folded(stream: str, title: str, about: str, decider: str, place: str) -> Table:
    """A table whose stages are states."""
    test = _test(place)
    stages = {str(getattr(stage, "value", stage)): state for stage, state in test.STAGES.items()}
    beside = (test.SERVED, test.ROSTER) if stream in ("sale", "survey") else (test.ROSTER,)
    return Table(
        title=title,
        about=about,
        decider=decider,
        test=place,
        commands=_named(test.COMMANDS),
        stages=list(stages),
        trial=lambda command, stage: Folded(
            stages[stage],
            lambda state: test.decide(test.COMMANDS[command], state, *beside),
            _streams("account_mgmt")[stream].evolve,
        ).trial(),
    )


def _plan() -> Table:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    draft = approval.Draft("p", 1, "hunter", "EUR", at.date(), "{}", "pia", at)
    drafted = approval.decide(draft, approval.PlanBook())
    approve = approval.Approve("p", 1, "otto", at)
    linted = [*drafted, approval.PlanLinted(at, "p", 1, (), "pia")]
    approved = [*linted, approval.PlanApproved(at, "p", 1, "otto")]
    bad = Finding("L9", "block", "p", "H1", ("hunter", "house"), "paid before the client pays", "600.00 EUR")
    stages: dict[str, Sequence[approval.Event]] = {
        "none": [],
        "draft": drafted,
        "linted": linted,
        "approved": approved,
    }
    commands: dict[str, approval.Command] = {
        "draft": draft,
        "another text": replace(draft, document="[]"),
        "lint": approval.Lint("p", 1, (bad,), "pia", at),
        "approve": approve,
        "while a finding blocks": replace(approve, findings=(bad,)),
        "by its author": replace(approve, by="pia"),
    }
    return Table(
        title="Version of a plan (compensation)",
        about="A plan is a list of versions. What a version says is in its document; here is only who agreed to it.",
        decider="services/compensation/src/compensation/approval.py",
        test=None,
        commands=_named(commands),
        stages=list(stages),
        trial=lambda command, stage: _Book(stages[stage], commands[command]).trial(),
    )


def _office() -> Iterable[Table]:
    """The streams of the pay office: their stages are states in its test."""
    place = "services/compensation/tests/test_office.py"
    for told in _test(place).TABLES.values():
        yield Table(
            title=told.title,
            about=told.about,
            decider=f"services/compensation/src/compensation/office/{told.stream.__name__.rpartition('.')[2]}.py",
            test=place,
            commands=_named(told.commands),
            stages=list(told.stages),
            trial=partial(_office_trial, told),
        )


def _office_trial(told: Any, command: str, stage: str) -> Trial:
    does = told.commands[command]
    return Folded(told.stages[stage], lambda state: told.stream.decide(does, state), told.stream.evolve).trial()


class _Book(Folded):
    """A plan's versions, of which one is looked at."""

    def __init__(self, events: Sequence[approval.Event], command: approval.Command) -> None:
        book = reduce(approval.evolve, events, approval.PlanBook())
        super().__init__(book, lambda book: approval.decide(command, book), approval.evolve)

    def trial(self) -> Trial:
        return Trial(lambda: stage_of(self.state.versions[1]) if 1 in self.state.versions else "none", self.do)


def _streams(package: str) -> Mapping[str, Any]:
    streams: Mapping[str, Any] = sys.modules[f"{package}.main"].SERVICE.streams
    return streams


def _events(package: str, stream: str) -> tuple[type, ...]:
    """The events of a stream."""
    events: tuple[type, ...] = tuple(_streams(package)[stream].events)
    return events
