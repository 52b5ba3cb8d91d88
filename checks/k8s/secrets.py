"""Rules for settings and secrets: the code would start with them, and nothing secret is to be read here."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from belt.io.settings import Settings
from board.settings import BoardSettings
from checks.docs.apps import services, settings_of
from checks.k8s.cluster import NAME, Cluster, Pod, said
from checks.k8s.watching import is_dashboard

PREFIX = "CONVEYOR_"
BESIDE = {"CONVEYOR_SECRETS_DIR", "PGSSLMODE", "PGSSLROOTCERT"}
"""Read by the code without being settings: where secrets lie, and asyncpg's own words for TLS."""
SECRET = {"CONVEYOR_DSN", "CONVEYOR_RELAY_DSN"}
IN_CLEAR = (
    re.compile(r"\w+://[^\s:/@{}]+:[^\s@{}]+@"),
    re.compile(r"BEGIN [A-Z ]*PRIVATE KEY"),
    re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\."),
)
SAYS_SECRET = re.compile(r"password|secret|token|dsn|credential|private", re.IGNORECASE)
SAYS_WHERE = re.compile(r"(_file|_dir|_name|secretKey|secretName|remoteRef|passwordSecret)$", re.IGNORECASE)


def settings_are_the_codes(cluster: Cluster) -> Iterator[str]:
    """Every key of a ConfigMap is a setting, and none of them is one that should be a secret."""
    known = BESIDE | {f"{PREFIX}{field.upper()}" for field in {**Settings.model_fields, **BoardSettings.model_fields}}
    for config in cluster.of("ConfigMap"):
        for key in config.get("data", {}) if not is_dashboard(config) else ():
            if key not in known:
                yield f"{said(config)}: {key} is no setting of the code"
            if key in SECRET:
                yield f"{said(config)}: {key} is secret, it belongs into a file"
    for pod in cluster.pods:
        for source in pod.container.get("envFrom", []):
            if cluster.one("ConfigMap", source.get("configMapRef", {}).get("name", "")) is None:
                yield f"{pod}: takes settings from {source}, which is not there"


def secrets_come_from_somewhere(cluster: Cluster) -> Iterator[str]:
    """Each Secret that is mounted or named is made by somebody, with the keys that are asked for."""
    wanted = [(str(pod), secret, key) for pod in cluster.pods for secret, key, _ in cluster.mounted(pod, "secrets")]
    for each in cluster.of("TriggerAuthentication"):
        wanted += [(said(each), ref["name"], ref["key"]) for ref in each["spec"]["secretTargetRef"]]
        for ref in each["spec"].get("configMapTargetRef", []):
            config = cluster.one("ConfigMap", ref["name"])
            if config is None or ref["key"] not in config["data"]:
                yield f"{said(each)}: no {ref['key']} in ConfigMap/{ref['name']}"
    for database in cluster.of("Cluster"):
        for role in database["spec"]["managed"]["roles"]:
            wanted += [(said(database), role["passwordSecret"]["name"], key) for key in ("username", "password")]
    for who, secret, key in wanted:
        if key not in cluster.secrets.get(secret, set()):
            yield f"{who}: nobody makes the key {key} of Secret/{secret}"


def nothing_secret_is_in_clear(cluster: Cluster) -> Iterator[str]:
    """No Secret, no password, no private key and no token stands in a manifest."""
    for manifest in cluster.manifests:
        if manifest["kind"] == "Secret":
            yield f"{said(manifest)}: a secret in the manifests"
        for path, text in _texts(manifest):
            if any(pattern.search(text) for pattern in IN_CLEAR):
                yield f"{said(manifest)}: {path} looks like a secret in clear"
    for pod in cluster.pods:
        for entry in pod.container.get("env", []):
            if SAYS_SECRET.search(entry["name"]) and not SAYS_WHERE.search(entry["name"]) and entry.get("value"):
                yield f"{pod}: {entry['name']} stands in clear"
    for config in cluster.of("ConfigMap"):
        for key in config.get("data", {}):
            if SAYS_SECRET.search(key) and not SAYS_WHERE.search(key):
                yield f"{said(config)}: {key} sounds like a secret"


def the_code_would_start(cluster: Cluster) -> Iterator[str]:
    """With the settings and the files of each pod, the code's own check at start passes, fit for production and all."""
    for pod in cluster.pods:
        service = cluster.service_of(pod)
        if service is None:
            continue
        with _started_with(cluster, pod):
            try:
                found = settings_of(service).load(service.name, service.port)
            except ValidationError as wrong:
                for error in wrong.errors():
                    yield f"{pod}: the code would not start: {'.'.join(map(str, error['loc']))}: {error['msg']}"
                continue
            except ValueError as wrong:
                yield f"{pod}: the code would not start: {wrong}"
                continue
        told = {one.name for one in services()}
        others = {
            other.labels[NAME]: other
            for other in cluster.pods
            if other.component == "api" and other.labels.get(NAME) in told
        }
        for name in sorted(others.keys() - {service.name}):
            wanted = f"http://{name}-api:{next(iter(others[name].ports().values()))}"
            if found.publishers.get(name) != wanted:
                yield f"{pod}: {name} is at {wanted}, not at {found.publishers.get(name)}"
        if found.host != "0.0.0.0":
            yield f"{pod}: it listens to itself only"


@contextmanager
def _started_with(cluster: Cluster, pod: Pod) -> Iterator[None]:
    """The environment of the pod, and its files, with contents of the right kind, in a folder that passes."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        for mount in pod.container.get("volumeMounts", []):
            place = Path(folder) / mount["mountPath"].lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            for _, _, file in cluster.mounted(pod, mount["name"]):
                (place / file).write_text(_content(file))
        there = {
            key: f"{folder}{value}" if value.startswith("/etc/") else value
            for key, value in cluster.settings(pod).items()
        }
        os.environ.clear()
        os.environ.update({key: value for key, value in before.items() if not key.startswith(PREFIX)} | there)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _content(file: str) -> str:
    match file.rpartition(".")[2]:
        case "crt":
            return _certificate()
        case "key":
            return bytes(range(32)).hex()
        case "json":
            return json.dumps({"keys": []})
        case _:
            return "postgresql://somebody@database:5432/service" if "dsn" in file else "something"


@cache
def _certificate() -> str:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return made.public_bytes(Encoding.PEM).decode()


def _texts(part: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a manifest and where it stands."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(part, list):
        for at, value in enumerate(part):
            yield from _texts(value, f"{path}[{at}]")
    elif isinstance(part, str):
        yield path, part
