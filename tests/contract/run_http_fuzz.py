"""`make fuzz SECONDS=… SEED=…`: schemathesis at each of the four services for so long, on a stack of its own.

Ends with `fuzz: ok {figures}`, or with what was found and the seed that finds it again.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "journey")]

from http_line import http_line  # noqa: E402 (found by the path above)
from http_schemathesis import followed, tried  # noqa: E402

from conveyor.addresses import SERVICES  # noqa: E402


def main() -> int:
    """Exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each service")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=SERVICES, default=None)
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if given.seed is None else given.seed
    print(f"fuzz: seed {seed}", flush=True)
    broken, figures = [], {}
    with http_line() as line:
        for service in [given.only] if given.only else SERVICES:
            found, along = tried(line, service, given.seconds, seed), followed(line, service, given.seconds, seed)
            figures[service] = found.cases + along.cases
            ok = found.ok and along.ok
            said = f"{figures[service]} requests, {along.links} links followed"
            print(f"fuzz: {service}: {'ok' if ok else 'BROKEN'}, {said}", flush=True)
            if not ok:
                broken.append(service)
                print(*(one.told for one in (found, along) if not one.ok), sep="\n")
    if broken:
        print(f"fuzz: broken: {', '.join(broken)}; again: make fuzz SECONDS={given.seconds} SEED={seed}")
        return 1
    print(f"fuzz: ok {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
