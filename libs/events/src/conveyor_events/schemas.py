"""JSON Schema 2020-12 of every event, as the models say it."""

import inspect
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from conveyor_events.catalog import Entry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Untitled(GenerateJsonSchema):
    """A field's title would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        """Never."""
        return False


def name(entry: Entry, version: int) -> str:
    """The file name of one version of an event, such as leads.LeadQualified.v1.json."""
    return f"{entry.wire.removeprefix('conveyor.')}.v{version}.json"


def schema(entry: Entry) -> dict[str, Any]:
    """The JSON Schema 2020-12 of the event's data."""
    own = entry.model.model_json_schema(schema_generator=Untitled)
    return {
        "$schema": DIALECT,
        "$id": f"urn:{entry.wire.replace('.', ':')}:{entry.model.VERSION}",
        **own,
        "title": entry.wire,
        "description": meaning(entry.model),
    }


def meaning(model: type) -> str:
    """The docstring of a model in one line."""
    return " ".join((inspect.getdoc(model) or "").split())
