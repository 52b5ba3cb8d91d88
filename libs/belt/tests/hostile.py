"""A hostile writer process: wrong versions, repeated keys, several events a command. Prints how many it got through."""

from __future__ import annotations

import asyncio
import random
import sys

from counting import STREAMS, Raise

from belt.core.decider import Step
from belt.io.clock import SystemClock
from belt.io.store.handle import Busy, Writer
from belt.io.store.seal import Vault
from belt.io.store.unit import Conflict


async def main(dsn: str, seed: int, commands: int) -> None:
    chance = random.Random(seed)
    writer = Writer(dsn, STREAMS, Vault(b"a secret for tests only, 32 bytes"), SystemClock(), "/hostile")
    writer.start()
    done = 0

    async def one(n: int) -> None:
        nonlocal done
        stream = f"s{chance.randrange(12)}"
        key = f"shared-{chance.randrange(commands)}"  # other processes use the same keys
        wrong = chance.choice([None, None, 0, 3, 10_000])
        events = chance.choice([1, 1, 2, 3])
        try:
            outcome = await writer.handle(
                Step("counter", stream, Raise(events=events, who=stream)), key=key, if_match=wrong
            )
            done += 0 if outcome.replayed else events
        except (Conflict, Busy):
            return

    for start in range(0, commands, 24):
        await asyncio.gather(*(one(n) for n in range(start, start + 24)))
    await writer.stop()
    print(done)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
