"""`python -m checks.docs [--write]`: no door is open by oversight (asked.py), and the generated documents are what the
code says, or are written anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from checks import asked
from checks.docs import (
    access,
    alerts,
    capacity,
    dashboards,
    doors,
    errors,
    figures,
    metrics,
    openapi,
    pictures,
    plans,
    reference,
    roles,
    settings,
    states,
)
from checks.docs.apps import services
from checks.supply import licences

ROOT = Path(__file__).parents[2]
MONITORING = "deploy/k8s/components/monitoring"
MARK = "<!-- Written by `python -m checks.docs --write`. Change the code, not this page. -->\n"


Pages = dict[str, Callable[[], str]]


def documents() -> Pages:
    """Every generated document: its path in the checkout, and who writes it."""
    pages: Pages = {
        "docs/access.md": lambda: MARK + access.page(),
        "docs/capacity.md": partial(capacity.page, ROOT),
        "docs/performance.md": partial(figures.page, ROOT),
        "docs/errors.md": lambda: MARK + errors.page(),
        "docs/licences.md": lambda: MARK + licences.page(ROOT),
        "docs/metrics.md": lambda: MARK + metrics.page(),
        "docs/roles.md": lambda: MARK + roles.page(),
        "docs/plan.schema.json": plans.schema_text,
        "docs/plans.md": lambda: MARK + plans.page(),
        "docs/services.md": lambda: MARK + doors.page(),
        "docs/settings.md": lambda: MARK + settings.page(),
        "docs/states.md": lambda: MARK + states.page(),
    }
    pages |= {f"{MONITORING}/dashboards/{name}.json": partial(dashboards.page, name) for name in dashboards.TITLES}
    pages[f"{MONITORING}/rules.yaml"] = partial(alerts.resource, ROOT / MONITORING / "alerts.yaml")
    pages |= {f"docs/pictures/{name}.svg": partial(_picture, name) for name in pictures.PICTURES}
    pages |= {f"docs/api/{one.name}.md": partial(_reference, one.name) for one in services()}
    return pages | {f"docs/openapi/{one.name}.json": partial(openapi.page, one.name) for one in services()}


def _picture(name: str) -> str:
    return pictures.PICTURES[name]().text()


def _reference(service: str) -> str:
    return MARK + reference.page(service)


def write(root: Path, pages: Pages) -> None:
    """Writes the pages into a checkout."""
    for place, page in pages.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(page(), encoding="utf-8")


def differences(root: Path, pages: Pages) -> Iterator[str]:
    """What in a checkout is not as the code says, one line each."""
    for place, page in pages.items():
        path = root / place
        if not path.is_file():
            yield f"{place}: missing"
        elif path.read_text(encoding="utf-8") != page():
            yield f"{place}: differs from the code"
    for folder, kind in (("docs/openapi", "json"), ("docs/api", "md")):
        strays = {path.name for path in (root / folder).glob("*")} - {f"{one.name}.{kind}" for one in services()}
        yield from (f"{folder}/{name}: no such service" for name in sorted(strays))


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 if a document was not up to date."""
    parser = argparse.ArgumentParser(prog="python -m checks.docs", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write them")
    if parser.parse_args(arguments).write:
        write(ROOT, documents())
        return 0
    if asked.main():
        return 1
    found = list(differences(ROOT, documents()))
    if found:
        print("\n".join(found), "write them with: python -m checks.docs --write", sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
