"""Kafka's jars: each pinned by its SHA-256 in `kafka.jars`, fetched once for each user, checked before every use."""

import hashlib
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from conveyor_local.home import locked, root
from conveyor_local.trouble import LocalStackError

LOGGER = "org.slf4j:slf4j-simple:1.7.36"  # without a logger Kafka dies in silence


def pinned() -> dict[str, str]:
    """Coordinates (group:artifact:version) -> SHA-256."""
    lines = files("conveyor_local").joinpath("kafka.jars").read_text().splitlines()
    return {coordinates: digest for digest, coordinates in (line.split() for line in lines)}


def jars(version: str) -> list[Path]:
    """The class path of Kafka in this version, on disk and unaltered."""
    wanted = {_place(version, coordinates): (coordinates, digest) for coordinates, digest in pinned().items()}
    if f"org.apache.kafka:kafka_2.13:{version}" not in pinned():
        raise LocalStackError(f"kafka.jars does not pin Kafka {version}")
    if any(not _intact(path, digest) for path, (_, digest) in wanted.items()):
        with locked(root() / "jars"), ThreadPoolExecutor(8) as pool:
            missing = {path: what for path, what in wanted.items() if not _intact(path, what[1])}
            if missing:
                print(f"fetching Kafka {version} ({len(missing)} files, once for this user)", file=sys.stderr)
            scratch = root() / "jars" / "fetching"
            list(pool.map(lambda path: _fetch(path, *missing[path], scratch), missing))
            shutil.rmtree(scratch, ignore_errors=True)
    return list(wanted)


def resolve(version: str) -> str:
    """The text of `kafka.jars` for a version: what its pom asks for now, and the logger. For the one who upgrades."""
    import jgo

    found = [
        f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        for artifact in jgo.resolve(f"org.apache.kafka:kafka_2.13:{version}+{LOGGER}")
    ]
    scratch = root() / "jars" / "resolving"
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda coordinates: _digest(_download(coordinates, scratch)), found))
    shutil.rmtree(scratch)
    rows = sorted(zip(found, digests, strict=True))
    return "".join(f"{digest}  {coordinates}\n" for coordinates, digest in rows)


def _place(version: str, coordinates: str) -> Path:
    _, artifact, release = coordinates.split(":")
    return root() / "jars" / f"kafka-{version}" / f"{artifact}-{release}.jar"


def _intact(path: Path, digest: str) -> bool:
    return path.exists() and _digest(path) == digest


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _fetch(path: Path, coordinates: str, digest: str, scratch: Path) -> None:
    """Downloads beside the place and moves it there only when it is what was pinned."""
    shutil.rmtree(scratch / path.stem, ignore_errors=True)  # half a file of a run that was cut off
    found = _download(coordinates, scratch / path.stem)
    if _digest(found) != digest:
        raise LocalStackError(f"{coordinates} is not the file that was pinned in kafka.jars; it is not used")
    path.parent.mkdir(parents=True, exist_ok=True)
    found.replace(path)


def _download(coordinates: str, into: Path) -> Path:
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    group, artifact, release = coordinates.split(":")
    maven = MavenContext(repo_cache=into, remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=60)
    try:
        return Path(maven.project(group, artifact).at_version(release).artifact().resolve())
    except (OSError, RuntimeError) as trouble:
        raise LocalStackError(f"could not fetch {coordinates}: {trouble}") from trouble
