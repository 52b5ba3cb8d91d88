"""A server is known by its id and its birth."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from conveyor_local import LocalStackError
from conveyor_local.home import claimed, free_port, is_free, stack_home
from conveyor_local.process import Server


def test_a_server_is_found_again_though_the_clock_has_been_corrected_and_a_stranger_with_its_id_is_not() -> None:
    born = psutil.Process().create_time()
    assert all(Server("us", os.getpid(), born + drift, Path()).alive() for drift in (-1.5, -1.0, 0.0, 1.0, 1.5))
    assert not any(Server("us", os.getpid(), born + away, Path()).alive() for away in (-60.0, 60.0))


def test_a_port_that_one_process_was_given_is_given_to_no_other_while_it_lives() -> None:
    """Nobody listens there yet: a server takes seconds to bind."""
    asks = "import sys; from conveyor_local.home import claimed; sys.exit(not claimed(int(sys.argv[1])))"
    port = free_port()
    assert is_free(port)
    assert subprocess.run([sys.executable, "-c", asks, str(port)], check=False).returncode == 1
    other = free_port()
    assert other != port
    keeps = "import sys; from conveyor_local.home import free_port; print(free_port(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", keeps], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        theirs = int(one.stdout.readline())
        assert not claimed(theirs)
        one.communicate(timeout=30)
    assert claimed(theirs)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "..", ".", ""])
def test_a_stack_whose_name_is_a_path_has_no_folder(name: str) -> None:
    with pytest.raises(LocalStackError, match="named by a word"):
        stack_home(name)


def test_a_home_that_cannot_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVEYOR_HOME", "/proc/x")
    with pytest.raises(LocalStackError, match=r"^/proc/x cannot be made \(No such file or directory\)"):
        stack_home("dev")
