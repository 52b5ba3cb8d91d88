"""Three hostile processes write with wrong versions and repeated keys while a reader follows the log."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg

COMMANDS = 600


async def test_no_hole_nothing_skipped_nothing_doubled_under_hostile_writers(counters: str) -> None:
    script = Path(__file__).with_name("hostile.py")
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(script), counters, str(seed), str(COMMANDS), stdout=asyncio.subprocess.PIPE
        )
        for seed in (1, 2, 3)
    ]
    connection = await asyncpg.connect(counters)
    seen: list[int] = []
    running = [asyncio.create_task(p.communicate()) for p in processes]
    while True:
        over = all(task.done() for task in running)
        rows = await connection.fetch(
            "select position from published where position > $1 order by position limit 200", seen[-1] if seen else 0
        )
        seen.extend(row["position"] for row in rows)
        if over and not rows:
            break
    written = sum([int((await task)[0]) for task in running])
    assert [p.returncode for p in processes] == [0, 0, 0]

    assert seen == list(range(1, len(seen) + 1)), "a tailing reader skipped a position"
    assert len(seen) == written == await connection.fetchval("select count(*) from events")
    assert len(seen) == await connection.fetchval("select count(distinct event_id) from published")
    holes = await connection.fetch("select stream_id from events group by stream_id having max(version) <> count(*)")
    assert holes == []
    torn = await connection.fetch("select key, count(*) from commands group by key having count(*) > 1")
    assert torn == []
    await connection.close()
