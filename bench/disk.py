"""The servers that a measurement uses: durable as in production, gone when it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from conveyor_local.home import stack_home
from conveyor_local.stack import Stack

BUFFERS = 512  # MB: a quarter of the memory of a service's database, as deploy/k8s has it


@contextmanager
def on_disk(name: str, databases: int | None = None) -> Iterator[Stack]:
    """PostgreSQL with fsync and Kafka, their data on a disk: in memory, where tests have it, a commit costs nothing.

    `databases`: so many lie in this one server, each with the buffers that it has in production on its own.
    """
    home, settings = stack_home(f"bench-{name}-{os.getpid()}"), {}
    if databases is not None:
        settings["shared_buffers"] = f"{databases * BUFFERS}MB"
    stack = Stack.start(home=home, name=f"bench-{name}", attached=True, settings=settings)
    try:
        yield stack
    finally:
        stack.stop()
