"""Runbooks say nothing that is not there: commands, doors, settings and log lines exist; every page is in the index."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema_rs import Draft202012Validator

from belt.io.service import ROLES
from belt.io.settings import Settings
from board.main import ROLES as BOARDS_ROLES
from checks.docs.apps import services
from checks.docs.questions import QUESTIONS
from checks.k8s.rendering import ROOT
from checks.k8s.watching import PROCEDURES, RUNBOOKS
from conveyor.addresses import SERVICES, variable
from conveyor.main import app

PAGES = {file.name: file.read_text() for file in sorted(RUNBOOKS.glob("*.md"))}
COMMAND = re.compile(r"`conveyor ([a-z]+)(?: ([a-z]+))?((?: --[a-z-]+)?)")
MODULE = re.compile(r"python3? -m ([a-zA-Z_.]+) ([a-z-]+)|as_job [a-z-]+ ([a-z_]+) ([a-z-]+)")
BODY = re.compile(r"`tell ([a-z-]+) (/[^\s`]*)(?:\s+'([^']*)')?`")
DOOR = re.compile(
    r"\b(ask|tell) (SERVICE|PUBLISHER|lead-gen|conversion|account-mgmt|compensation) '?(/[^\s'`?)]*)(?:\?([^\s'`]*))?"
)
SETTING = re.compile(r"\bCONVEYOR_([A-Z_]+)\b")
LOG = re.compile(r"`([a-z]+\.[a-z_]+)(?: … [a-z]+)?`")
PANEL = re.compile(r'panels? ((?:"[^"]+"(?:, | and )?(?:\([^)]*\) and )?)+)')
NO_LOGS = {"catalog.py", "alerts.yaml", "rates.csv", "retention.ms", "retention.bytes"}


def shown(kind: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for page, text in PAGES.items():
        yield from ((page, found) for found in kind.finditer(text))


def test_every_command_of_ours_is_one() -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    seen = 0
    for page, found in shown(COMMAND):
        assert found[1] in commands, f"{page}: {found[0]}"
        command = commands[found[1]]
        if inner := getattr(command, "commands", None):
            assert found[2] in inner, f"{page}: {found[0]}"
            command = inner[found[2]]
        if option := found[3].strip():
            assert option in {name for each in command.params for name in each.opts}, f"{page}: {found[0]}"
        seen += 1
    assert seen >= 10


def test_every_role_of_a_service_is_one() -> None:
    packages = {service.package for service in services()} | {"SERVICE", "PUBLISHER"}
    found = [(page, each[1] or each[3], each[2] or each[4]) for page, each in shown(MODULE)]
    assert len(found) > 10
    for page, package, role in found:
        if package == "board":
            assert role in BOARDS_ROLES, f"{page}: {role}"
        elif package != "conveyor_events.generate":
            assert package in packages, f"{page}: {package}"
            assert role in ROLES, f"{page}: {role}"


def test_every_door_is_one() -> None:
    paths = {
        service.name: json.loads((ROOT / f"docs/openapi/{service.name}.json").read_text())["paths"]
        for service in services()
    }
    seen = 0
    for page, found in shown(DOOR):
        method = "get" if found[1] == "ask" else "post"
        # what is written in capitals, or is a number, stands for a part that changes
        like = re.compile(re.sub(r"[A-Z]{2,}|\d{4}-\d\d", r"[^/]+", found[3]) + "$")
        for service in paths if found[2] in ("SERVICE", "PUBLISHER") else [found[2]]:
            doors = {path for path, methods in paths[service].items() if method in methods} | {"/readyz"}
            assert any(like.match(door) for door in doors), f"{page}: {found[0]}"
            if found[4]:
                door = next(
                    methods for path, methods in paths[service].items() if like.match(path) and method in methods
                )
                known = {each["name"] for each in door[method]["parameters"] if each["in"] == "query"}
                asked = {word.partition("=")[0] for word in found[4].split("&")}
                assert asked <= known, f"{page}: {found[0]}"
                # of one key, or of all of them: the feed refuses half a question
                assert ("key" in asked) == ("after_sequence" in asked), f"{page}: {found[0]}"
        seen += 1
    assert seen > 20


def test_every_body_that_is_told_is_one_and_needs_no_right_to_act_for_others() -> None:
    described = {
        service.name: json.loads((ROOT / f"docs/openapi/{service.name}.json").read_text()) for service in services()
    }
    seen = 0
    for page, found in shown(BODY):
        like = re.compile(re.sub(r"[A-Z]{2,}|\d{4}-\d\d", r"[^/]+", found[2]) + "$")
        said = json.loads(found[3] or "{}")
        assert "by" not in said, f"{page}: {found[0]}"
        whole = described[found[1]]
        door = next(
            methods["post"] for path, methods in whole["paths"].items() if like.match(path) and "post" in methods
        )
        body = door["requestBody"]["content"]["application/json"]["schema"]
        faults = Draft202012Validator(body | {"components": whole["components"]}).iter_errors(said)
        assert [fault.message for fault in faults] == [], f"{page}: {found[0]}"
        seen += 1
    assert seen >= 9


def functions() -> str:
    """What the index has one copy into a shell, with nobody there who is asked."""
    blocks = re.findall(r"^```\n(.*?)^```", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in blocks if "() {" in block)


def in_a_shell(stubs: str, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-uc", f"TOKEN=opens\n{stubs}\n{functions()}\nwait\n{command}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


CURL = """kubectl() { :; }
curl() { printf '%s\\0' "$@"; }
"""


@pytest.mark.parametrize(
    ("command", "path", "body"),
    [
        ("tell compensation /v1/periods/2026-03/close", "localhost:8004/v1/periods/2026-03/close", {}),
        (
            """tell conversion /v1/offers/o1/accept '{"to": "vera"}'""",
            "localhost:8002/v1/offers/o1/accept",
            {"to": "vera"},
        ),
        ("""tell lead-gen /v1/x '{"a": {"b": "c d"}}'""", "localhost:8001/v1/x", {"a": {"b": "c d"}}),
    ],
)
def test_what_is_told_arrives_as_json(command: str, path: str, body: dict[str, Any]) -> None:
    done = in_a_shell(CURL, command)
    assert done.returncode == 0, done.stderr
    given = done.stdout.split("\0")[:-1]
    assert json.loads(given[given.index("--json") + 1]) == body
    assert given[-1] == path
    assert "Authorization: Bearer opens" in given
    assert any(re.fullmatch(r"Idempotency-Key: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", word) for word in given)


def test_what_is_asked_goes_to_the_service() -> None:
    done = in_a_shell(CURL, "ask account-mgmt '/v1/offers?line=LINE'")
    assert done.stdout.split("\0")[:-1] == [
        "-sS",
        "-H",
        "Authorization: Bearer opens",
        "localhost:8003/v1/offers?line=LINE",
    ]


JOBS = """jq() { cat; }
sleep() { :; }
tries=0
kubectl() {
    case " $* " in
    *" get deployment/lead-gen-worker "*) echo '{}' ;;
    *" create "*) cat > /dev/null; echo created; return CREATED ;;
    *" logs "*) tries=$((tries + 1)); [ $tries -gt 2 ] && echo "the log" ;;
    *" wait "*) return SUCCEEDED ;;
    *" delete "*) echo deleted ;;
    esac
}
"""


@pytest.mark.parametrize(
    ("created", "succeeded", "said", "code"),
    [
        (0, 0, ["created", "the log", "deleted"], 0),
        (0, 1, ["created", "the log", "failed; kept: job/lead-gen-by-hand"], 1),
        (1, 0, ["created"], 1),
    ],
)
def test_a_job_by_hand_shows_its_log_and_stays_if_it_failed(
    created: int, succeeded: int, said: list[str], code: int
) -> None:
    stubs = JOBS.replace("CREATED", str(created)).replace("SUCCEEDED", str(succeeded))
    done = in_a_shell(stubs, "as_job lead-gen lead_gen verify")
    assert done.stdout.splitlines() == said, done.stderr
    assert done.returncode == code


CUT = """kubectl() {
    case " $* " in
    *" get job/lead-gen-migrate "*) cat TEMPLATE ;;
    *" create "*) cat >&2 ;;
    esac
}
"""


def test_a_job_by_hand_is_cut_from_another_with_its_words_and_without_the_labels_of_that_one(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq absent: apt-get install jq")
    ours, of_the_job = {"app.kubernetes.io/component": "migrate"}, {"batch.kubernetes.io/controller-uid": "7"}
    pod = {"restartPolicy": "OnFailure", "containers": [{"args": ["lead_gen", "migrate"], "startupProbe": {}}]}
    (tmp_path / "job.json").write_text(
        json.dumps({"spec": {"template": {"metadata": {"labels": ours | of_the_job}, "spec": pod}}})
    )
    command = "FROM=job/lead-gen-migrate as_job lead-gen lead_gen retire-reads --days 1095"
    done = in_a_shell(CUT.replace("TEMPLATE", str(tmp_path / "job.json")), command)
    template = json.loads(done.stderr)["spec"]["template"]
    assert template["metadata"]["labels"] == ours
    words = ["lead_gen", "retire-reads", "--days", "1095"]
    assert template["spec"] == {"restartPolicy": "Never", "containers": [{"args": words}]}


def test_every_setting_log_line_and_panel_is_one() -> None:
    of_the_command_line = {"CONVEYOR_TOKEN_FILE", *map(variable, SERVICES)}
    for page, found in shown(SETTING):
        assert found[1].lower() in Settings.model_fields or found[0] in of_the_command_line, f"{page}: {found[0]}"
    sources = "".join(
        path.read_text() for folder in ("libs/belt/src", "services") for path in (ROOT / folder).rglob("*.py")
    )
    lines = [(page, found[1]) for page, found in shown(LOG) if found[1] not in NO_LOGS]
    assert len(lines) > 10
    for page, line in lines:
        assert f'"{line}"' in sources, f"{page}: nobody logs {line}"
    titles = {panel.title for question in QUESTIONS.values() for panel in question.panels}
    panels = [
        (page, title) for page, found in shown(PANEL) for title in re.findall(r'"([^"]+)"', " ".join(found[1].split()))
    ]
    assert len(panels) > 15
    for page, title in panels:
        assert title in titles, f"{page}: no panel {title}"


@pytest.mark.parametrize("page", sorted(PAGES.keys() - {"README.md"}))
def test_a_page_is_in_the_index_and_short(page: str) -> None:
    assert f"]({page})" in PAGES["README.md"]
    assert len(PAGES[page].splitlines()) < (75 if Path(page).stem in PROCEDURES else 35)
