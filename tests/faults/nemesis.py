"""Who disturbs the line: one fault after the other, chosen by a seed, each undone after a while.

The numbers in `FAULTS` are those of docs/promises.md, where each fault is described with what must hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import faults_of_content as content
import faults_of_networks as networks
import faults_of_processes as processes
import faults_of_servers as servers
from scene import Fault, Scene

FAULTS: dict[str, tuple[tuple[int, ...], Fault]] = {
    "kill": ((2, 37), processes.kill),
    "kill-all": ((2, 37), processes.kill_all),
    "crash-after-send": ((1,), processes.crash("after_send")),
    "crash-after-commit": ((9, 37), processes.crash("after_commit")),
    "crash-before-commit": ((9,), processes.crash("before_commit")),
    "crash-before-offset": ((22,), processes.crash("before_offset")),
    "crash-in-effect": ((23,), processes.crash("in_effect")),
    "zombie-relay": ((3, 11), processes.zombie_relay),
    "frozen-leader": ((3,), processes.frozen_leader),
    "zombie-consumer": ((24,), processes.zombie_consumer),
    "sigterm": ((36,), processes.ask_to_end),
    "sigterm-in-trouble": ((36,), processes.end_in_trouble),
    "roll": ((35, 36), processes.roll),
    "kafka-kill": ((4,), servers.kafka_kill),
    "kafka-away": ((6,), servers.kafka_away),
    "kafka-away-kill": ((2, 6), servers.kafka_away_kill),
    "kafka-freeze": ((5,), servers.kafka_freeze),
    "strangers": ((25,), servers.strangers),
    "postgres-restart": ((9,), servers.postgres_restart),
    "postgres-freeze": ((12,), servers.postgres_freeze),
    "sessions-ended": ((11,), servers.sessions_ended),
    "sessions-used-up": ((14,), servers.sessions_used_up),
    "long-transaction": ((16,), servers.long_transaction),
    "log-locked": ((16,), servers.log_locked),
    "database-hole": ((12,), networks.database_hole),
    "hole-then-kill": ((12, 23), networks.hole_then_kill),
    "database-replies-cut": ((13,), networks.database_replies_cut),
    "database-slow": ((14,), networks.database_slow),
    "replies-cut": ((13, 17), networks.replies_cut),
    "replies-late": ((17, 18), networks.replies_late),
    "cut": ((13,), networks.cut),
    "slow-consumer": ((26,), content.slow_consumer),
    "poison": ((27,), content.poison),
    "clock-jump": ((30,), content.clock_jump),
    "doubled": ((19,), content.doubled),
    "close": ((31,), content.close),
}


def chosen(only: Sequence[str], services: Sequence[str]) -> list[str]:
    """The kinds of a run. Raises ValueError for a name that is none."""
    unknown = set(only) - FAULTS.keys()
    if unknown:
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    if only:
        return list(only)
    return [name for name in FAULTS if name != "close" or "compensation" in services]


async def disturb(scene: Scene, kinds: Sequence[str], report: Callable[[str, float], None]) -> dict[str, int]:
    """Until the seconds are over: a kind that was used least, a pause, the next. How often each was used."""
    ends = time.monotonic() + scene.seconds
    used = dict.fromkeys(kinds, 0)
    while time.monotonic() < ends:
        least = min(used.values())
        kind = scene.rnd.choice([name for name in kinds if used[name] == least])
        begun = time.monotonic()
        report(kind, ends - begun)
        used[kind] += 1
        await FAULTS[kind][1](scene)
        await scene.rest(0.2, 1.5)
        if scene.alone and kind == "kafka-away":
            break
    return used
