"""The rendered manifests of one overlay, seen as what they make: pods with their settings, secrets and neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from belt.io.service import Service
from checks.docs.apps import deployed
from checks.k8s.development import ROLES, manifests
from checks.k8s.rendering import Manifest

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"


def name(manifest: Manifest) -> str:
    """Its own."""
    return str(manifest["metadata"]["name"])


def said(manifest: Manifest) -> str:
    """How it is called in a complaint."""
    return f"{manifest['kind']}/{name(manifest)}"


@dataclass(frozen=True)
class Pod:
    """What a Deployment or a Job starts."""

    owner: Manifest
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    def __str__(self) -> str:
        return said(self.owner)

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")

    @property
    def container(self) -> dict[str, Any]:
        """There is one (checked elsewhere)."""
        found: dict[str, Any] = self.spec["containers"][0]
        return found

    @property
    def args(self) -> list[str]:
        return list(self.container.get("args", []))

    def ports(self) -> dict[str, int]:
        """By name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", [])}


class Cluster:
    """One overlay as it would stand in a cluster."""

    def __init__(self, overlay: str, found: list[Manifest]) -> None:
        self.overlay, self.manifests = overlay, found

    def of(self, *kinds: str) -> Iterator[Manifest]:
        """All of these kinds."""
        return (manifest for manifest in self.manifests if manifest["kind"] in kinds)

    def one(self, kind: str, called: str) -> Manifest | None:
        """The one of this kind and name."""
        return next((manifest for manifest in self.of(kind) if name(manifest) == called), None)

    @cached_property
    def pods(self) -> list[Pod]:
        """Of every Deployment and Job."""
        templates = [(owner, owner["spec"]["template"]) for owner in self.of("Deployment", "Job")]
        return [Pod(owner, template["metadata"].get("labels", {}), template["spec"]) for owner, template in templates]

    def service_of(self, pod: Pod) -> Service | None:
        """The service whose code runs in it, by its label."""
        return next((service for service in deployed() if service.name == pod.labels.get(NAME)), None)

    def settings(self, pod: Pod) -> dict[str, str]:
        """The environment of its container."""
        found: dict[str, str] = {}
        for source in pod.container.get("envFrom", []):
            config = self.one("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            found |= (config or {}).get("data", {})
        return found | {entry["name"]: entry.get("value", "") for entry in pod.container.get("env", [])}

    @cached_property
    def secrets(self) -> dict[str, set[str]]:
        """Every Secret that will be there, whoever makes it, and its keys."""
        found: dict[str, set[str]] = {}
        for manifest in self.of("ExternalSecret"):
            found[name(manifest)] = set(manifest["spec"]["target"]["template"]["data"])
        for manifest in self.of("KafkaUser"):
            found[name(manifest)] = {"password", "sasl.jaas.config"}
        for manifest in self.of("Kafka"):
            found[f"{name(manifest)}-cluster-ca-cert"] = {"ca.crt", "ca.p12", "ca.password"}
        for manifest in self.of("Cluster"):
            found[f"{name(manifest)}-ca"] = {"ca.crt"}
            found[f"{name(manifest)}-app"] = {"username", "password", "host", "port", "dbname", "uri", "fqdn-uri"}
        if self.overlay == "dev":
            found |= {each["metadata"]["name"]: set(each["stringData"]) for each in manifests(None)}
        return found

    def mounted(self, pod: Pod, volume: str) -> Iterator[tuple[str, str, str]]:
        """(secret, key, file) for each file of a projected volume."""
        for each in pod.spec.get("volumes", []):
            for source in each.get("projected", {}).get("sources", []) if each["name"] == volume else ():
                secret = source["secret"]
                items = secret.get("items") or [
                    {"key": key, "path": key} for key in sorted(self.secrets.get(secret["name"], ()))
                ]
                for item in items:
                    yield secret["name"], item["key"], item["path"]


__all__ = ["COMPONENT", "NAME", "PART_OF", "ROLES", "Cluster", "Pod", "name", "said"]
