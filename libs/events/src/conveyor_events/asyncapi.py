"""libs/events/asyncapi.json: the topics, who sends and who receives, and every event, in the words of AsyncAPI 3.1."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from conveyor_events.catalog import CATALOG, KEPT, REPLICAS, TOPICS, Entry, Topic
from conveyor_events.envelope import ATTRIBUTES, OPTIONAL, Envelope, to_kafka
from conveyor_events.schemas import name, schema

KAFKA = "0.5.0"  # the version of AsyncAPI's Kafka bindings
ABOUT = (
    "What Conveyor tells others. The events of one subject arrive in order on its topic; topics are not ordered among "
    "each other. The same event may arrive twice, with the same id. Inside a topic version fields are only added, and "
    "unknown ones are to be ignored. No topic carries names, phones, mails or notes of people. How to consume: "
    "docs/consumers.md."
)


def document(samples: Iterable[Envelope]) -> dict[str, Any]:
    """The whole document; each sample becomes the example of its event."""
    examples = {(env.type, env.schema_version): env for env in samples}
    parts: dict[str, Any] = {}
    payloads = {key(entry): payload(entry, parts) for entry in CATALOG}
    messages = {key(entry): message(entry, examples[entry.wire, entry.model.VERSION]) for entry in CATALOG}
    return {
        "asyncapi": "3.1.0",
        "id": "urn:conveyor:events",
        "info": {
            "title": "Conveyor events",
            "version": version("conveyor-events"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": service} for service in services()],
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "The company's Kafka; with SASL and TLS where it is configured so.",
                "variables": {"brokers": {"default": "localhost:9092", "description": "bootstrap servers"}},
            }
        },
        "channels": {topic.name: channel(topic) for topic in TOPICS.values()},
        "operations": dict(operations()),
        "components": {
            "messages": messages,
            "messageTraits": {"cloudEvent": cloud_event()},
            "schemas": payloads | dict(sorted(parts.items())),
        },
    }


def services() -> list[str]:
    """Who publishes or subscribes, in the order of the line."""
    return list(dict.fromkeys(topic.publisher for topic in TOPICS.values()))


def key(entry: Entry) -> str:
    """What a message and its payload are called in the components, such as leads.LeadQualified.v1."""
    return name(entry, entry.model.VERSION).removesuffix(".json")


def channel(topic: Topic) -> dict[str, Any]:
    """A topic: its events, and how Kafka keeps them."""
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "replicas": REPLICAS,
        "topicConfiguration": {
            "cleanup.policy": [KEPT["cleanup.policy"]],
            "retention.ms": int(KEPT["retention.ms"]),
            "retention.bytes": int(KEPT["retention.bytes"]),
        },
        "bindingVersion": KAFKA,
    }
    return {
        "address": topic.name,
        "description": topic.about,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {
            entry.model.__name__: {"$ref": f"#/components/messages/{key(entry)}"}
            for entry in CATALOG
            if entry.topic == topic.name
        },
        "bindings": {"kafka": kafka},
    }


def operations() -> Iterable[tuple[str, dict[str, Any]]]:
    """For each topic the service that sends, and each of ours that receives."""
    for topic in TOPICS.values():
        yield f"{topic.publisher}.sends.{topic.short}", _operation(topic, "send", topic.publisher, "clientId")
        for service in topic.subscribers:
            yield f"{service}.receives.{topic.short}", _operation(topic, "receive", service, "groupId")


def _operation(topic: Topic, action: str, service: str, identity: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "title": f"{service} {action}s {topic.short}",
        "tags": [{"name": service}],
        "bindings": {"kafka": {identity: {"type": "string", "const": service}, "bindingVersion": KAFKA}},
    }


def message(entry: Entry, example: Envelope) -> dict[str, Any]:
    """One event as a record: its own two headers beside those that all share, its data, its key, its sample."""
    kind = {"ce_type": entry.wire, "ce_schemaversion": str(entry.model.VERSION)}
    _, _, headers = to_kafka(example)
    return {
        "name": entry.wire,
        "title": entry.model.__name__,
        "summary": schema(entry)["description"],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {header: {"type": "string", "const": text} for header, text in kind.items()},
        },
        "payload": {"$ref": f"#/components/schemas/{key(entry)}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"the subject: {entry.subject}"},
                "bindingVersion": KAFKA,
            }
        },
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "examples": [{"headers": {header: text.decode() for header, text in headers}, "payload": example.data}],
    }


def cloud_event() -> dict[str, Any]:
    """What all records share: CloudEvents 1.0 in binary mode, each attribute a header."""
    form: dict[str, dict[str, Any]] = {
        "specversion": {"const": "1.0"},
        "id": {"format": "uuid"},
        "time": {"format": "date-time"},
        "recordedtime": {"format": "date-time"},
        "sequence": {"pattern": "^[0-9]{10,}$"},
    }
    properties = {
        f"ce_{attribute}": {"type": "string", **form.get(attribute, {}), "description": about}
        for attribute, about in ATTRIBUTES.items()
    }
    content = {"type": "string", "const": "application/json"}
    required = [f"ce_{attribute}" for attribute in ATTRIBUTES if attribute not in OPTIONAL]
    return {
        "headers": {
            "type": "object",
            "properties": {**properties, "content-type": content},
            "required": [*required, "content-type"],
        }
    }


def payload(entry: Entry, parts: dict[str, Any]) -> dict[str, Any]:
    """The event's schema with its shared parts put into `parts`, where one name means one shape."""
    own = _at_home(schema(entry))
    for part, shape in own.pop("$defs", {}).items():
        if parts.setdefault(part, shape) != shape:
            raise ValueError(f"two parts of the language are called {part}")
    return {field: value for field, value in own.items() if field not in ("$schema", "$id")}


def _at_home(shape: Any) -> Any:
    """The same, with references to where the components of this document are."""
    if isinstance(shape, dict):
        return {
            field: value.replace("#/$defs/", "#/components/schemas/") if field == "$ref" else _at_home(value)
            for field, value in shape.items()
        }
    return [_at_home(one) for one in shape] if isinstance(shape, Sequence) and not isinstance(shape, str) else shape
