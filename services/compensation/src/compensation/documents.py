"""Documents people write by hand: YAML read so that no number ever becomes a float, and faults that name their path."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: `rules[1].bands.steps[2].from`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class FaultyDocument(ValueError):
    """A document that cannot be used, with everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class Written(BaseModel):
    """A part of a document: unknown keys are faults, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Loader(yaml.SafeLoader):
    """YAML in which every number and date stays the text that was written, and no key is written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key is a word", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Any:
    """The content of a YAML (or JSON) text; every scalar is text or None."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, only stricter
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FaultyDocument([Fault(where, str(getattr(wrong, "problem", None) or wrong))]) from wrong


def read(model: type[_M], content: object) -> _M:
    """The content as the model. Raises FaultyDocument, which names every fault by its path."""
    if not isinstance(content, Mapping):
        raise FaultyDocument([Fault("", "the document is not a mapping of keys to values")])
    try:
        return model.model_validate(content)
    except ValidationError as wrong:
        faults = [Fault(_path(e["loc"], content), _message(e["type"], e["msg"])) for e in wrong.errors()]
        raise FaultyDocument(faults) from wrong


def _path(location: tuple[int | str, ...], content: object) -> str:
    """The place in the written document: pydantic's own names for a union's members are left out."""
    path, here = "", content
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
            here = here[step] if isinstance(here, list) and step < len(here) else None
        elif isinstance(here, Mapping) and here.get("kind") == step and step not in here:
            continue
        else:
            path += f".{step}" if path else step
            here = here.get(step) if isinstance(here, Mapping) else None
    return path


def _message(kind: str, text: str) -> str:
    return _PLAINER.get(kind, text).removeprefix("Value error, ")


_PLAINER = {
    "extra_forbidden": "this key is not known here",
    "missing": "this key is missing",
    "model_type": "this is not a mapping of keys to values",
}
