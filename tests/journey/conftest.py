"""The whole line once for all journeys: real PostgreSQL, real Kafka, four service processes, the board."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conveyor.processes import Wish, passing
from conveyor.running import Running

sys.path.insert(0, str(Path(__file__).parent))

from journey_secrets import Client, say_everything
from received_spans import Collector, collecting


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the services send their traces: none but those that a caller asks for."""
    with collecting() as found, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONVEYOR_OTLP_ENDPOINT", found.address)
        environment.setenv("CONVEYOR_TRACE_RATIO", "0")
        environment.setenv("CONVEYOR_WATCH_EVERY", "1")
        yield found


@pytest.fixture(scope="session")
def running(collector: Collector) -> Iterator[Running]:
    with passing(Wish("journey", pages=True), lambda _: None) as services:
        yield services


@pytest.fixture(scope="session")
def told(running: Running) -> Client:
    """A client about whom everything is said."""
    return asyncio.run(say_everything(running))
