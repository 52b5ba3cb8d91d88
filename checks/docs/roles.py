"""docs/roles.md: every door of every service, and the roles whose tokens open it."""

from __future__ import annotations

from belt.io.doors import Door
from checks.docs.apps import services
from checks.docs.doors import doors
from conveyor_events.scopes import ROLES

ROWS = tuple(ROLES)
HEAD = """\
# Who may

Which role's token opens which door. Behind the door the roster and ownership decide: a hunter's token opens every
opportunity's door, and closes only the hunter's own. Tokens may also carry single scopes; those of each door are in
[services](services.md).

"""


def page() -> str:
    """A table for each service."""
    return HEAD + "\n".join(_chapter(service.name) for service in services())


def method(door: Door) -> str:
    """A door has one."""
    return min(door.methods or {"GET"})


def _chapter(name: str) -> str:
    service = next(one for one in services() if one.name == name)
    lines = [f"## {name}\n", f"| door | {' | '.join(ROWS)} |", f"|---|{'---|' * len(ROWS)}"]
    for door in doors(service):
        if door.scopes:
            marks = ["✓" if ROLES[role] & set(door.scopes) else "" for role in ROWS]
            lines.append(f"| `{method(door)} {door.path}` | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"
