"""The whole line for contracts over HTTP: real PostgreSQL, real Kafka, four service processes, a firm at work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "journey")]

from http_line import HttpLine, http_line  # noqa: E402 (found by the path above)


@pytest.fixture(scope="session")
def http_served() -> Iterator[HttpLine]:
    with http_line() as line:
        yield line
