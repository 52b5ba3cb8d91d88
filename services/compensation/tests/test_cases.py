"""Every case file holds, in any order of arrival and however often each event comes; a wrong one says what differs."""

from dataclasses import replace
from pathlib import Path

import pytest
from pay_histories import shuffled

from compensation.cases import case_files, load_case
from compensation.differences import CaseResult, check, run_case
from compensation.documents import FaultyDocument

FOLDER = Path(__file__).parent.parent / "cases"
FILES = case_files(FOLDER)


def test_there_are_cases() -> None:
    assert {"01", "02", "03", "04", "06", "09"} <= {path.name[:2] for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_case_holds(path: Path) -> None:
    result = run_case(path)
    assert result.ok, "\n".join(map(str, result.differences))
    assert result.checks > 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(5))
def test_the_case_holds_in_any_order_and_three_times(path: Path, seed: int) -> None:
    for scene in load_case(path)[1]:
        again = replace(scene, envelopes=tuple(shuffled(scene.envelopes * 3, seed)))
        assert [d for differences in check(again) for d in differences] == []


def run(folder: Path, text: str) -> CaseResult:
    path = folder / "case.yaml"
    path.write_text(text, encoding="utf-8")
    return run_case(path)


START = """
case: one sale
plans: [ref-hunter]
staff:
  boris: {role: hunter, plan: ref-hunter, since: 2026-01-01}
facts:
  - first sale: {sale: d1, client: acme, net: 100.00, converted_by: boris, on: 2026-03-10}
"""


def test_a_wrong_expectation_names_person_month_and_amounts(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        START + "expect: [{person: boris, month: 2026-03, payable: 1.00, rules: {H1: 2}, waiting: 1,"
        " lines: [{rule: H1, amount: 7.00}]}]\n",
    )
    assert [str(d) for d in result.differences] == [
        "boris 2026-03 payable: expected 1.00, got 500.00",
        "boris 2026-03 earned by H1: expected 2, got 0",
        "boris 2026-03 waiting: expected 1, got nothing",
        "boris 2026-03 line: expected rule H1, amount 7.00, got commission H1 6.00 conditional d1",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (START, "expect: a case expects something"),
        (START + "expects: []\n", "expects: this key is not known here"),
        (START + "expect: [{person: boris, month: 2026-13}]\n", "expect[0].month: '2026-13' is not a month"),
        (START + "expect: [{person: boris, month: 2026-03, pay: 1}]\n", "expect[0].pay: this key is not known here"),
        (START + "  - gift: {on: 2026-03-10}\nexpect: [{person: a, month: 2026-03}]\n", "facts[1]: 'gift' is no fact"),
        (
            START + "  - payment: {sale: d2, net: 1, on: 2026-03-10}\nexpect: [{person: a, month: 2026-03}]\n",
            "facts[1].payment: sale 'd2' is not in the file",
        ),
        (
            START + "  - payment: {sale: d1, net: 1.001, on: 2026-03-10}\nexpect: [{person: a, month: 2026-03}]\n",
            "facts[1].payment: ",
        ),
        (
            START + "  - payment: {sale: d1, net: 1, at: 2026-03-10}\nexpect: [{person: a, month: 2026-03}]\n",
            "facts[1].payment.on: this key is missing",
        ),
        (
            START + "  - refund: {sale: d1, net: 1, on: 2026-03-10}\nexpect: [{person: a, month: 2026-03}]\n",
            "facts[1].refund: payment None has 0 left, not 1",
        ),
        ("case: a\ncase: b\n", "line 2, column 1: 'case' is written twice"),
        ("- 1\n", "the document is not a mapping"),
        ("case: [\n", "line 2, column 1"),
    ],
)
def test_a_faulty_case_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(FaultyDocument) as caught:
        run(tmp_path, text)
    assert any(str(fault).startswith(says) for fault in caught.value.faults), caught.value.faults
