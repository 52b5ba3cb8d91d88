"""A relay in a process of its own, for tests that freeze or kill it."""

import asyncio
import sys

from belt.io.kafka.brokers import Brokers
from belt.io.kafka.relay import Relay
from belt.io.kafka.sender import Sender


async def main(dsn: str, servers: str) -> None:
    relay = Relay(dsn, lambda: Sender(Brokers(servers), name="process"), batch=100, standby=0.05, silence=2.0)
    await relay.run()


asyncio.run(main(*sys.argv[1:]))
