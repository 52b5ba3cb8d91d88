"""deploy/k8s/components/strimzi/topics.yaml: the topics of the catalog for an operator that makes them."""

from conveyor_events.catalog import KEPT, MIN_INSYNC_REPLICAS, REPLICAS, TOPICS, Topic

CLUSTER = "conveyor"
HEAD = "# Written by `python -m conveyor_events.generate`. Change catalog.py, not this file.\n"


def manifest() -> str:
    """One KafkaTopic each. Partitions are never changed afterwards: a key must stay where it is."""
    return HEAD + "".join(_topic(topic) for topic in TOPICS.values())


def _topic(topic: Topic) -> str:
    settings = KEPT | {"min.insync.replicas": str(MIN_INSYNC_REPLICAS)}
    config = "".join(f"    {name}: {_value(value)}\n" for name, value in sorted(settings.items()))
    return (
        "---\n"
        "apiVersion: kafka.strimzi.io/v1\n"
        "kind: KafkaTopic\n"
        "metadata:\n"
        f"  name: {topic.name}\n"
        "  labels:\n"
        f"    strimzi.io/cluster: {CLUSTER}\n"
        "spec:\n"
        f"  partitions: {topic.partitions}\n"
        f"  replicas: {REPLICAS}\n"
        "  config:\n"
        f"{config}"
    )


def _value(value: str) -> str:
    return value if value.lstrip("-").isdigit() else f'"{value}"'
