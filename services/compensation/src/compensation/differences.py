"""A case run through the fold, and where its statements say otherwise than it expects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from compensation.cases import Expected, ExpectedLine, Scene, load_case
from compensation.conflict import conflicts
from compensation.history import History
from compensation.laws import broken
from compensation.line import Line
from compensation.months import Month
from compensation.notation import instant
from compensation.statement import Statement, everybody
from conveyor_events.money import plain


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
