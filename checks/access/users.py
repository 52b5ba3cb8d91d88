"""The table of permissions as users of Strimzi: deploy/k8s/components/strimzi/users.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

import yaml

from checks.access.kafka import PARTNERS, Rule

HEAD = """\
# Written by `python -m checks.access --write` from the catalog of topics and what each service listens to.
# Strimzi makes a SCRAM-SHA-512 password for each user, in a Secret of that name, and allows only what stands here.
# `partner` is an example for outside readers: give each a user of its own, with groups of its own name.
"""
CLUSTER = "conveyor"
SLOW_ENOUGH = {"consumerByteRate": 10 * 1024 * 1024, "requestPercentage": 20}  # a partner cannot crowd out the line


def manifest(rules: Iterable[Rule]) -> str:
    """One KafkaUser for each user of the table."""
    users = [_user(name, list(own)) for name, own in groupby(rules, attrgetter("user"))]
    return HEAD + "".join(f"---\n{yaml.safe_dump(user, sort_keys=False, width=120)}" for user in users)


def _user(name: str, rules: list[Rule]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": [_acl(rule) for rule in rules]},
    }
    if name in PARTNERS:
        spec["quotas"] = dict(SLOW_ENOUGH)
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": spec,
    }


def _acl(rule: Rule) -> dict[str, Any]:
    return {
        "resource": {"type": rule.resource, "name": rule.name, "patternType": rule.pattern},
        "operations": list(rule.operations),
        "host": "*",
    }


def read(text: str) -> list[Rule]:
    """The rules that a manifest grants, read from the manifest alone."""
    found = []
    for user in yaml.safe_load_all(text):
        for acl in user["spec"]["authorization"]["acls"]:
            where = acl["resource"]
            if acl.get("type", "allow") == "allow":
                place = where["type"], where["name"], where["patternType"]
                found.append(Rule(user["metadata"]["name"], *place, tuple(acl["operations"])))
    return found
