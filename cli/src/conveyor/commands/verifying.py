"""verify: whether what was frozen is still what was frozen."""

from __future__ import annotations

import asyncio
from typing import Any

from conveyor.commands.options import AsJson
from conveyor.exits import CheckFailed
from conveyor.line import Line
from conveyor.pay_tables import table
from conveyor.screen import console, print_json

READER = "conveyor-cli"
PAYROLL = ("payroll",)


def verify(as_json: AsJson = False) -> None:
    """Walks the digest chain, replays every closed month from the facts, and names the first row that differs."""
    found = asyncio.run(_asked())
    if as_json:
        print_json(found)
    else:
        made = table("Closed months", "month", "statements", "closed with", "digest", right=("statements",))
        for month in found["periods"]:
            made.add_row(month["period"], str(month["statements"]), month["cutoff"], month["digest"][:16] + "…")
        console().print(made)
        for fault in found["faults"]:
            where = " ".join(str(fault[name]) for name in ("period", "person", "line") if fault[name])
            console().print(f"  {where}: {fault['what']}", style="red", markup=False)
        for law in found["laws"]:
            console().print(f"  a law does not hold: {law}", style="red", markup=False)
    if not found["ok"] and not found["faults"]:
        raise CheckFailed(f"verify: a law does not hold: {found['laws'][0]}")
    if not found["ok"]:
        first = found["faults"][0]
        raise CheckFailed(f"verify: {first['period']} {first['person'] or ''}: {first['what']}")
    if not as_json:
        console().print(f"verify: ok, {found['statements']} statements, {found['lines']} lines")


async def _asked() -> dict[str, Any]:
    async with Line.find() as line:
        return await line.get("compensation", "/v1/verification", person=READER, roles=PAYROLL, slow=True)
