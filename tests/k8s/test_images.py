"""What is put into an image is enough to run the service, and nothing but that; and the image fits the manifests."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import packages_distributions
from pathlib import Path

import aiohttp
import pytest
from packaging.utils import canonicalize_name

from belt.io.http.issuer import DevelopmentIssuer
from checks import images
from checks.k8s.cluster import Cluster
from checks.k8s.rendering import ROOT
from conveyor_local import Stack
from conveyor_local.home import free_port

UV = Path(sys.executable).with_name("uv")
CONTAINERFILE = (ROOT / images.IMAGES / "Containerfile").read_text()
IMPORT_ALL = """
import importlib, pkgutil, runpy, sys
package, *others = sys.argv[1:]
for name in (package, *others):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
sys.argv[1:] = ["--help"]
runpy.run_module(package, run_name="__main__", alter_sys=True)
"""
LIBRARIES = ("belt.core", "belt.io", "conveyor_events")


def fill(service: str, folder: Path) -> Path:
    """A folder with what the Containerfile puts into /conveyor."""
    packages = folder / service
    only = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", packages)
    locked = ROOT / images.IMAGES / f"{service}.lock"
    into = (UV, "pip", "install", "--quiet", "--python", sys.executable, *only)
    subprocess.run([*into, "-r", locked], check=True, timeout=100)
    for source in ("libs/belt", "libs/events", f"{images.place(service)}/{service}"):
        ignored = shutil.ignore_patterns("__pycache__", "tests")
        shutil.copytree(ROOT / source / "src", packages, dirs_exist_ok=True, ignore=ignored)
    return packages


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without any package."""
    home = tmp_path_factory.mktemp("python")
    subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True, timeout=60)
    return home / "bin/python"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of lead-gen's image."""
    return fill("lead-gen", tmp_path_factory.mktemp("image"))


def environment(packages: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CONVEYOR_", "PYTHON", "VIRTUAL_"))}
    return kept | {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"} | more


def imported(service: str) -> set[str]:
    """The modules that the code of an image imports, early or late, by their first name."""
    found: set[str] = set()
    for source in ("libs/belt", "libs/events", f"{images.place(service)}/{service}"):
        for file in (ROOT / source / "src").rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                match node:
                    case ast.Import(names=names):
                        found |= {each.name.partition(".")[0] for each in names}
                    case ast.ImportFrom(module=str(module)):
                        found.add(module.partition(".")[0])
                    case _:
                        pass
    return found - set(sys.stdlib_module_names) - {"belt", "conveyor_events", service.replace("-", "_")}


@pytest.mark.parametrize("service", images.SERVICES)
def test_all_that_the_code_of_an_image_imports_is_in_its_lock(service: str) -> None:
    bringers = packages_distributions()
    locked = set(re.findall(r"(?m)^([\w.-]+)==", (ROOT / images.IMAGES / f"{service}.lock").read_text()))
    lacking = {
        module
        for module in imported(service)
        if not locked & {canonicalize_name(name) for name in bringers.get(module, ())}
    }
    assert lacking == set()


def test_every_module_of_an_image_can_be_imported_without_anything_else(python: Path, tmp_path: Path) -> None:
    """The one with the most dependencies; lead-gen is run for real, below."""
    packages = fill("compensation", tmp_path)
    told = subprocess.run(
        [python, "-c", IMPORT_ALL, "compensation", *LIBRARIES],
        cwd=tmp_path, env=environment(packages), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert all(role in told.stdout for role in ("api", "worker", "migrate", "rebuild"))
    assert not {path.name for path in packages.iterdir()} & {"pytest", "_pytest", "mypy", "ruff", "hypothesis"}


@asynccontextmanager
async def process(
    python: Path, settings: Mapping[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """One that is asked to end, as Kubernetes does it."""
    started = await asyncio.create_subprocess_exec(python, "-m", *arguments, env=settings, cwd=python.parent)
    try:
        yield started
        if started.returncode is None:
            started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            assert await started.wait() == 0
    finally:
        if started.returncode is None:
            started.kill()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await check():  # noqa: ASYNC110 (another process, seen from outside)
            await asyncio.sleep(0.1)


@pytest.mark.stack
async def test_what_is_in_the_image_migrates_and_its_worker_answers_the_probes(
    python: Path, image: Path, stack: Stack, new_database: Callable[[], Awaitable[str]], tmp_path: Path
) -> None:
    key, port = tmp_path / "sealing.key", free_port()
    key.write_text(os.urandom(32).hex())
    settings = environment(
        image,
        CONVEYOR_DSN=await new_database(),
        CONVEYOR_BROKERS=stack.brokers,
        CONVEYOR_JWKS=str(DevelopmentIssuer(tmp_path).jwks),
        CONVEYOR_KEY_FILE=str(key),
        CONVEYOR_WORKER_PORT=str(port),
    )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:

        async def status(path: str) -> int:
            try:
                async with http.get(path) as answer:
                    return answer.status
            except aiohttp.ClientConnectionError:
                return 0

        async def alive() -> bool:
            return await status("/livez") == 200

        async def ready() -> bool:
            return await status("/readyz") == 200

        async with process(python, settings, "lead_gen", "worker"):
            await eventually(alive)
            assert await status("/readyz") == 503  # the database has no tables yet
            async with process(python, settings, "lead_gen", "migrate") as migration:
                await migration.wait()
            await eventually(ready)
            assert await status("/metrics") == 200
            assert await status("/v1/prospects") == 404  # a worker has no doors
        assert await status("/livez") == 0


def spoilt(tmp_path: Path, change: Callable[[str], str]) -> list[str]:
    """What is wrong in a checkout whose requirements.lock was changed."""
    for folder in ("libs", "services", "apps", "deploy"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "requirements.lock").write_text(change((ROOT / "requirements.lock").read_text()))
    return list(images.differences(tmp_path))


def test_the_locks_of_images_follow_the_lock(tmp_path: Path) -> None:
    assert spoilt(tmp_path, lambda text: text) == []


def test_another_version_in_the_lock_is_another_image(tmp_path: Path) -> None:
    found = spoilt(tmp_path, lambda text: re.sub(r"(?m)^asyncpg==\S+", "asyncpg==9.9", text))
    assert found == [f"deploy/images/{service}.lock: differs from requirements.lock" for service in images.SERVICES]


def test_what_only_development_needs_is_in_no_image(tmp_path: Path) -> None:
    assert spoilt(tmp_path, lambda text: re.sub(r"(?m)^pytest==\S+", "pytest==9.9", text)) == []


def test_what_is_missing_in_the_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(images.Unlocked, match="greenlet"):  # asked for by an extra of sqlalchemy's
        spoilt(tmp_path, lambda text: re.sub(r"(?m)^greenlet==", "greenlot==", text))


def test_the_image_fits_the_pods(clusters: Mapping[str, Cluster]) -> None:
    last = CONTAINERFILE.partition("FROM ${RUNTIME}")[2]
    assert "RUN" not in last  # the last stage has no shell to run anything with
    assert 'ENTRYPOINT ["python3", "-m"]' in last
    (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
    for cluster in clusters.values():
        for pod in cluster.pods:
            assert pod.spec["securityContext"]["runAsUser"] == int(user)
            assert "command" not in pod.container


def test_the_image_has_the_python_that_its_lock_is_for() -> None:
    (builder,) = re.findall(r"python:(3\.\d+)-", CONTAINERFILE)
    assert builder == images.PYTHON["python_version"]


def test_all_that_is_copied_is_sent_to_the_builder() -> None:
    kept = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE) for word in line.split()
    ]
    named = {
        word.replace("${SERVICE}", "*").replace("${PLACE}", place) for word in copied for place in ("services", "apps")
    }
    assert sorted(named) == sorted(kept)
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_without_a_builder_that_is_said(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "checks.images", "build"],
        cwd=ROOT, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 1
    assert told.stderr.strip() == "no builder of images here: install one of docker, podman, buildah"


@pytest.mark.parametrize("builder", images.BUILDERS)
def test_a_builder_is_told_the_service_and_its_version(builder: str) -> None:
    words = images.command(builder, "lead-gen", "registry.example.com/", "1.2.3", "abc")
    assert words[:2] == [builder, "build"]
    assert "registry.example.com/conveyor/lead-gen:1.2.3" in words
    assert {"SERVICE=lead-gen", "VERSION=1.2.3", "REVISION=abc"} < set(words)
