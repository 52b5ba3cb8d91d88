"""docs/settings.md: every variable of a service's environment, as the class of settings declares it."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from belt.io.settings import Settings
from board.settings import BoardSettings
from checks.docs.apps import services

HEAD = """\
# Settings

Every service reads the same variables from its environment; they are checked once, at start, and what is wrong ends the
start with a sentence that says so. A variable may also be a file: `CONVEYOR_SECRETS_DIR` names a folder with a file per
variable, named like it in small letters (`conveyor_dsn`). The environment wins over the folder.

Secrets (marked 🔑) are never logged or shown. Those that are files are named by a path, and the path is no secret.
How to set them together, and how to replace each secret, is told in [security](security.md).

| variable | default | what it is |
|---|---|---|
"""
PRODUCTION = """
With `CONVEYOR_ENVIRONMENT=production` a service does not start with a driven clock, the development issuer or one
without https, keys of the issuer over plain http, or no sealing key; and what speaks to Kafka (`worker`, `all`) does
not start without TLS to it, unless `CONVEYOR_KAFKA_TRUSTED_NETWORK` says that the network encrypts.
"""


BOARD = """
## The board

It reads the variables above, and these. Its sealing key seals sessions; `CONVEYOR_PUBLISHERS` names all four services.

| variable | default | what it is |
|---|---|---|
"""


def page() -> str:
    """One row for each variable."""
    ports = ", ".join(f"{service.name} {service.port}" for service in services())
    rows = [_row(name, field, ports) for name, field in Settings.model_fields.items() if name != "service"]
    more = [
        _row(name, field, "") for name, field in BoardSettings.model_fields.items() if name not in Settings.model_fields
    ]
    return HEAD + "\n".join(rows) + "\n" + PRODUCTION + BOARD + "\n".join(more) + "\n"


def _row(name: str, field: FieldInfo, ports: str) -> str:
    variable = f"`CONVEYOR_{name.upper()}`{' 🔑' if secret(field) else ''}"
    return f"| {variable} | {_default(name, field, ports)} | {_about(field)} |"


def secret(field: FieldInfo) -> bool:
    """Whether the value, or the file that it names, must be kept from others."""
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret") is True


def _about(field: FieldInfo) -> str:
    words = "; ".join(_bounds(field))
    return f"{field.description}{f' ({words})' if words else ''}".replace("|", "\\|")


def _bounds(field: FieldInfo) -> Iterator[str]:
    """What values there are: the words of a choice, or the ends of a range."""
    choices = _choices(field.annotation)
    if choices:
        yield ", ".join(f"`{choice}`" for choice in choices)
    if _is_path(field.annotation):
        yield "a path"
    for bound in field.metadata:
        if isinstance(bound, Ge):
            yield f"at least {bound.ge}"
        elif isinstance(bound, Gt):
            yield f"more than {bound.gt}"
        elif isinstance(bound, Le):
            yield f"at most {bound.le}"


def _choices(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _is_path(kind: Any) -> bool:
    return kind is Path or (get_origin(kind) in (Union, types.UnionType) and Path in get_args(kind))


def _default(name: str, field: FieldInfo, ports: str) -> str:
    if name == "port":
        return ports
    if field.default is PydanticUndefined:
        return "**must be set**"
    if field.default is None:
        return ""
    if isinstance(field.default, str):
        return f"`{field.default}`"
    return f"`{json.dumps(field.default)}`"
