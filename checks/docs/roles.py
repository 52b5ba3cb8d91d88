"""docs/roles.md: every door of every service, and the roles whose tokens open it."""

from __future__ import annotations

from belt.io.http.doors import Door
from checks.asked import asked
from checks.docs.apps import services
from checks.docs.doors import doors
from conveyor_events.scopes import ROLES

ROWS = tuple(ROLES)
HEAD = """\
# Who may

Which role's token opens which door, and what is asked behind it. Tokens may also carry single scopes; those of each
door are in [services](services.md). Why it is so: [decision 14](decisions/0014-one-question-behind-every-door.md).

Behind the door each service asks one function, `authorize(reader, action, thing, roster, now)` in its `access.py`. Who
may not is answered as if the thing were not there: 404. A list holds what its reader may see, and nothing else.

At the stations a thing concerns one client on one line. How near the reader stands to it, by the roster of this moment:

| reader | see it, ask to work on it | know names, phones, notes |
|---|---|---|
| whose it is by seat, or who is asked to take it | ✓ | with `pii:read` |
| a manager of the line (scope `manager`) | ✓ | with `pii:read` |
| somebody in a team of the line, at any station | ✓ | |
| a manager or a team of another line | | |
| who has left | | |
| who speaks for others (`act_for`): integrations | ✓ | with `pii:read`, which the bundle has not |
| payroll, finance, auditor, operator | no scope opens the door | |

To ask is not to get: in whose seat somebody acts, the stream decides, and says 403 `…not-yours` to a peer. What waits
in the queue of a team is the whole team's; whom the house serves is the account team's. A line that somebody manages is
staffed anew by those who manage it, and who stands in its teams is taken into another by its managers, or by who speaks
for others. Self-tests are their person's alone.

Whose pay is seen by whom stands in [compensation](../services/compensation/README.md): one's own, that of teams one
manages for the months of membership, all of it for payroll, and for auditors with a line in the log for each read.

In the column *asks*, `-` means that the scopes alone decide, because the thing is the company's or the service's own
and nobody's in particular (or a line's, of which the stream says openly who may).

"""


def page() -> str:
    """A table for each service."""
    return HEAD + "\n".join(_chapter(service.name) for service in services())


def method(door: Door) -> str:
    """A door has one."""
    return min(door.methods or {"GET"})


def _chapter(name: str) -> str:
    service = next(one for one in services() if one.name == name)
    lines = [f"## {name}\n", f"| door | asks | {' | '.join(ROWS)} |", f"|---|---|{'---|' * len(ROWS)}"]
    table = asked(service.package)
    for door in doors(service):
        if door.scopes:
            marks = ["✓" if ROLES[role] & set(door.scopes) else "" for role in ROWS]
            action, thing = table[f"{method(door)} {door.path}"]
            lines.append(f"| `{method(door)} {door.path}` | {action} {thing} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"
