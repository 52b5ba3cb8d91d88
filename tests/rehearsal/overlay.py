"""What the production overlay starts: which processes, with which settings and files, asked and ended how.

Nothing is chosen here. Settings come from the ConfigMaps and the containers as they are rendered; `REPLACED` names the
few that cannot hold on one machine and what stands for them, and `explained` prints exactly those. A setting that is
an address in the cluster and is not named there is refused, and so is a name that no pod has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.k8s.cluster import Cluster, Pod, name
from checks.k8s.rendering import MANIFESTS, read, render

ADDRESS = re.compile(r"://|^[\w.-]+:\d+$")
KINDS = ("api", "worker")


class Unsaid(ValueError):
    """The manifests hold something that nobody has said how to bring to this machine."""


@dataclass(frozen=True)
class Here:
    """What stands on this machine for the cluster's own."""

    brokers: str
    jwks: str
    collector: str
    publishers: str


Replacement = Callable[[Here, int], str]
REPLACED: Mapping[str, tuple[Replacement, str]] = {
    "CONVEYOR_PORT": (lambda _, port: str(port), "pods have an address each, here they share one"),
    "CONVEYOR_WORKER_PORT": (lambda _, port: str(port), "pods have an address each, here they share one"),
    "CONVEYOR_BROKERS": (lambda here, _: here.brokers, "one local broker, let in by name over TLS like those"),
    "CONVEYOR_JWKS": (lambda here, _: here.jwks, "the issuer's keys, made for this run"),
    "CONVEYOR_OTLP_ENDPOINT": (lambda here, _: here.collector, "a collector of this run"),
    "CONVEYOR_PUBLISHERS": (lambda here, _: here.publishers, "the addresses of the balancers"),
}
KEPT = {"CONVEYOR_ISSUER": "only a name here: tokens carry it and are signed with this run's key"}
"""Settings that look like addresses and stay."""
OF_THE_IMAGE = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Told:
    """What a Deployment or a Job says of its pods."""

    cluster: Cluster
    pod: Pod

    @property
    def called(self) -> str:
        return name(self.pod.owner)

    @property
    def service(self) -> str:
        return str(self.pod.labels["app.kubernetes.io/name"])

    @property
    def settings(self) -> dict[str, str]:
        """As rendered. What comes from elsewhere than a ConfigMap or a plain value would be lost: refused."""
        container = self.pod.container
        for entry in container.get("env", []):
            if "valueFrom" in entry:
                raise Unsaid(f"{self.called}: {entry['name']} comes from {entry['valueFrom']}")
        for source in container.get("envFrom", []):
            if set(source) != {"configMapRef"}:
                raise Unsaid(f"{self.called}: takes settings from {source}")
        return self.cluster.settings(self.pod)

    @property
    def mounts(self) -> Iterator[tuple[str, str]]:
        for mount in self.pod.container.get("volumeMounts", []):
            yield mount["name"], mount["mountPath"]

    def files(self) -> Iterator[tuple[str, str, str]]:
        """(secret, key, path) of every file that is mounted."""
        for volume, place in self.mounts:
            for secret, key, path in self.cluster.mounted(self.pod, volume):
                yield secret, key, f"{place}/{path}"

    def replicas(self) -> int:
        """As the Deployment says, else the least that its scaler keeps."""
        given = self.pod.owner["spec"].get("replicas")
        if given is not None:
            return int(given)
        for kind, least in (("HorizontalPodAutoscaler", "minReplicas"), ("ScaledObject", "minReplicaCount")):
            for scaler in self.cluster.of(kind):
                if scaler["spec"]["scaleTargetRef"]["name"] == self.called:
                    return int(scaler["spec"][least])
        raise Unsaid(f"{self.called}: nobody says how many pods there are")

    def rolling(self) -> tuple[int, int]:
        """How many pods more, and how many fewer, there may be while it is rolled."""
        given = self.pod.owner["spec"]["strategy"]["rollingUpdate"]
        surge, unavailable = given["maxSurge"], given["maxUnavailable"]
        if not isinstance(surge, int) or not isinstance(unavailable, int):
            raise Unsaid(f"{self.called}: {given} are not numbers of pods")
        return surge, unavailable

    def leaving(self) -> float:
        """How long the pod goes on before it is asked to end (preStop)."""
        before = self.pod.container.get("lifecycle", {}).get("preStop", {})
        if set(before) - {"sleep"}:
            raise Unsaid(f"{self.called}: preStop does {sorted(before)}")
        return float(before.get("sleep", {}).get("seconds", 0))

    def grace(self) -> float:
        return float(self.pod.spec["terminationGracePeriodSeconds"])

    def probe(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self.pod.container[kind]
        return found


def production(folder: Path = MANIFESTS / "overlays/production") -> Cluster:
    return Cluster("production", read(render(folder)))


def told(cluster: Cluster, services: Iterable[str], kinds: Iterable[str] = KINDS) -> list[Told]:
    """The Deployments (or Jobs) of these services."""
    wanted = {(service, kind) for service in services for kind in kinds}
    found = [Told(cluster, pod) for pod in cluster.pods]
    mine = [one for one in found if (one.service, one.pod.component) in wanted]
    if len(mine) != len(wanted):
        raise Unsaid(f"of {sorted(wanted)} only {[one.called for one in mine]} are there")
    return mine


def environment(one: Told, here: Here, port: int, root: Path) -> dict[str, str]:
    """The settings of one process: as rendered, but for what is replaced, and files below `root`."""
    found = {}
    for key, value in one.settings.items():
        if key in REPLACED:
            found[key] = REPLACED[key][0](here, port)
        elif any(value == place or value.startswith(f"{place}/") for _, place in one.mounts):
            found[key] = f"{root}{value}"
        elif ADDRESS.search(value) and key not in KEPT:
            raise Unsaid(f"{one.called}: {key} is an address in the cluster ({value}), and nothing stands for it here")
        else:
            found[key] = value
    return found


def unfounded(cluster: Cluster) -> set[str]:
    """Keys that are replaced or kept here, and that no pod has."""
    known = {key for pod in cluster.pods for key in cluster.settings(pod)}
    return (set(REPLACED) | set(KEPT)) - known


def explained(them: Iterable[Told], here: Here, root: Path) -> list[str]:
    """One line for each setting that is another one here."""
    lines: dict[str, str] = {}
    for one in them:
        for key, value in environment(one, here, 0, root).items():
            rendered = one.settings[key]
            if value == rendered:
                continue
            if key in REPLACED:
                shown = "one for each process" if key.endswith("_PORT") else value
                lines[key] = f"{key}: {shown} ({REPLACED[key][1]})"
            else:
                lines[key] = f"{key}: below {root} ({rendered})"
    return [lines[key] for key in sorted(lines)]
