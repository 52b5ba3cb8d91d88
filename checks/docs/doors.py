"""docs/services.md: per service its port, its streams, what it hears and tells, and every door with who may open it."""

from __future__ import annotations

import inspect
from pathlib import Path

from belt.io.http.doors import Door
from belt.io.service import Service
from checks.docs.apps import app, folder, services
from conveyor_events.catalog import CATALOG, TOPICS
from conveyor_events.scopes import ROLES, SCOPES

ROOT = Path(__file__).parents[2]
HEAD = """\
# Services

What each service keeps, hears, tells and does. A door is opened by any one of its scopes; `open` needs no token. The
doors in full, with bodies and replies, are in [api](api) and, for machines, in [openapi](openapi). Errors are in
[errors](errors.md), events in [events](events.md).

Every service has the same frame ([belt](../libs/belt/README.md)): `/livez` (the process runs), `/readyz` (the database
answers and has the right schema), `/metrics` (Prometheus), and the doors of the belt, listed once at the end.

"""
SCOPES_HEAD = """\
## Scopes

A scope opens a door. Whether this person may do this to that client is decided inside, by roster and ownership. The
table is [scopes.py](../libs/events/src/conveyor_events/scopes.py); `conveyor token --role ROLE --sub PERSON` makes a
token for development.

"""


def page() -> str:
    """The whole page."""
    told = [chapter(service) for service in services()]
    shared = "## The frame of every service\n\n" + _doors(_shared())
    return HEAD + "\n".join([*told, shared, SCOPES_HEAD + _scopes()])


def chapter(service: Service) -> str:
    """One service."""
    published = [topic for topic in TOPICS.values() if topic.publisher == service.name]
    hears = ", ".join(f"`{topic}`" for topic in service.topics) or "nothing"
    reacts = f"it reacts in [reactions.py](../{folder(service)}/reactions.py)" if service.react else "kept as facts"
    text = f"## {service.name}\n\n"
    text += f"Port **{service.port}** · `python -m {service.package}` · [README](../services/{service.name}/README.md)"
    text += f" · [API](api/{service.name}.md) · [OpenAPI](openapi/{service.name}.json)\n\n"
    text += f"* **Streams**: {', '.join(f'`{name}`' for name in service.streams)}"
    text += f" (put together in [main.py](../{folder(service)}/main.py))\n"
    text += f"* **Hears** {hears}: {reacts}\n"
    for topic in published:
        names = [entry.model.__name__ for entry in CATALOG if entry.topic == topic.name]
        text += f"* **Tells** `{topic.name}`: {', '.join(names)}\n"
    own = [door for door in doors(service) if _key(door) not in {_key(one) for one in _shared()}]
    return text + "\n" + _doors(own)


def doors(service: Service) -> list[Door]:
    """Every door of the service's app."""
    return [route for route in app(service.name).routes if isinstance(route, Door)]


def _shared() -> list[Door]:
    first, *others = (doors(service) for service in services())
    common = set.intersection(*({_key(door) for door in some} for some in others))
    return [door for door in first if _key(door) in common]


def _key(door: Door) -> tuple[str, str, str]:
    """Two doors are the same if they lead to the same code."""
    return ",".join(sorted(door.methods or ())), door.path, door.endpoint.__module__


def _doors(found: list[Door]) -> str:
    text = "| door | scopes | what it does |\n|---|---|---|\n"
    for door in found:
        method = ",".join(sorted(door.methods or ()))
        scopes = "open" if door.scopes is None else " or ".join(f"`{scope}`" for scope in door.scopes) or "any token"
        text += f"| `{method} {door.path}` | {scopes} | {_first(door)} |\n"
    return text


def _first(door: Door) -> str:
    """The first paragraph of what the door says of itself, in one line."""
    return " ".join((inspect.getdoc(door.endpoint) or "").partition("\n\n")[0].split()).replace("|", "\\|")


def _scopes() -> str:
    text = "| scope | lets one | in the roles |\n|---|---|---|\n"
    for scope, about in SCOPES.items():
        roles = [role for role, scopes in ROLES.items() if scope in scopes and role != "driver"]
        text += f"| `{scope}` | {about} | {', '.join(roles)} |\n"
    return text + "\n`driver` holds them all: it is for the demo and for simulations, never for a person.\n"
