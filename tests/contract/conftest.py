"""What contracts are held against: the whole line over HTTP, and what the services' own tests tell of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = (HERE, HERE.parent / "journey", *sorted((HERE.parents[1] / "services").glob("*/tests")))
sys.path[:0] = [str(folder) for folder in SHARED]

from http_line import HttpLine, http_line  # noqa: E402 (found by the path above)


@pytest.fixture(scope="session")
def http_served() -> Iterator[HttpLine]:
    """Real PostgreSQL, real Kafka, four service processes, a firm at work."""
    with http_line() as line:
        yield line
