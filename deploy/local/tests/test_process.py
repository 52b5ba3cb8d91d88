"""A server is known by its id and its birth."""

import os
from pathlib import Path

import psutil

from conveyor_local.process import Server


def test_a_server_is_found_again_though_the_clock_has_been_corrected_and_a_stranger_with_its_id_is_not() -> None:
    born = psutil.Process().create_time()
    assert all(Server("us", os.getpid(), born + drift, Path()).alive() for drift in (-1.5, -1.0, 0.0, 1.0, 1.5))
    assert not any(Server("us", os.getpid(), born + away, Path()).alive() for away in (-60.0, 60.0))
