"""The images of the services and the board: what goes into each, and building them.

    python -m checks.images             the locks of deploy/images fit requirements.lock
    python -m checks.images --write     writes them
    python -m checks.images build       with docker, podman or buildah: whichever is there

A lock in deploy/images names what one service needs at run time and nothing else: it is requirements.lock, cut down to
what can be reached from the service's own dependencies. What asks for what is read from the packages themselves, as
they are installed here, for the Python and the system that are in the image.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
IMAGES = "deploy/images"
SERVICES = ("lead-gen", "conversion", "account-mgmt", "compensation", "board")
APPS = frozenset({"board"})
HEAD = "# Written by `python -m checks.images --write`: requirements.lock, cut down to what {service} needs to run.\n"
BUILDERS = ("docker", "podman", "buildah")
PYTHON = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.14",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""The one in the image (deploy/images/Containerfile)."""


class Unlocked(LookupError):
    """Something is needed at run time that requirements.lock, or this environment, does not have."""


def lock(root: Path, service: str) -> str:
    """The lock of one service."""
    entries = _entries((root / "requirements.lock").read_text())
    needed = sorted(_closure(list(_wishes(root, service))))
    missing = [name for name in needed if name not in entries]
    if missing:
        raise Unlocked(f"{service} needs {', '.join(missing)}, which requirements.lock does not have: make lock")
    return HEAD.format(service=service) + "".join(entries[name] for name in needed)


def differences(root: Path) -> Iterator[str]:
    """Locks that are not what they should be."""
    for service in SERVICES:
        path = root / IMAGES / f"{service}.lock"
        if not path.is_file():
            yield f"{IMAGES}/{service}.lock: missing"
        elif path.read_text() != lock(root, service):
            yield f"{IMAGES}/{service}.lock: differs from requirements.lock"


def _wishes(root: Path, service: str) -> Iterator[Requirement]:
    """What the service and the libraries of this checkout that it uses ask for."""
    ours = {
        canonicalize_name(project["name"]): project
        for folder in ("libs", "services", "apps")
        for path in root.glob(f"{folder}/*/pyproject.toml")
        for project in (_project(path),)
    }
    waiting, seen = [canonicalize_name(f"conveyor-{service}")], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for wish in map(Requirement, ours[name].get("dependencies", [])):
            if canonicalize_name(wish.name) in ours:
                waiting.append(canonicalize_name(wish.name))
            else:
                yield wish


def _project(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return found


def _closure(wishes: list[Requirement]) -> set[str]:
    """All that is reached from these, extras and markers heeded."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while wishes:
        wish = wishes.pop()
        if wish.marker is not None and not wish.marker.evaluate(PYTHON | {"extra": ""}):
            continue
        name = canonicalize_name(wish.name)
        found.add(name)
        for extra in ("", *wish.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                wishes += _asked(name, extra)
    return found


def _asked(name: str, extra: str) -> Iterator[Requirement]:
    """What a package asks for by itself, or because of one extra."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        raise Unlocked(f"{name} is not installed here: make setup") from None
    for wish in map(Requirement, lines):
        marker, wish.marker = wish.marker, None
        by_itself = marker is None or marker.evaluate(PYTHON | {"extra": ""})
        by_extra = marker is not None and not by_itself and marker.evaluate(PYTHON | {"extra": extra})
        if by_extra if extra else by_itself:
            yield wish


def _entries(text: str) -> dict[str, str]:
    """Each package's lines in the lock, without the remarks."""
    entries: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", text.rstrip("\n")):
        found = re.match(r"([\w.-]+)==", entry)
        if found:
            lines = [line for line in entry.splitlines() if not line.lstrip().startswith("#")]
            entries[canonicalize_name(found[1])] = "\n".join(lines) + "\n"
    return entries


def place(service: str) -> str:
    """The folder in which its own folder lies."""
    return "apps" if service in APPS else "services"


def command(builder: str, service: str, registry: str, tag: str, revision: str) -> list[str]:
    """How an image is built with this builder."""
    name = f"{registry.rstrip('/')}/conveyor/{service}:{tag}".lstrip("/")
    values = {"SERVICE": service, "PLACE": place(service), "VERSION": tag, "REVISION": revision}
    arguments = [word for key, value in values.items() for word in ("--build-arg", f"{key}={value}")]
    return [builder, "build", "--file", f"{IMAGES}/Containerfile", "--tag", name, *arguments, "."]


def build(registry: str, tag: str) -> int:
    """Builds all of them, one after the other."""
    builder = next(filter(shutil.which, BUILDERS), None)
    if builder is None:
        print(f"no builder of images here: install one of {', '.join(BUILDERS)}", file=sys.stderr)
        return 1
    if builder == "docker" and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        print("docker is here, but no engine answers: start it, or install podman or buildah", file=sys.stderr)
        return 1
    if "@sha256:" not in (ROOT / IMAGES / "Containerfile").read_text():
        print("note: the bases of the images are not pinned to a digest; docs/kubernetes.md tells how", file=sys.stderr)
    asked = ["git", "rev-parse", "HEAD"]
    revision = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    for service in SERVICES:
        ended = subprocess.run(command(builder, service, registry, tag, revision), cwd=ROOT, check=False)
        if ended.returncode != 0:
            return ended.returncode
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 if a lock was not up to date, or an image could not be built."""
    parser = argparse.ArgumentParser(prog="python -m checks.images")
    parser.add_argument("what", nargs="?", choices=("check", "build"), default="check")
    parser.add_argument("--write", action="store_true", help="write the locks")
    parser.add_argument("--registry", default="", help="where the images are to go, such as registry.example.com")
    parser.add_argument("--tag", default=_project(ROOT / "pyproject.toml")["version"], help="their version")
    given = parser.parse_args(arguments)
    if given.what == "build":
        return build(given.registry, given.tag)
    if given.write:
        for service in SERVICES:
            (ROOT / IMAGES / f"{service}.lock").write_text(lock(ROOT, service))
        return 0
    wrong = list(differences(ROOT))
    print(
        "".join(f"{each}; write it with: python -m checks.images --write\n" for each in wrong), end="", file=sys.stderr
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
