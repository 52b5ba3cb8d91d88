"""Every guard barks: a seeded violation of each rule is found, and the same code where it is allowed is not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checks import guards, links

ROOT = Path(guards.__file__).parent.parent
SCRIPTS = Path(sys.executable).parent


def run(*command: str | Path, text: str | None = None, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(cwd)}
    return subprocess.run(
        command, input=text, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


# --- style: a domain file has no clock, no chance, no ids


@pytest.mark.parametrize(
    "seed",
    [
        "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
        "import uuid\n\nID = uuid.uuid4()\n",
        "from uuid import uuid4\n\nID = uuid4()\n",
        "import random\n\nCHANCE = random.random()\n",
        "import time\n\nNOW = time.time()\n",
        "import uuid_utils\n\nID = uuid_utils.uuid7()\n",
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        "services/conversion/src/conversion/opportunity.py",
        "libs/belt/src/belt/core/handover.py",
        "libs/events/src/conveyor_events/roster.py",
    ],
)
def test_a_domain_file_has_no_clock_no_chance_and_no_ids(seed: str, place: str) -> None:
    assert "TID251" in run(SCRIPTS / "ruff", "check", "--stdin-filename", place, "-", text=seed).stdout


def test_the_doors_may_have_a_clock() -> None:
    seed = '"""The API."""\n\nfrom datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n'
    for place in ("services/conversion/src/conversion/api.py", "libs/belt/src/belt/io/clock.py"):
        found = run(SCRIPTS / "ruff", "check", "--stdin-filename", place, "-", text=seed)
        assert found.returncode == 0, found.stdout


def test_a_naive_time_is_found() -> None:
    seed = '"""The API."""\n\nfrom datetime import datetime\n\nNOW = datetime(2026, 1, 1)\n'
    place = "services/conversion/src/conversion/api.py"
    assert "DTZ001" in run(SCRIPTS / "ruff", "check", "--stdin-filename", place, "-", text=seed).stdout


# --- types


UNTYPED = "def f(x):\n    return x\n"
FORGOTTEN = "async def f() -> int:\n    return 1\n\n\nasync def g() -> None:\n    f()\n"
OPEN_MATCH = """\
from typing import Literal

def f(x: Literal["a", "b"]) -> None:
    match x:
        case "a":
            print(x)
"""


@pytest.mark.parametrize(
    ("seed", "error"),
    [(UNTYPED, "no-untyped-def"), (FORGOTTEN, "unused-coroutine"), (OPEN_MATCH, "exhaustive-match")],
)
def test_a_hole_in_the_types_is_found(tmp_path: Path, seed: str, error: str) -> None:
    path = tmp_path / "seeded.py"
    path.write_text(seed)
    config = ROOT / "pyproject.toml"
    found = run(SCRIPTS / "mypy", "--config-file", config, "--cache-dir", tmp_path / "cache", path, cwd=tmp_path)
    assert f"[{error}]" in found.stdout, found.stdout + found.stderr


# --- arrows between packages


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small house with every package of ours and nothing wrong in it."""
    house = tmp_path_factory.mktemp("house")
    files = ["conveyor_events", "belt", "belt/core", "belt/io", "conveyor", "conveyor_local"]
    files += ["belt/io/http", "belt/io/intake", "belt/io/kafka", "belt/io/store"]
    files += ["lead_gen", "conversion", "account_mgmt", "compensation", "board", "board/drawing"]
    for package in files:
        (house / package).mkdir(parents=True)
        (house / package / "__init__.py").touch()
    (house / "lead_gen/prospect.py").write_text("import belt.core\nimport conveyor_events\n")
    (house / "lead_gen/api.py").write_text("import fastapi\nimport belt.io\nimport lead_gen.prospect\n")
    (house / "lead_gen/main.py").write_text("import lead_gen.api\n")
    for room in ("service", "running", "process", "parts"):
        (house / f"belt/io/{room}.py").write_text("import belt.io.http\n")
    for named in ("core/decider", "io/store/handle", "io/store/commit", "io/kafka/relay"):
        (house / f"belt/{named}.py").touch()
    for named in ("thing", "arithmetic", "document"):
        (house / f"board/{named}.py").write_text("import conveyor_events\n")
    shutil.copy(ROOT / ".importlinter", house)
    return house


@pytest.fixture
def house(packages: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packages, tmp_path / "house"))


def arrows(house: Path) -> "subprocess.CompletedProcess[str]":
    return run(SCRIPTS / "lint-imports", "--no-cache", cwd=house)


def test_the_small_house_is_in_order(house: Path) -> None:
    found = arrows(house)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("lead_gen/prospect.py", "conversion"),
        ("compensation/facts.py", "lead_gen.prospect"),
        ("belt/io/http/app.py", "lead_gen"),
        ("belt/io/store/calls.py", "belt.io.http"),
        ("belt/io/kafka/relay.py", "belt.io.intake"),
        ("belt/io/http/doors.py", "belt.io.running"),
        ("belt/io/process.py", "belt.io.running"),
        ("belt/core/decider.py", "belt.io"),
        ("belt/core/decider.py", "asyncpg"),
        ("lead_gen/prospect.py", "fastapi"),
        ("lead_gen/prospect.py", "belt.io"),
        ("lead_gen/reactions.py", "lead_gen.api"),
        ("conveyor_events/roster.py", "belt.core"),
        ("conveyor_events/roster.py", "sqlalchemy"),
        ("conveyor/main.py", "lead_gen.prospect"),
        ("conveyor/main.py", "belt.core"),
        ("conveyor_local/stack.py", "belt.io"),
        ("board/apis.py", "compensation"),
        ("board/main.py", "belt.io.service"),
        ("board/sessions.py", "belt.io.store.handle"),
        ("board/thing.py", "asyncpg"),
        ("board/drawing/band.py", "belt.io"),
        ("conveyor/main.py", "board"),
    ],
)
def test_an_arrow_the_wrong_way_is_found(house: Path, importer: str, imported: str) -> None:
    with (house / importer).open("a") as code:
        code.write(f"import {imported}\n")
    found = arrows(house)
    assert found.returncode == 1
    assert "BROKEN" in found.stdout, found.stdout


def test_a_detour_to_a_framework_is_found(house: Path) -> None:
    (house / "lead_gen/papers.py").write_text("import sqlalchemy\n")
    (house / "lead_gen/prospect.py").write_text("import lead_gen.papers\n")
    assert "lead_gen.papers -> sqlalchemy" in arrows(house).stdout


# --- drift of generated files


def test_a_schema_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    library = tmp_path / "libs/events"
    shutil.copytree(ROOT / "libs/events", library)
    for folder in ("docs", "deploy/k8s"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    check = [sys.executable, "-m", "conveyor_events.generate", "--check"]
    assert run(*check, cwd=library / "src").returncode == 0
    schema = min(library.glob("schemas/*.json"))
    schema.write_text(schema.read_text().replace('"type"', '"kind"', 1))
    found = run(*check, cwd=library / "src")
    assert found.returncode == 1
    assert schema.name in found.stdout + found.stderr


# --- the repository's own guards


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the guards look at besides the seeds: the tables of variants and codes, and a lock that fits."""
    table = tmp_path / guards.VARIANTS_LIVE_IN
    table.parent.mkdir(parents=True)
    shutil.copy(ROOT / guards.VARIANTS_LIVE_IN, table)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pydantic>=2"]\n')
    (tmp_path / "requirements.lock").write_text("pydantic==2.14.3 \\\n    --hash=sha256:00\n")
    codes = tmp_path / guards.BELTS_CODES
    codes.parent.mkdir(parents=True)
    codes.write_text('CODES: dict[str, Code] = {"internal": Code(500, "A fault of ours")}\n')
    (tmp_path / guards.METRICS).write_text('REFUSED = _counter("refused", "Refusals")\n')
    (codes.parent / "limits.py").write_text("REFUSED.inc()\n")
    (codes.parent / "problems.py").write_text('raise Refused("internal")\n')
    return tmp_path


Guard = Callable[[Path], Iterator[str]]
SEEDS: list[tuple[Guard, str, str]] = [
    (guards.belt_knows_no_sales, "libs/belt/src/belt/io/kafka/relay.py", "def hand_to_hunter() -> None: ...\n"),
    (guards.belt_knows_no_sales, "libs/belt/src/belt/core/work.py", "class LeadState: ...\n"),
    (guards.belt_knows_no_sales, "libs/belt/src/belt/io/store/schema.sql", "create table leads ();\n"),
    (guards.variants_have_one_table, "services/conversion/src/conversion/x.py", 'ok = v == "scout-hunter"\n'),
    (guards.names_say_what_is_inside, "services/conversion/src/conversion/utils.py", ""),
    (guards.names_say_what_is_inside, "libs/belt/src/belt/common/x.py", ""),
    (guards.lock_fits, "cli/pyproject.toml", '[project]\nname = "y"\ndependencies = ["not-in-the-lock>=1"]\n'),
    (guards.lock_fits, "cli/pyproject.toml", '[project]\nname = "y"\ndependencies = ["pydantic>=3"]\n'),
    (guards.lock_fits, "requirements.lock", "pydantic==2.14.3\n"),
    (guards.lock_fits, "requirements.lock", "--index-url x\npydantic==2.14.3 \\\n    --hash=sha256:00\n"),
    (guards.no_index_address, "Makefile", "get https://example.org/sim" + "ple/x\n"),
    (links.links_lead_somewhere, "docs/tour.md", "see [the other](nowhere.md)\n"),
    (links.links_lead_somewhere, "docs/tour.md", "# Here\n[there](#there)\n"),
    (links.links_lead_somewhere, "docs/tour.md", "over two [lines\nof text](nowhere.md)\n"),
    (links.links_lead_somewhere, "docs/tour.md", "[`gone`](../libs/events/src/conveyor_events/words.py)\n"),
    (links.documents_are_listed, "docs/unheard-of.md", "# A page\n"),
    (guards.metrics_are_measured, guards.METRICS, 'NEVER_SEEN = _gauge("never_seen", "Nothing")\n'),
    (guards.metrics_are_measured, "services/x/src/x/seen.py", 'NEVER_SEEN = gauge("never_seen", "Nothing")\n'),
    (guards.stations_read_in_one_sitting, "services/conversion/src/conversion/deal.py", "DEAL = 1\n"),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'raise Refused("sale.unheard-of")\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'raise Refused("internal" if x else "sale.unheard-of")\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'code = "sale.unheard-of"\nraise Refused(code)\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'code, by = "sale.unheard-of", 1\nraise Refused(code)\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'raise decider.Refused(code="sale.unheard-of")\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'raise Refused(f"sale.{kind}")\n'),
    (guards.refusals_have_codes, "services/x/src/x/sale.py", 'raise Refused("sale." + kind)\n'),
    (guards.refusals_have_codes, "services/x/src/x/codes.py", 'CODES: dict[str, int] = {"sale.never": (409, "")}\n'),
    (guards.refusals_have_codes, guards.BELTS_CODES, 'CODES: dict[str, int] = {"internal": 1, "never": 2}\n'),
]


@pytest.mark.parametrize(("guard", "place", "seed"), SEEDS)
def test_each_guard_barks(checkout: Path, guard: Guard, place: str, seed: str) -> None:
    assert not list(guard(checkout)), "quiet before the seed"
    path = checkout / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(seed)
    assert list(guard(checkout))


def test_every_guard_has_a_seed() -> None:
    assert {guard for guard, _, _ in SEEDS} == set(guards.GUARDS)


def test_a_thirteenth_room_is_one_too_many(checkout: Path) -> None:
    package = checkout / "services/conversion/src/conversion"
    package.mkdir(parents=True)
    more = [f"stream_{n}" for n in range(guards.MOST_ROOMS - len(guards.SAME_ROOMS))]
    for room in (*guards.SAME_ROOMS, *more):
        (package / f"{room}.py").touch()
    assert not list(guards.stations_read_in_one_sitting(checkout))
    (package / "one_more.py").touch()
    assert list(guards.stations_read_in_one_sitting(checkout))


def test_a_link_may_name_what_is_in_the_file(checkout: Path) -> None:
    path = checkout / "docs/tour.md"
    path.parent.mkdir(parents=True)
    words = "../libs/events/src/conveyor_events/words.py"
    path.write_text(f"[`changes_hands`]({words}) [`Seat.person`]({words}) [`VARIANTS`]({words}) [the file]({words})\n")
    assert not list(links.links_lead_somewhere(checkout))


def test_a_leader_is_no_lead(checkout: Path) -> None:
    path = checkout / "libs/belt/src/belt/io/kafka/relay.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("LEADER = 1\nmisleading = leadership = None\n")
    assert not list(guards.belt_knows_no_sales(checkout))


# --- skips


@pytest.mark.parametrize(
    ("test", "with_ban"),
    [
        ("def test_x() -> None: pytest.skip('no node here')", 1),
        ("pytest.importorskip('no_such_module_at_all')", 1),
        ("@pytest.mark.skip(reason='tired')\ndef test_x() -> None: ...", 1),
        ("def test_x() -> None: pytest.skip('shared data absent: olist')", 0),
        ("def test_x() -> None: pytest.skip('no browser: apt-get install chromium')", 0),
        ("def test_x() -> None: ...", 0),
    ],
)
def test_a_skip_is_a_failure_where_none_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str, with_ban: int
) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text().replace("pytest_plugins", "_"))
    (tmp_path / "test_seed.py").write_text(f"import pytest\n\n{test}\n")
    monkeypatch.setenv("CONVEYOR_NO_SKIP", "1")
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_seed.py"]
    assert run(*pytest_run, "-n1", cwd=tmp_path).returncode == with_ban, "in a process beside, as `make test` does"
    monkeypatch.delenv("CONVEYOR_NO_SKIP")
    assert run(*pytest_run, cwd=tmp_path).returncode in (0, 5)
