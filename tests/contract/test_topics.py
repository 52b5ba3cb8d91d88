"""One list of topics: the catalog's is that of AsyncAPI, of the manifests and of the local stack."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from conveyor_events import CATALOG, TOPICS
from conveyor_events.catalog import KEPT, MIN_INSYNC_REPLICAS, REPLICAS
from conveyor_events.generate import CHECKOUT, differences
from conveyor_local.admin import catalog_topics

pytestmark = pytest.mark.contract

ASYNCAPI = "libs/events/asyncapi.json"
MANIFEST = "deploy/k8s/components/strimzi/topics.yaml"
PARTITIONS = {topic.name: topic.partitions for topic in TOPICS.values()}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHECKOUT / ASYNCAPI).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CHECKOUT / MANIFEST).read_text(encoding="utf-8")))


def test_topics_in_code_are_those_of_asyncapi(described: dict[str, Any]) -> None:
    kafka = {name: channel["bindings"]["kafka"] for name, channel in described["channels"].items()}
    assert {name: about["partitions"] for name, about in kafka.items()} == PARTITIONS
    assert all(about["topic"] == name and about["replicas"] == REPLICAS for name, about in kafka.items())
    assert all(channel["address"] == name for name, channel in described["channels"].items())


def test_topics_in_code_are_those_of_the_manifests(manifests: list[dict[str, Any]]) -> None:
    assert {one["metadata"]["name"]: one["spec"]["partitions"] for one in manifests} == PARTITIONS
    for one in manifests:
        assert (one["apiVersion"], one["kind"]) == ("kafka.strimzi.io/v1", "KafkaTopic")
        assert one["spec"]["replicas"] == REPLICAS == 3
        config = {name: str(value) for name, value in one["spec"]["config"].items()}
        assert config == KEPT | {"min.insync.replicas": str(MIN_INSYNC_REPLICAS)}
        assert config["retention.ms"] == config["retention.bytes"] == "-1"


def test_asyncapi_says_how_topics_are_kept(described: dict[str, Any]) -> None:
    for channel in described["channels"].values():
        said = channel["bindings"]["kafka"]["topicConfiguration"]
        kept = {
            "cleanup.policy": said["cleanup.policy"][0],
            "compression.type": "uncompressed",
        }  # no word of AsyncAPI's
        assert kept | {name: str(said[name]) for name in ("retention.ms", "retention.bytes")} == KEPT


def test_the_local_stack_makes_the_topics_of_the_catalog() -> None:
    assert catalog_topics() == PARTITIONS


def test_every_event_is_on_its_topic_in_asyncapi(described: dict[str, Any]) -> None:
    wires = {
        (name, described["components"]["messages"][message["$ref"].rpartition("/")[2]]["name"])
        for name, channel in described["channels"].items()
        for message in channel["messages"].values()
    }
    assert wires == {(entry.topic, entry.wire) for entry in CATALOG}


def test_publisher_and_subscribers_are_seen_in_asyncapi(described: dict[str, Any]) -> None:
    seen = {
        (one["action"], one["tags"][0]["name"], one["channel"]["$ref"].rpartition("/")[2])
        for one in described["operations"].values()
    }
    sends = {("send", topic.publisher, topic.name) for topic in TOPICS.values()}
    receives = {("receive", one, topic.name) for topic in TOPICS.values() for one in topic.subscribers}
    assert seen == sends | receives


@pytest.mark.parametrize("path", [MANIFEST, ASYNCAPI])
def test_a_topic_that_is_missing_there_or_other_there_is_found(tmp_path: Path, path: str) -> None:
    for folder in ("libs/events", "docs", "deploy/k8s"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.py", "released"))
    assert list(differences(tmp_path)) == []
    seeded = tmp_path / path
    seeded.write_text(seeded.read_text().replace("conveyor.leads.v1", "conveyor.leads.v2"))
    assert list(differences(tmp_path)) == [f"{path}: differs"]
    shutil.copy(CHECKOUT / path, seeded)
    seeded.write_text(seeded.read_text().replace("artitions: 12", "artitions: 13").replace('ions": 12', 'ions": 13'))
    assert list(differences(tmp_path)) == [f"{path}: differs"]
