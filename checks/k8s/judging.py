"""All that an overlay must fulfil: the own rules, the schemas of custom resources, and the tools' verdicts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator

from checks.k8s import kafka, network, pods, secrets, watching
from checks.k8s.cluster import Cluster, said
from checks.k8s.rendering import TOOLS

SCHEMAS = Path(__file__).with_name("schemas.yaml")
BUILT_IN = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")
KUBERNETES = "1.34.0"
DEADLINE = 120

Rule = Callable[[Cluster], Iterator[str]]

SKIPPED = {
    "CKV_K8S_11": "a limit on the processor makes a busy pod slower than its node is; requests share it out",
    "CKV_K8S_15": "a version's image does not change: what is there need not be fetched again",
    "CKV_K8S_43": "digests are a company's own: its overlay sets them when it has built or mirrored the images",
}
"""Findings of checkov that are decisions. Everything else it finds is a failure."""


def resources_fit_their_schemas(cluster: Cluster) -> Iterator[str]:
    """Custom resources have the fields that we know, and no others."""
    for manifest in cluster.manifests:
        if manifest["apiVersion"] in BUILT_IN:
            continue
        validator = _validators().get(f"{manifest['apiVersion']}/{manifest['kind']}")
        if validator is None:
            yield f"{said(manifest)}: no schema for it in {SCHEMAS.name}"
            continue
        more = manifest.keys() - {"apiVersion", "kind", "metadata", "spec"}
        if more:
            yield f"{said(manifest)}: {sorted(more)} beside the spec"
        for error in validator.iter_errors(manifest.get("spec", {})):
            yield f"{said(manifest)}: spec.{'.'.join(map(str, error.instance_path))}: {error.message}"


RULES: tuple[Rule, ...] = (
    resources_fit_their_schemas,
    pods.pods_may_nothing,
    pods.probes_ask_what_the_code_answers,
    pods.pods_end_in_time,
    pods.services_are_whole,
    pods.settings_go_first,
    pods.ports_agree,
    pods.images_are_of_one_version,
    pods.a_company_has_a_namespace,
    secrets.settings_are_the_codes,
    secrets.secrets_come_from_somewhere,
    secrets.nothing_secret_is_in_clear,
    secrets.the_code_would_start,
    network.nobody_talks_to_anybody,
    network.every_way_is_open,
    kafka.topics_are_the_catalogs,
    kafka.permissions_are_the_catalogs,
    kafka.one_scaler_for_each,
    kafka.workers_follow_their_topics,
    kafka.databases_are_the_services,
    kafka.production_is_safe,
    kafka.pods_know_what_they_need,
    watching.alerts_ask_what_is_measured,
    watching.alerts_lead_to_runbooks,
    watching.dashboards_ask_what_is_measured,
)


def breaches(cluster: Cluster) -> list[str]:
    """Of the own rules: [rule] what is wrong."""
    return [f"[{rule.__name__}] {breach}" for rule in RULES for breach in rule(cluster)]


@cache
def _validators() -> Mapping[str, Draft202012Validator]:
    schemas: dict[str, Any] = yaml.safe_load(SCHEMAS.read_text())
    shared = schemas.pop("$defs")
    return {
        kind: Draft202012Validator({"type": "object", **schema, "$defs": shared}) for kind, schema in schemas.items()
    }


def kubernetes_says(rendered: Path) -> list[str]:
    """What kubernetes-validate has against the built-in kinds of this file, field by field."""
    ended = _tool("kubernetes-validate", "--strict", "--no-warn", "--quiet", "-k", KUBERNETES, str(rendered))
    return (
        [] if ended.returncode == 0 else [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    )


def checkov_says(*rendered: Path) -> list[str]:
    """What checkov finds in these files, but for what is decided otherwise."""
    files = [word for path in rendered for word in ("-f", str(path))]
    skipped = ["--skip-check", ",".join(SKIPPED)]
    ended = _tool(
        "checkov",
        "--framework",
        "kubernetes",
        "--quiet",
        "--compact",
        "--skip-download",
        "-o",
        "json",
        *files,
        *skipped,
    )
    try:
        found = json.loads(ended.stdout)
    except ValueError:
        return [f"checkov ended with {ended.returncode}: {ended.stderr.strip()[-500:]}"]
    if not found["summary"]["passed"]:
        return ["checkov found nothing to look at"]
    return [
        f"{failed['check_id']} {failed['check_name']}: {failed['resource']}"
        for failed in found["results"]["failed_checks"]
    ]


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = TOOLS / "bin" / name
    if not program.is_file():
        raise FileNotFoundError(f"{name} is not there yet: `make tools`")
    return subprocess.run(
        [str(program), *arguments],
        cwd=TOOLS,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
