"""What a newcomer to a running stack needs: databases, roles and topics. On any server, also a given one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from conveyor_events.catalog import KEPT, TOPICS
from conveyor_local.trouble import LocalStackError

DEADLINE = 30.0
ALREADY_EXISTS = 36  # Kafka's error code
UNKNOWN_TOPIC = 3


def catalog_topics() -> dict[str, int]:
    """Every topic of the published language with its partitions."""
    return {name: topic.partitions for name, topic in TOPICS.items()}


async def create_database(dsn: str, name: str, template: str | None = None) -> bool:
    """Makes a database, empty or as a copy of another that nobody is connected to; False if it is there already.

    `dsn` reaches any database of the server.
    """
    db = await _connected(dsn)
    try:
        copy = "" if template is None else f" TEMPLATE {_quoted(template)}"
        await db.execute(f"CREATE DATABASE {_quoted(name)}{copy}")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):  # the second: two at the same moment
        return False
    finally:
        await db.close(timeout=DEADLINE)
    return True


async def drop_database(dsn: str, name: str) -> None:
    """Removes a database, whoever is still connected to it."""
    db = await _connected(dsn)
    try:
        await db.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
    finally:
        await db.close(timeout=DEADLINE)


async def create_role(dsn: str, name: str, *, owns: str | None = None) -> str:
    """Makes a role without any rights (but those of an owner of the database `owns`) and returns `dsn` as this role."""
    password = secrets.token_hex(16)
    db = await _connected(dsn)
    try:
        await db.execute(f"CREATE ROLE {_quoted(name)} LOGIN PASSWORD '{password}'")
        if owns is not None:
            await db.execute(f"ALTER DATABASE {_quoted(owns)} OWNER TO {_quoted(name)}")
    finally:
        await db.close(timeout=DEADLINE)
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{password}@{parts.netloc.rpartition('@')[2]}"))


async def drop_role(dsn: str, name: str) -> None:
    """Removes a role that owns nothing and has no rights any more."""
    db = await _connected(dsn)
    try:
        await db.execute(f"DROP ROLE IF EXISTS {_quoted(name)}")
    finally:
        await db.close(timeout=DEADLINE)


async def create_topics(brokers: str, topics: Mapping[str, int]) -> None:
    """Makes topics (name -> partitions) that are kept for ever; those that exist stay as they are."""
    wanted = [NewTopic(name, partitions, 1, topic_configs=dict(KEPT)) for name, partitions in topics.items()]
    async with _admin(brokers) as admin:
        reply = await asyncio.wait_for(admin.create_topics(wanted), DEADLINE)
    _check("create", ((row[0], row[1]) for row in reply.topic_errors), allowed=ALREADY_EXISTS)


async def delete_topics(brokers: str, topics: Iterable[str]) -> None:
    """Removes topics with all their records; those that do not exist are no matter."""
    async with _admin(brokers) as admin:
        reply = await asyncio.wait_for(admin.delete_topics(list(topics)), DEADLINE)
    _check("delete", ((row[0], row[1]) for row in reply.topic_error_codes), allowed=UNKNOWN_TOPIC)


async def _connected(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection, or why there is none, in one sentence without the address: a password is part of that."""
    try:
        return await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)
    except TimeoutError as late:
        raise LocalStackError(f"PostgreSQL cannot be used: no answer within {DEADLINE:.0f} s") from late
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as refused:
        raise LocalStackError(f"PostgreSQL cannot be used: {refused}") from refused
    except ValueError as unreadable:
        raise LocalStackError("PostgreSQL cannot be used: its address cannot be read") from unreadable


def _check(verb: str, outcomes: Iterable[tuple[str, int]], allowed: int) -> None:
    failed = {topic: code for topic, code in outcomes if code not in (0, allowed)}
    if failed:
        raise LocalStackError(f"Kafka did not {verb} all topics; error codes: {failed}")


@asynccontextmanager
async def _admin(brokers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=10_000)
    try:
        try:
            await asyncio.wait_for(admin.start(), DEADLINE)
        except (KafkaError, OSError, TimeoutError, ValueError) as away:  # a ValueError: the text is no host:port
            raise LocalStackError(f"Kafka at {brokers} cannot be used: {str(away) or 'no answer'}") from away
        yield admin
    finally:
        await asyncio.wait_for(admin.close(), DEADLINE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
