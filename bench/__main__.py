"""Every measurement but the long ones, one after the other; the verdicts once more at the end.

python -m bench [NAME ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from bench.report import RESULTS

NAMES = ("commands", "append", "relay", "latency", "processes", "facts", "statements", "whatif", "tracing", "pages")
"""growth and soak take longer and are run by themselves."""


def main() -> int:
    """Exit code 1 where a figure is missed or a measurement did not come to its end."""
    began, codes = time.monotonic(), {}
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name}", flush=True)
        codes[name] = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode
    print(f"\n== all, {time.monotonic() - began:,.0f} s\n")
    for name, code in codes.items():
        told = json.loads((RESULTS / f"{name}.json").read_text()).get("figures", []) if code in (0, 1) else []
        for figure in told:
            at_most = "at_most" in figure
            bound = figure["at_most" if at_most else "at_least"]
            reached = figure["value"] <= bound if at_most else figure["value"] >= bound
            word = "at most" if at_most else "at least"
            verdict = "reached" if reached else "MISSED"
            print(f"{verdict:<8} {figure['value']:>8.2f}  ({word} {bound:g})  {name}: {figure['figure']}")
        if code not in (0, 1):
            print(f"FAILED    {name} did not come to its end")
    return 1 if any(codes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
