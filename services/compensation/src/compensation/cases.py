"""Case files: small histories with the statements they must give. The format is described in cases/README.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from belt.core.ids import derived
from compensation.conflict import conflicts
from compensation.decisions import found, named, ruled
from compensation.documents import Fault, FaultyDocument, Written, load, read
from compensation.expand import Expander
from compensation.facts import Adjusted, Fact
from compensation.history import History
from compensation.months import Month
from compensation.notation import Moment, instant
from compensation.period import Close
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.reading import fact
from compensation.statement import Statement, statements
from conveyor_events import Amount, Envelope
from conveyor_events.words import VARIANTS


def _month(value: object) -> Month:
    return value if isinstance(value, Month) else Month.parse(str(value))


CaseMonth = Annotated[Month, BeforeValidator(_month)]


class Employment(Written):
    """How a person is paid, from and until a day (both included)."""

    role: str
    plan: str
    since: date
    until: date | None = None
    line: str | None = None
    recorded: Moment | None = None


class CaseRate(Written):
    """A rate of exchange on a business date."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    on: date
    rate: Amount
    id: str
    recorded: Moment | None = None


class CaseClose(Written):
    """A month closed with what was recorded by then."""

    month: CaseMonth
    on: Moment


class CaseRuling(Written):
    """How a conflict that the facts show was decided."""

    kind: str
    client: str
    outcome: Literal["credit_a", "credit_b", "split", "house", "dismissed"]
    on: Moment


class CaseAdjustment(Written):
    """An amount beside the rules, which two people agreed on."""

    person: str
    amount: Amount
    on: Moment
    reason: str
    asked_by: str = "asker"
    approved_by: str = "approver"
    relates_to: CaseMonth | None = None


class ExpectedLine(Written):
    """A line that must be there; what is not given may be anything."""

    rule: str
    amount: Amount
    kind: str | None = None
    state: str | None = None
    sale: str | None = None
    client: str | None = None
    version: int | None = None
    relates_to: CaseMonth | None = None
    base: Amount | None = None
    step: Amount | None = None
    day: int | None = None


class Expected(Written):
    """What one statement must say; what is not given may be anything."""

    person: str
    month: CaseMonth
    known_at: Moment | None = None
    payable: Amount | None = None
    earned: Amount | None = None
    fixed: Amount | None = None
    variable: Amount | None = None
    guarantee: Amount | None = None
    conditional: Amount | None = None
    carry_in: Amount | None = None
    carry_out: Amount | None = None
    rules: dict[str, Amount] = Field(default_factory=dict)
    lines: tuple[ExpectedLine, ...] = ()
    waiting: int = 0


class Branch(Written):
    """One way the common history goes on."""

    name: str
    facts: tuple[Any, ...] = ()
    rulings: tuple[CaseRuling, ...] = ()
    adjustments: tuple[CaseAdjustment, ...] = ()
    conflicts: tuple[str, ...] | None = None
    expect: tuple[Expected, ...]


class Case(Written):
    """A case file."""

    case: str
    story: str | None = None
    zone: str = "Europe/Berlin"
    currency: str = "EUR"
    line: str = "line"
    variant: str = next(iter(VARIANTS))  # the full line
    plans: tuple[Any, ...]
    staff: dict[str, Employment | list[Employment]]
    rates: tuple[CaseRate, ...] = ()
    closes: tuple[CaseClose, ...] = ()
    facts: tuple[Any, ...] = ()
    rulings: tuple[CaseRuling, ...] = ()
    adjustments: tuple[CaseAdjustment, ...] = ()
    conflicts: tuple[str, ...] | None = None
    """The kinds of conflict that the facts show, in the order of time; not given: any."""
    expect: tuple[Expected, ...] = ()
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the fold needs, for one branch of a case."""

    name: str
    zone: str
    envelopes: tuple[Envelope, ...]
    plans: tuple[PlanVersion, ...]
    assignments: tuple[Assignment, ...]
    rates: tuple[Rate, ...]
    closes: tuple[Close, ...]
    expect: tuple[Expected, ...]
    decided: tuple[Fact, ...] = ()
    conflicts: tuple[str, ...] | None = None

    @property
    def facts(self) -> list[Fact]:
        """Every fact of the scene, those of the house included."""
        return [*(fact(envelope) for envelope in self.envelopes), *self.decided]

    @property
    def history(self) -> History:
        return History(self.facts, zone=self.zone)

    def statements(
        self, history: History, person: str, months: Sequence[Month], known_at: datetime | None = None
    ) -> dict[Month, Statement]:
        """What the fold says."""
        return statements(history, self.plans, self.assignments, person, months, known_at, self.rates, self.closes)


def case_files(folder: Path) -> list[Path]:
    """The case files of a folder, in order."""
    return sorted(folder.glob("*.yaml"))


def load_case(path: Path) -> tuple[Case, list[Scene]]:
    """The case and its scenes: the common history, then each branch of it."""
    case = read(Case, load(path.read_text(encoding="utf-8")))
    if not case.expect and not case.branches:
        raise FaultyDocument([Fault("expect", "a case expects something, here or in its branches")])
    zone = ZoneInfo(case.zone)
    plans, assignments = tuple(_plans(case, zone)), tuple(_assignments(case, zone))
    known = {(version.plan.plan, version.plan.role) for version in plans}
    for a in assignments:
        if (a.plan, a.role) not in known:
            raise FaultyDocument([Fault(f"staff.{a.person}", f"there is no plan {a.plan!r} for a {a.role}")])
    closes = tuple(Close(c.month, instant(c.on, zone)) for c in case.closes)
    rates = tuple(Rate(r.id, r.source, r.target, r.on, r.rate, instant(r.recorded or r.on, zone)) for r in case.rates)
    scenes = []
    for branch in (*([Branch(name="", expect=case.expect)] if case.expect else []), *case.branches):
        expander = Expander(
            case=path.stem, zone=case.zone, line=case.line, variant=case.variant, currency=case.currency
        )
        common = [e for i, written in enumerate(case.facts) for e in expander.expand(f"facts[{i}]", written)]
        own = [
            e
            for i, written in enumerate(branch.facts)
            for e in expander.expand(f"branches[{branch.name}].facts[{i}]", written)
        ]
        envelopes = (*common, *own)
        decided = tuple(_decided(case, branch, envelopes, zone))
        shown = branch.conflicts if branch.name else case.conflicts
        basis = plans, assignments, rates, closes
        scenes.append(Scene(branch.name, case.zone, envelopes, *basis, branch.expect, decided, shown))
    return case, scenes


def _decided(case: Case, branch: Branch, envelopes: Sequence[Envelope], zone: ZoneInfo) -> Iterator[Fact]:
    """The conflicts that the facts show, how they were decided, and adjustments."""
    cases = conflicts(envelopes)
    recorded = {str(envelope.id): envelope.recorded_at for envelope in envelopes}
    yield from (found(one, recorded) for one in cases)
    for ruling in (*case.rulings, *branch.rulings):
        about = named(cases, ruling.kind, ruling.client)
        if not about:
            raise FaultyDocument([Fault("rulings", f"there is no conflict {ruling.kind} about {ruling.client!r}")])
        yield ruled(about[-1], ruling.outcome, instant(ruling.on, zone))
    for number, a in enumerate((*case.adjustments, *branch.adjustments)):
        name, at = f"{case.case}:{branch.name}:{number}", instant(a.on, zone)
        about_month = str(a.relates_to) if a.relates_to else None
        data = Adjusted(
            name, a.person, a.amount, case.currency, about_month, a.reason, a.asked_by, a.approved_by
        )  # fmt: skip
        yield Fact(derived(name), "AdjustmentPosted", at, at, None, None, data)


def _plans(case: Case, zone: ZoneInfo) -> Iterator[PlanVersion]:
    """A name stands for a plan that comes with the service; a document may say when it was `recorded`."""
    for number, written in enumerate(case.plans):
        try:
            recorded = None
            if isinstance(written, dict):
                moment = read(_Recorded, {"recorded": written.get("recorded")}).recorded
                recorded = instant(moment, zone) if moment else None
                plan = parse({key: value for key, value in written.items() if key != "recorded"})
            else:
                plan = shipped(str(written))
        except FaultyDocument as wrong:
            raise FaultyDocument(
                [Fault(f"plans[{number}].{f.path}".rstrip("."), f.message) for f in wrong.faults]
            ) from wrong
        yield PlanVersion(plan, recorded or instant(plan.effective_from, zone))


class _Recorded(Written):
    recorded: Moment | None = None


def _assignments(case: Case, zone: ZoneInfo) -> Iterator[Assignment]:
    for person, written in case.staff.items():
        for e in written if isinstance(written, list) else [written]:
            recorded = instant(e.recorded or e.since, zone)
            yield Assignment(person, e.plan, e.role, e.since, recorded, e.until, e.line)
