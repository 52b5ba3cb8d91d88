"""How much waits, as the stations tell it and as the landing page shows it."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

from conveyor.line import Line
from conveyor_events.words import instant_text

STATIONS = {"lead-gen": ("prospect",), "conversion": ("lead", "opportunity"), "account-mgmt": ("buyer", "account")}


async def waiting(line: Line, person: str, role: str, where: str | None) -> tuple[dict[str, str], list[str]]:
    """Figures by the ids of the page, as the stations tell this person, and the oldest clock if there is one."""
    figures, clocks = dict[str, int](), list[str]()
    for station, kinds in STATIONS.items():
        told = await line.get(station, "/v1/waiting", person=person, roles=(role,))
        figures |= {f"{kind}-total": 0 for kind in kinds}
        for item in told["waiting"]:
            if where not in (None, item["line"]):
                continue
            clocks += item["clocks"]
            for state, many in item["states"].items():
                id_ = f"{item['kind']}-{state}"
                figures[id_] = figures.get(id_, 0) + many
                figures[f"{item['kind']}-total"] += many
    return {id_: str(many) for id_, many in figures.items()}, [min(clocks)] if clocks else []


def oldest(page: str) -> list[str]:
    """When the oldest clock of the page falls due, as the stations write instants."""
    found = re.findall(r'id="oldest-clock"[^>]* data-due="([^"]+)"', page)
    return [instant_text(datetime.fromisoformat(unescape(one))) for one in found]
