"""Rules for every pod: what it may, how it is asked, how it ends, and that every service has all of its parts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from belt.io.process import GRACE
from belt.io.settings import Settings
from checks.docs.apps import app, deployed
from checks.k8s.cluster import COMPONENT, NAME, PART_OF, Cluster, Pod, name, said
from checks.k8s.rendering import ROOT, Manifest

RESTRICTED = ("enforce", "warn", "audit")
ASKS = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
METRICS = "/metrics"
SETTINGS = "settings"


def pods_may_nothing(cluster: Cluster) -> Iterator[str]:
    """Not root, no privileges, nothing to write but /tmp, no token, a limit for memory and none for the processor."""
    for pod in cluster.pods:
        spec, container = pod.spec, pod.container
        security = spec.get("securityContext", {})
        if len(spec["containers"]) != 1 or spec.get("initContainers"):
            yield f"{pod}: one container, please"
        if any(spec.get(word) for word in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{pod}: it shares something with its host"
        if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
            yield f"{pod}: it may run as root"
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod}: no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{pod}: it gets a token for the Kubernetes API"
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        if container.get("securityContext") != wanted:
            yield f"{pod}: its container may more (or something else) than {wanted}"
        if any("hostPath" in volume for volume in spec.get("volumes", [])):
            yield f"{pod}: it sees its host's files"
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or set(resources.get("limits", {})) != {
            "memory"
        }:
            yield f"{pod}: it asks for processor and memory, and is limited in memory only"
        if not any(mount["mountPath"] == "/tmp" for mount in container.get("volumeMounts", [])):
            yield f"{pod}: no room for temporary files"


def probes_ask_what_the_code_answers(cluster: Cluster) -> Iterator[str]:
    """Three probes for what runs on: at routes that the code has, on a port that the container has."""
    for pod in cluster.pods:
        service = cluster.service_of(pod)
        if pod.owner["kind"] != "Deployment" or service is None:
            continue
        routes = {getattr(route, "path", None) for route in app(service.name).routes}
        for probe, path in ASKS.items():
            asked = pod.container.get(probe, {}).get("httpGet", {})
            if asked.get("path") != path or path not in routes:
                yield f"{pod}: {probe} asks {asked.get('path')}, not {path}"
            if asked.get("port") not in pod.ports():
                yield f"{pod}: {probe} asks at the port {asked.get('port')}, which it does not have"
    for monitor in cluster.of("ServiceMonitor", "PodMonitor"):
        spec = monitor["spec"]
        for end in spec.get("endpoints", spec.get("podMetricsEndpoints", [])):
            wanted = spec["selector"]["matchLabels"].items()
            seen = [pod for pod in cluster.pods if wanted <= pod.labels.items()]
            if not seen or any(end["port"] not in pod.ports() for pod in seen) or end["path"] != METRICS:
                yield f"{said(monitor)}: nothing shows {end['path']} at {end['port']}"


def pods_end_in_time(cluster: Cluster) -> Iterator[str]:
    """A pod has time for all of its drain before it is killed."""
    for pod in cluster.pods:
        if pod.owner["kind"] != "Deployment":
            continue
        drain = float(
            cluster.settings(pod).get(
                "CONVEYOR_SHUTDOWN_DEADLINE", Settings.model_fields["shutdown_deadline"].get_default()
            )
        )
        before = pod.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        has = pod.spec.get("terminationGracePeriodSeconds", 30)
        if has <= before + drain + GRACE:
            yield f"{pod}: killed after {has} s, but its end may take {before + drain + GRACE:.0f} s"
        if pod.component == "api" and not before:
            yield f"{pod}: it stops before the others know (preStop)"


def services_are_whole(cluster: Cluster) -> Iterator[str]:
    """Each service of the code: doors, workers, a migration, an address, an account, and pods that are spread."""
    for service in deployed():
        wanted = {
            "Deployment": {"api", "worker"},
            "PodDisruptionBudget": {"api", "worker"},
            "Job": {"migrate"},
            "Service": {"api"},
            "ServiceAccount": {"pod"},
        }
        for kind, parts in wanted.items():
            for part in sorted(parts):
                if cluster.one(kind, f"{service.name}-{part}") is None:
                    yield f"{kind}/{service.name}-{part}: missing"
    known = {service.name for service in deployed()}
    for pod in cluster.pods:
        code = cluster.service_of(pod)
        labels = {NAME: pod.labels.get(NAME), COMPONENT: pod.args[-1] if pod.args else None, PART_OF: "conveyor"}
        if pod.labels.get(NAME) not in known or labels.items() - pod.labels.items():
            yield f"{pod}: labelled {dict(pod.labels)}, expected {labels}"
        if code is not None and pod.args != [code.package, pod.component]:
            yield f"{pod}: starts {pod.args}, expected {[code.package, pod.component]}"
        account = cluster.one("ServiceAccount", pod.spec.get("serviceAccountName", ""))
        if account is None or account.get("automountServiceAccountToken") is not False:
            yield f"{pod}: no account without a token"
    for deployment in cluster.of("Deployment"):
        yield from _spread(deployment, cluster)


def _spread(deployment: Manifest, cluster: Cluster) -> Iterator[str]:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selector = deployment["spec"]["selector"]["matchLabels"]
    if not selector.items() <= labels.items():
        yield f"{said(deployment)}: it does not find its own pods"
    spread = deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
    if not spread or any(each["labelSelector"]["matchLabels"] != selector for each in spread):
        yield f"{said(deployment)}: its pods are not spread"
    budget = cluster.one("PodDisruptionBudget", name(deployment))
    if budget is not None and (
        budget["spec"]["selector"]["matchLabels"] != selector
        or budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow"
    ):
        yield f"{said(budget)}: other pods than the Deployment's, or sick ones hold up a drain"


def settings_go_first(cluster: Cluster) -> Iterator[str]:
    """What a pod is told is applied with the migrations, before any Deployment: its name is new if it has changed."""
    for pod in cluster.pods:
        for source in pod.container.get("envFrom", []):
            config = cluster.one("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            if config is not None and config["metadata"].get("labels", {}).get(COMPONENT) != SETTINGS:
                yield f"{pod}: {said(config)} would not be there yet: label it {COMPONENT}: {SETTINGS}"


def ports_agree(cluster: Cluster) -> Iterator[str]:
    """The code's port is the container's, the Service's and the setting's."""
    for pod in cluster.pods:
        service = cluster.service_of(pod)
        if service is None or pod.owner["kind"] != "Deployment":
            continue
        setting = "CONVEYOR_WORKER_PORT" if pod.component == "worker" else "CONVEYOR_PORT"
        found = {str(service.port), cluster.settings(pod).get(setting), *map(str, pod.ports().values())}
        if len(found) != 1:
            yield f"{pod}: ports differ: {sorted(map(str, found))}"
        if pod.component == "api" and (address := cluster.one("Service", name(pod.owner))) is not None:
            yield from _address(address, pod, service.port)


def _address(address: Manifest, pod: Pod, port: int) -> Iterator[str]:
    if not address["spec"]["selector"].items() <= pod.labels.items() or NAME not in address["spec"]["selector"]:
        yield f"{said(address)}: it does not find its pods"
    for given in address["spec"]["ports"]:
        if given["port"] != port or given["targetPort"] not in pod.ports():
            yield f"{said(address)}: leads from {given['port']} to {given['targetPort']}, the code listens at {port}"


def images_are_of_one_version(cluster: Cluster) -> Iterator[str]:
    """Each pod runs its own service's image, and all of them the version that this checkout is."""
    for pod in cluster.pods:
        image, _, version = pod.container["image"].partition("@")[0].rpartition(":")
        if image.rpartition("/")[2] != pod.labels.get(NAME):
            yield f"{pod}: the image {image} is of another service"
        if version != _version():
            yield f"{pod}: the image is of version {version}, this is {_version()}"


def _version() -> str:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def a_company_has_a_namespace(cluster: Cluster) -> Iterator[str]:
    """One, restricted; everything lies in it, and every name is used once."""
    spaces = list(cluster.of("Namespace"))
    if len(spaces) != 1:
        yield f"{len(spaces)} namespaces"
        return
    labels = spaces[0]["metadata"].get("labels", {})
    if any(labels.get(f"pod-security.kubernetes.io/{word}") != "restricted" for word in RESTRICTED):
        yield f"{said(spaces[0])}: pods are not restricted"
    seen = set()
    for manifest in cluster.manifests:
        if manifest["kind"] != "Namespace" and manifest["metadata"].get("namespace") != name(spaces[0]):
            yield f"{said(manifest)}: outside of the namespace"
        if said(manifest) in seen:
            yield f"{said(manifest)}: twice"
        seen.add(said(manifest))
