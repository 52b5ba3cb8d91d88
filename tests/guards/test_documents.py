"""The generated documents are watched: a change of the code or of a page is found, and what is served is described."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import pytest

from belt.io.http.codes import CODES, Code
from belt.io.http.description import STATUSES
from belt.io.running import running
from belt.io.service import Service
from belt.io.settings import Settings
from belt.io.store.migrate import upgrade
from board.settings import BoardSettings
from checks import docs
from checks.__main__ import CHECKS
from checks.docs import capacity, errors, figures, metrics, reference, settings
from checks.docs.__main__ import MARK, Pages, differences, documents, write
from checks.docs.apps import services

ROOT = Path(docs.__file__).parents[2]
DOCUMENTS = (".md", ".json", ".svg")
PAGES: Pages = {
    place: cache(page) for place, page in documents().items() if "states" not in place
}  # it needs other tests


def test_a_page_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    write(tmp_path, PAGES)
    assert not list(differences(tmp_path, PAGES))
    for place in PAGES:
        path = tmp_path / place
        text = path.read_text()
        path.write_text(text + "more\n")
        assert list(differences(tmp_path, PAGES)) == [f"{place}: differs from the code"]
        path.unlink()
        assert list(differences(tmp_path, PAGES)) == [f"{place}: missing"]
        path.write_text(text)
    for stray in ("docs/openapi/fifth.json", "docs/api/fifth.md"):
        (tmp_path / stray).write_text("{}")
    found = list(differences(tmp_path, PAGES))
    assert found == ["docs/openapi/fifth.json: no such service", "docs/api/fifth.md: no such service"]


def test_every_question_is_asked_of_metrics_that_exist() -> None:
    assert metrics.asked() <= metrics.names()


def test_the_check_looks_at_every_page() -> None:
    kept = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*") if path.suffix in DOCUMENTS}
    written = {place for place in kept if not place.endswith(".md") or (ROOT / place).read_text().startswith(MARK)}
    reckoned = {capacity.PAGE, figures.PAGE}  # only their figures are written; their words are their own
    assert written | reckoned == {place for place in documents() if place.startswith("docs/")}
    assert CHECKS["docs"][-1] == "checks.docs"


def test_a_new_code_changes_the_page_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    before = errors.page()
    monkeypatch.setitem(CODES, "seeded", Code(409, "A seed"))
    assert errors.page() != before


@pytest.mark.parametrize("service", services(), ids=lambda service: service.name)
def test_every_door_and_every_code_of_a_service_is_on_its_page_under_a_heading_of_its_own(service: Service) -> None:
    page = (ROOT / f"docs/api/{service.name}.md").read_text()
    described = json.loads((ROOT / f"docs/openapi/{service.name}.json").read_text())
    for path, item in described["paths"].items():
        for method in item.keys() & set(reference.METHODS):
            assert f"\n### `{method.upper()} {path}`\n" in page
    problems = page.partition("## Problems\n")[2]
    for code, (status, _) in {**CODES, **service.codes}.items():
        assert (f"`{code}`" in problems) == (status in STATUSES), "what the frame says before any door is not a door's"
    assert reference.twice(page) == set(), "a link could mean either"
    assert reference.twice("# One\n\n## `One`\n") == {"one"}


def test_every_setting_is_on_its_page_and_what_must_be_kept_is_marked() -> None:
    rows = {row.split("`")[1]: row for row in settings.page().splitlines() if row.startswith("| `CONVEYOR_")}
    fields = {**Settings.model_fields, **BoardSettings.model_fields}
    assert rows.keys() == {f"CONVEYOR_{name.upper()}" for name in fields if name != "service"}
    secrets = {name for name, row in rows.items() if "🔑" in row}
    assert secrets == {
        name for name in rows if name.endswith(("DSN", "KEY_FILE", "PASSWORD_FILE", "SECRET_FILE", "TOKEN_FILE"))
    }


@pytest.mark.parametrize("service", services(), ids=lambda service: service.name)
async def test_what_is_served_is_what_is_described(
    service: Service, new_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> None:
    key = tmp_path / "sealing.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    dsn = await new_database()
    await upgrade(dsn, service.package)
    given = Settings(service=service.name, port=0, dsn=dsn, jwks="nowhere", key_file=key)
    async with running(service, given, role="api") as parts:
        assert parts.app is not None
        described = json.loads((ROOT / f"docs/openapi/{service.name}.json").read_text())
        assert json.loads(json.dumps(parts.app.openapi())) == described
