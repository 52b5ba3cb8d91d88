"""Every correction of a closed month has an id of its own, and what was ever closed keeps its ids and its digest."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pay_histories import ZONE

from compensation.cases import load_case
from compensation.digest import of_statement
from compensation.history import History
from compensation.known import Known
from compensation.line import Calc, Line, State, total
from compensation.months import Month
from compensation.period import corrections

CASES = Path(__file__).parent.parent / "cases"
NOTHING_KNOWN = Known(History(zone=ZONE))
CLOSED = [Month(2026, n) for n in (1, 2, 3)]


def line(month: Month, amount: Decimal, state: State) -> Line:
    return Line(
        line_id=UUID(int=7), person="boris", period=month, kind="release", amount=amount, currency="EUR", state=state,
        plan="p", version=1, rule="H1", causes=(), calc=Calc(),
    )  # fmt: skip


places = st.builds(line, st.sampled_from(CLOSED), st.decimals("0.01", "999.99", places=2), st.just("earned"))
contested = st.builds(line, st.sampled_from(CLOSED), st.decimals("0.01", "999.99", places=2), st.just("conditional"))


@given(places, st.lists(st.one_of(st.none(), places, contested), min_size=1, max_size=6))
def test_a_line_that_moves_between_closed_months_is_corrected_in_each_by_a_line_of_its_own(
    at_first: Line, later: list[Line | None]
) -> None:
    """Where it stands is frozen again after each move."""
    frozen, into = [at_first], Month(2026, 4)
    cutoffs = {month: datetime(2026, 4, 5, tzinfo=UTC) for month in CLOSED}
    for now in later:
        posting = list(corrections([now] if now else [], frozen, into, cutoffs, NOTHING_KNOWN))
        assert [one.corrects for one in posting] == [at_first.line_id] * len(posting)
        frozen += posting
        for month in CLOSED:
            for state in ("earned", "conditional"):
                stands = [one for one in frozen if (one.relates_to or one.period, one.state) == (month, state)]
                assert total(stands) == (now.amount if now and (now.period, now.state) == (month, state) else 0)
        cutoffs[into] = datetime(2026, into.number, 5, tzinfo=UTC) + timedelta(days=31)
        into = into.plus(1)
    assert len({one.line_id for one in frozen}) == len(frozen)


@given(places, places)
def test_the_month_that_a_line_leaves_is_corrected_by_the_id_it_has_alone(before: Line, after: Line) -> None:
    cutoffs = {month: datetime(2026, 4, 5, tzinfo=UTC) for month in CLOSED}

    def posted(*recomputed: Line) -> dict[Month | None, UUID]:
        made = corrections(recomputed, [before], Month(2026, 4), cutoffs, NOTHING_KNOWN)
        return {one.relates_to: one.line_id for one in made}

    gone = posted()
    assert posted(after).get(before.period, gone[before.period]) == gone[before.period]


@pytest.mark.parametrize(
    ("name", "person", "month", "digest", "ids"),
    [
        (
            "33-late-facts", "boris", 4, "8fd55104677b6d653bd7f7eebf471054904425e86c784a112b95035c4c59bd34",
            [
                "74daa5ef-ea01-554c-9b6b-dd33cb6a4344", "823f0769-40c0-5506-9b75-266333ce6f0b",
                "66c86f54-d706-5a65-bbfb-88265dad7f23", "ecc3ce22-f596-5f1e-a662-54bfc1d3e76c",
            ],
        ),
        (
            "33-late-facts", "dina", 5, "facbec79821eb0ae50c232c0c3dd918c2823bfe5117c4f017460a522cb4735d9",
            ["05ac8de8-28e0-567f-ba3c-04904c116ec0", "8eed0aa1-11f3-5000-bbf4-b456c475a821"],
        ),
        (
            "36-decided-after-the-close", "boris", 5,
            "fdb883564b5d75ec8fa47ae5ade344a809a8836d01071e9d07e2930c6b101891",
            ["e5a26586-3d03-58e2-873a-ad80edda8a7a"],
        ),
        (
            "36-decided-after-the-close", "ana", 5,
            "3ff8cab455d7d2a7d0218319e6353121ed18087b44c69fbfe27e9372c9357104",
            ["abed1303-3620-5c5b-bd88-99b83020f6ad"],
        ),
    ],
)  # fmt: skip
def test_what_was_ever_closed_keeps_its_ids_and_its_digest(
    name: str, person: str, month: int, digest: str, ids: list[str]
) -> None:
    """Months were closed with these. Another id, or one more word in a calculation, and no replay gives them again."""
    told, period = load_case(CASES / f"{name}.yaml")[1][0], Month(2026, month)
    shown = told.statements(told.history, person, [period])[period].to_json()
    assert [one["line_id"] for one in shown["lines"] if one["kind"] == "correction"] == ids
    assert of_statement(shown["period"], person, shown["lines"], shown["totals"]) == digest
