"""How fast a what-if folds: against a bare loop that decodes the same facts, in the same run, taken in turns.

    python -m bench.whatif [--facts 1000000] [--rounds 3] [--seed 1]

The bare loop reads the bytes into facts and does nothing with them. The what-if reads the same bytes, indexes them, and
folds both sides for everybody. Memory is that of a process of its own that does one what-if.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.company import facts, people
from compensation.facts import Fact
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, parse, shipped
from compensation.reading import fact
from compensation.whatif import Basis, Draft, Outcome, Scenario, simulate
from conveyor_events import from_json

RESULTS = Path(__file__).parent / "results"
SINCE = date(2024, 1, 1)
KNOWN = datetime(2024, 1, 1, tzinfo=UTC)
RATIO, MEGABYTES = 0.2, 400
DRAFT = {
    "plan": "ref-hunter", "version": "2", "role": "hunter", "currency": "EUR", "effective_from": "2024-01-01",
    "salary": "500.00",
    "rules": [{"id": "H1", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"}],
}  # fmt: skip


def read(path: Path) -> Iterator[Fact]:
    with path.open("rb") as file:
        for line in file:
            yield fact(from_json(json.loads(line)))


def bare_json(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def bare(path: Path) -> None:
    for _ in read(path):
        pass


def whatif(path: Path) -> Outcome:
    plans = [
        PlanVersion(shipped(f"ref-{role}").model_copy(update={"effective_from": SINCE}), KNOWN)
        for role in ("scout", "hunter", "farmer")
    ]
    assigned = [Assignment(person, f"ref-{role}", role, SINCE, KNOWN) for person, role in people().items()]
    scenario = Scenario(Month(2024, 1), Month(2025, 12), drafts=(Draft(parse(DRAFT)),))
    *_, last = simulate(Basis(read(path), "Europe/Berlin", plans, assigned), scenario)
    if not isinstance(last, Outcome):
        raise TypeError("a simulation without an outcome")
    return last


def timed(work: Callable[[Path], object], path: Path) -> float:
    begun = time.perf_counter()
    work(path)
    return time.perf_counter() - begun


def memory_of_one(path: Path) -> dict[str, Any]:
    """The peak of a process that does one what-if and nothing else."""
    command = [sys.executable, "-m", "bench.whatif", "--only", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def peak() -> float:
    """Megabytes (10^6) that this process held at most."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes * 1024 / 1_000_000, 1)


def measure(count: int, rounds: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.jsonl"
        with path.open("wb") as file:
            for line in facts(seed, count):
                file.write(line + b"\n")
        seconds: dict[str, list[float]] = {"json": [], "decode": [], "whatif": []}
        for number in range(rounds):
            for name, work in (("json", bare_json), ("decode", bare), ("whatif", whatif)):
                seconds[name].append(timed(work, path))
                print(f"round {number + 1}: {name:7} {count / seconds[name][-1]:>10,.0f} facts/s", file=sys.stderr)
        one = memory_of_one(path)
        size = path.stat().st_size
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    return {
        "facts": count,
        "people": len(people()),
        "seed": seed,
        "bytes": size,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "facts_per_second": {name: round(count / took) for name, took in middle.items()},
        "seconds": {name: [round(took, 2) for took in found] for name, found in seconds.items()},
        "ratio": ratio(seconds, "decode"),
        "ratio_to_json": ratio(seconds, "json"),
        "ratio_wanted": RATIO,
        "peak_megabytes": one["peak"],
        "megabytes_allowed": MEGABYTES,
        "digest": one["digest"],
        "totals": one["totals"],
    }


def ratio(seconds: dict[str, list[float]], to: str) -> float:
    """The middle one of the rounds: what slows the machine slows both sides of a round."""
    rounds = zip(seconds[to], seconds["whatif"], strict=True)
    return round(statistics.median(bare / both for bare, both in rounds), 3)


def picture(found: dict[str, Any]) -> str:
    """Facts a second, one bar each."""
    names = {"json": "only json.loads", "decode": "bare loop: bytes to facts", "whatif": "what-if, both sides"}
    speeds: dict[str, int] = found["facts_per_second"]
    most = max(speeds.values())
    rows = []
    for number, (name, label) in enumerate(names.items()):
        top, width = 56 + 34 * number, round(speeds[name] / most * 380)
        ink = "#2f7d4f" if name == "whatif" else "#8a8a8a"
        rows += [
            f'<text x="190" y="{top + 16}" text-anchor="end">{label}</text>',
            f'<rect x="200" y="{top}" width="{width}" height="22" fill="{ink}"/>',
            f'<text x="{206 + width}" y="{top + 16}">{speeds[name]:,} facts/s</text>',
        ]
    note = f"ratio {found['ratio']} (wanted {RATIO}), peak {found['peak_megabytes']} MB (allowed {MEGABYTES})"
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 170" width="720" height="170">',
            '<rect width="720" height="170" fill="#ffffff"/>',
            '<g font-family="sans-serif" font-size="13">',
            f'<text x="16" y="24" font-size="15">{found["facts"]:,} facts, {found["people"]} people</text>',
            f'<text x="16" y="42" fill="#8a8a8a">{note}</text>',
            *rows,
            "</g>",
            "</svg>\n",
        ]
    )


def main() -> int:
    """Exit code 1 where the ratio or the memory is not what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only is not None:
        outcome = whatif(asked.only)
        totals = [total.to_json() for total in outcome.totals()]
        print(json.dumps({"peak": peak(), "digest": outcome.digest, "totals": totals}))
        return 0
    found = measure(asked.facts, asked.rounds, asked.seed)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "whatif.json").write_text(json.dumps(found, indent=2) + "\n")
    (RESULTS / "whatif.svg").write_text(picture(found))
    print(f"{found['facts']:,} facts, {found['people']} people, {found['bytes'] / 1e6:,.0f} MB of events")
    for name, speed in found["facts_per_second"].items():
        print(f"  {name:8} {speed:>10,} facts/s")
    print(f"  what-if against the bare loop: {found['ratio']} (wanted: at least {RATIO})")
    print(f"  what-if against json.loads alone: {found['ratio_to_json']}")
    print(f"  peak memory: {found['peak_megabytes']} MB (allowed: {MEGABYTES})")
    return 0 if found["ratio"] >= RATIO and found["peak_megabytes"] < MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
