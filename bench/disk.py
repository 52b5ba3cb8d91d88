"""The servers that a measurement uses: durable as in production, gone when it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from conveyor_local.home import stack_home
from conveyor_local.stack import Stack


@contextmanager
def on_disk(name: str) -> Iterator[Stack]:
    """PostgreSQL with fsync and Kafka, their data on a disk: in memory, where tests have it, a commit costs nothing."""
    stack = Stack.start(home=stack_home(f"bench-{name}-{os.getpid()}"), name=f"bench-{name}", attached=True)
    try:
        yield stack
    finally:
        stack.stop()
