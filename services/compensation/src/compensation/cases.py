"""Case files: small histories with the statements they must give. The format is described in cases/README.md."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
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
from compensation.laws import broken
from compensation.line import Line
from compensation.months import Month
from compensation.notation import Moment, instant
from compensation.period import Close
from compensation.plan import Assignment, PlanVersion, Rate, parse, shipped
from compensation.reading import fact
from compensation.statement import Statement, everybody, statements
from conveyor_events import Amount, Envelope
from conveyor_events.money import plain
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


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a statement does not say what the case expects."""

    scene: str
    person: str
    month: str
    what: str
    expected: str
    actual: str

    def __str__(self) -> str:
        scene = f"[{self.scene}] " if self.scene else ""
        return f"{scene}{self.person} {self.month} {self.what}: expected {self.expected}, got {self.actual}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went."""

    path: Path
    name: str
    checks: int
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        return not self.differences


def case_files(folder: Path) -> list[Path]:
    """The case files of a folder, in order."""
    return sorted(folder.glob("*.yaml"))


def run_case(path: Path) -> CaseResult:
    """Runs a case file through the fold. Raises FaultyDocument where the file cannot be read as a case."""
    case, scenes = load_case(path)
    found: list[Difference] = []
    checks = 0
    for scene in scenes:
        for differences in check(scene):
            checks += 1
            found.extend(differences)
    return CaseResult(path, case.case, checks, tuple(found))


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


def check(scene: Scene, history: History | None = None) -> Iterator[list[Difference]]:
    """The differences of each expected statement, and at last the laws that are broken."""
    facts = history or scene.history
    zone = ZoneInfo(scene.zone)
    if scene.conflicts is not None:
        shown = [case.kind for case in conflicts(scene.envelopes)]
        same = shown == list(scene.conflicts)
        yield [] if same else [Difference(scene.name, "all", "all", "conflicts", _text(scene.conflicts), _text(shown))]
    for expected in scene.expect:
        known_at = instant(expected.known_at, zone) if expected.known_at else None
        statement = scene.statements(facts, expected.person, [expected.month], known_at)[expected.month]
        yield list(_compare(scene.name, expected, statement))
    yield [Difference(scene.name, "all", "all", "law", "holds", law) for law in broken(facts, _all(scene, facts))]


def _all(scene: Scene, history: History) -> Iterator[Statement]:
    """Every statement of everybody from the first fact to the last month that is expected or happens."""
    zone = ZoneInfo(scene.zone)
    months = [e.month for e in scene.expect]
    months += [Month.of(envelope.occurred_at.astimezone(zone).date()) for envelope in scene.envelopes]
    for person in everybody(history, scene.assignments):
        wanted = list(min(months).through(max(months)))
        yield from scene.statements(history, person, wanted).values()


_AMOUNTS = ("payable", "earned", "fixed", "variable", "guarantee", "conditional", "carry_in", "carry_out")


def _compare(scene: str, expected: Expected, statement: Statement) -> Iterator[Difference]:
    month = f"{expected.month} known at {expected.known_at}" if expected.known_at else str(expected.month)

    def differs(what: str, wanted: object, actual: object) -> Difference:
        return Difference(scene, expected.person, month, what, _text(wanted), _text(actual))

    for name in _AMOUNTS:
        wanted, actual = getattr(expected, name), getattr(statement.total, name)
        if wanted is not None and wanted != actual:
            yield differs(name, wanted, actual)
    for rule, wanted in expected.rules.items():
        mine = [line.amount for line in statement.lines if line.rule == rule and line.state == "earned"]
        if sum(mine, Decimal(0)) != wanted:
            yield differs(f"earned by {rule}", wanted, sum(mine, Decimal(0)))
    if len(statement.waiting) != expected.waiting:
        yield differs("waiting", expected.waiting, "; ".join(w.reason for w in statement.waiting) or "nothing")
    left = list(statement.lines)
    for line in expected.lines:
        match = next((candidate for candidate in left if _matches(line, candidate)), None)
        if match is None:
            near = [_line_text(candidate) for candidate in left if candidate.rule == line.rule]
            yield differs(
                "line", ", ".join(f"{k} {_text(v)}" for k, v in line if v is not None), near or "no such line"
            )
        else:
            left.remove(match)


def _matches(expected: ExpectedLine, line: Line) -> bool:
    actual: dict[str, object] = {
        "rule": line.rule,
        "amount": line.amount,
        "kind": line.kind,
        "state": line.state,
        "sale": line.sale_id,
        "client": line.client_id,
        "version": line.version,
        "relates_to": line.relates_to,
        "base": line.calc.base,
        "step": line.calc.step,
        "day": line.calc.day,
    }
    return all(wanted is None or wanted == actual[name] for name, wanted in expected)


def _line_text(line: Line) -> str:
    return f"{line.kind} {line.rule} {plain(line.amount)} {line.state} {line.sale_id or ''}".strip()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return ", ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
