"""Rules for the network: nobody talks to anybody, but for what the settings name; that, everybody can reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from checks.k8s.cluster import PART_OF, Cluster, Pod, said
from checks.k8s.rendering import Manifest

SPACE = "kubernetes.io/metadata.name"
BROKERS = {"strimzi.io/kind": "Kafka"}


@dataclass(frozen=True)
class Way:
    """From a pod to somewhere: other pods here, another namespace, or (neither) the world outside."""

    pod: Pod
    what: str
    port: int | str
    labels: Mapping[str, str] | None = None
    space: str | None = None

    def __str__(self) -> str:
        return f"{self.pod}: no way to {self.what} at {self.port}"


def nobody_talks_to_anybody(cluster: Cluster) -> Iterator[str]:
    """One policy closes every pod of ours in both directions, and no other opens more than it names."""
    closed = [policy for policy in cluster.of("NetworkPolicy") if _closes(policy)]
    for pod in cluster.pods:
        if not any(_selects(policy["spec"]["podSelector"], pod.labels) for policy in closed):
            yield f"{pod}: no policy closes it"
    for policy in cluster.of("NetworkPolicy"):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                ours = not str(policy["spec"]["podSelector"]).count("cnpg.io/cluster")
                if not rule.get(peers) or (ours and not rule.get("ports")):
                    yield f"{said(policy)}: {direction} to or from anybody, or at any port"
                if any(_anywhere(peer) for peer in rule.get(peers, [])):
                    yield f"{said(policy)}: {direction} is open to everywhere"


def every_way_is_open(cluster: Cluster) -> Iterator[str]:
    """What the settings of a pod name, it can reach: database, Kafka, publishers, issuer, traces."""
    for pod in cluster.pods:
        for way in _ways(cluster, pod):
            if not any(_opens(policy, way) for policy in cluster.of("NetworkPolicy")):
                yield str(way)
            if way.labels is not None and PART_OF in way.labels and not _lets_in(cluster, way):
                yield f"{way}: it is not let in"


def _ways(cluster: Cluster, pod: Pod) -> Iterator[Way]:
    settings = cluster.settings(pod)
    service = cluster.service_of(pod)
    if service is None:
        return
    yield Way(pod, "names", 53, {"k8s-app": "kube-dns"}, "kube-system")
    if any(cluster.of("Cluster")):
        yield Way(pod, "its database", 5432, {"cnpg.io/cluster": f"{service.name}-db"})
    if pod.component == "worker" and any(cluster.of("Kafka")):
        host, _, port = settings["CONVEYOR_BROKERS"].partition(",")[0].rpartition(":")
        yield Way(pod, host, int(port), BROKERS | {"strimzi.io/cluster": host.removesuffix("-kafka-bootstrap")})
    if pod.component in ("api", "worker"):
        for other in cluster.pods:
            if other.component == "api" and other.labels != pod.labels:
                yield Way(pod, str(other), "http", other.labels)
        if endpoint := settings.get("CONVEYOR_OTLP_ENDPOINT"):
            there = urlsplit(endpoint)
            yield Way(pod, endpoint, there.port or 80, None, (there.hostname or "").partition(".")[2].partition(".")[0])
    if pod.component == "api" and settings["CONVEYOR_JWKS"].startswith("https://"):
        there = urlsplit(settings["CONVEYOR_JWKS"])
        yield Way(pod, there.hostname or "", there.port or 443)


def _opens(policy: Manifest, way: Way) -> bool:
    spec = policy["spec"]
    return _selects(spec["podSelector"], way.pod.labels) and any(
        _port(rule, way) and any(_reaches(peer, way) for peer in rule.get("to", [])) for rule in spec.get("egress", [])
    )


def _lets_in(cluster: Cluster, way: Way) -> bool:
    return any(
        _selects(policy["spec"]["podSelector"], way.labels or {})
        and any(
            _port(rule, way) and any(_selects(peer.get("podSelector"), way.pod.labels) for peer in rule["from"])
            for rule in policy["spec"].get("ingress", [])
        )
        for policy in cluster.of("NetworkPolicy")
    )


def _port(rule: Mapping[str, Any], way: Way) -> bool:
    return any(port.get("port") == way.port for port in rule.get("ports", []))


def _reaches(peer: Mapping[str, Any], way: Way) -> bool:
    if way.labels is None and way.space is None:
        return "ipBlock" in peer
    if way.space is None:
        return "namespaceSelector" not in peer and _selects(peer.get("podSelector"), way.labels or {})
    return _selects(peer.get("namespaceSelector"), {SPACE: way.space}) and (
        "podSelector" not in peer or _selects(peer["podSelector"], way.labels or {})
    )


def _selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector that says something finds these labels."""
    if not selector:
        return False
    if any(rule["operator"] != "In" for rule in selector.get("matchExpressions", [])):
        raise NotImplementedError("a selector that is no list of what may be")
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", [])
    )


def _closes(policy: Manifest) -> bool:
    spec = policy["spec"]
    return {"Ingress", "Egress"} == set(spec["policyTypes"]) and not spec.get("ingress") and not spec.get("egress")


def _anywhere(peer: Mapping[str, Any]) -> bool:
    """An empty selector means everybody; the world outside is meant only without the private addresses."""
    block = peer.get("ipBlock", {})
    empty = any(key in peer and not peer[key] for key in ("podSelector", "namespaceSelector"))
    return empty or (block.get("cidr", "").endswith("/0") and len(block.get("except", [])) < 3)
