import json
import shutil
from pathlib import Path

import pytest

from conveyor_events.generate import CHECKOUT, GOLDEN, SAMPLES, SCHEMAS, main

SCHEMA = "libs/events/schemas/leads.LeadQualified.v1.json"
SAMPLE = "libs/events/samples/leads.LeadQualified.v1.json"


WRITTEN = ("libs/events/asyncapi.json", "docs/events.md", "deploy/k8s/components/strimzi/topics.yaml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in (SCHEMAS, SAMPLES, GOLDEN):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    for file in WRITTEN:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


def check(checkout: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    code = main(["--check", "--checkout", str(checkout)])
    lines = capsys.readouterr().err.splitlines()
    assert code == (1 if lines else 0)
    return lines


def test_all_that_is_generated_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(CHECKOUT, capsys) == []


@pytest.mark.parametrize("path", [SCHEMA, *WRITTEN, f"{GOLDEN}/conveyor.leads.v1.json"])
def test_a_changed_file_is_named(checkout: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    (checkout / path).write_text("{}\n")
    assert check(checkout, capsys) == [f"{path}: differs"]


def test_a_changed_sample_shows_in_all_that_is_made_of_it(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads((checkout / SAMPLE).read_text())
    (checkout / SAMPLE).write_text(json.dumps(event | {"correlationid": "another"}))
    golden = f"{GOLDEN}/conveyor.leads.v1.json"
    assert check(checkout, capsys) == ["libs/events/asyncapi.json: differs", f"{golden}: differs"]


def test_a_missing_file_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / SCHEMA).unlink()
    (checkout / SAMPLE).unlink()
    assert check(checkout, capsys) == [f"{SCHEMA}: missing", f"{SAMPLE}: missing; samples are written by hand"]


def test_a_stray_file_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stray = "libs/events/schemas/leads.LeadTasted.v1.json"
    (checkout / stray).write_text("{}\n")
    assert check(checkout, capsys) == [f"{stray}: no such event in the catalog"]


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"data": {}}, "cannot be read"),
        ({"id": "nothing"}, "cannot be read"),
        ({"schemaversion": 2}, "cannot be read"),
        ({"type": "conveyor.leads.LeadTasted"}, "cannot be read"),
    ],
)
def test_a_sample_that_does_not_open_is_named(
    checkout: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], trouble: str
) -> None:
    event = json.loads((checkout / SAMPLE).read_text())
    (checkout / SAMPLE).write_text(json.dumps({**event, **change}))
    assert [line.startswith(f"{SAMPLE}: {trouble}") for line in check(checkout, capsys)] == [True]


def test_a_sample_under_a_wrong_name_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(checkout / "libs/events/samples/leads.LeadReturned.v1.json", checkout / SAMPLE)
    assert check(checkout, capsys) == [f"{SAMPLE}: holds conveyor.leads.LeadReturned version 1"]


def test_writing_mends_what_is_generated(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / SCHEMA).unlink()
    (checkout / "docs/events.md").write_text("")
    assert main(["--checkout", str(checkout)]) == 0
    assert check(checkout, capsys) == []


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--check", "--checkout", str(tmp_path)])
