"""Pytest fixtures on real servers, for every member of the workspace (registered in the root conftest.py).

    async def test_something(database: str, topic_prefix: str, stack: Stack) -> None: ...

`stack` starts once for the session and ends with it. `database` is a fresh copy of the `template` that a member's own
conftest names; `new_database` makes more of them. Topics are told apart by `topic_prefix`; `new_topics` makes them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from itertools import count
from uuid import uuid4

import pytest
import pytest_asyncio

from conveyor_local.admin import catalog_topics
from conveyor_local.stack import Stack

NewDatabase = Callable[..., Awaitable[str]]
NewTopics = Callable[..., Awaitable[dict[str, str]]]

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the servers, so that `-m "not stack"` runs the rest without them."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and Kafka for this session, without fsync; given ones where the environment names them."""
    running = Stack.start(name="test", fast=True, attached=True)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def template() -> str | None:
    """The database that `database` copies; a member overrides this with one it has migrated. None: an empty one."""
    return None


@pytest_asyncio.fixture
async def new_database(stack: Stack, template: str | None) -> AsyncIterator[NewDatabase]:
    """`await new_database()` copies the template, `await new_database(name)` another; returns the DSN."""
    made: list[str] = []

    async def new(copy_of: str | None = template) -> str:
        made.append(f"t{next(_numbers)}_{uuid4().hex[:8]}")
        return await stack.create_database(made[-1], copy_of)

    yield new
    for name in made:
        await stack.drop_database(name)


@pytest_asyncio.fixture
async def database(new_database: NewDatabase) -> str:
    """The DSN of a fresh database, a copy of the template."""
    return await new_database()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topic names that no other test uses."""
    return f"t{next(_numbers)}{uuid4().hex[:8]}."


@pytest_asyncio.fixture
async def new_topics(stack: Stack, topic_prefix: str) -> AsyncIterator[NewTopics]:
    """`await new_topics({name: partitions})` makes them with the prefix (default: the catalog); name -> real name."""
    made: list[str] = []

    async def new(topics: Mapping[str, int] | None = None) -> dict[str, str]:
        wanted = catalog_topics() if topics is None else topics
        named = {name: topic_prefix + name for name in wanted}
        await stack.create_topics({named[name]: partitions for name, partitions in wanted.items()})
        made.extend(named.values())
        return named

    yield new
    if made:
        await stack.delete_topics(*made)
