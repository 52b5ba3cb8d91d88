"""Texts of the working papers: YAML files in the package, each text in every language, checked when they are read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from enum import StrEnum
from importlib.resources import files
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints


class Language(StrEnum):
    EN = "en"
    RU = "ru"


class Written(BaseModel):
    """A part of a document: unknown keys are faults, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Line = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^\S(.*\S)?$")]


class Text(Written):
    """One text in every language."""

    en: Line
    ru: Line

    def within(self, language: Language) -> str:
        return self.ru if language is Language.RU else self.en


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""What answers call a part of a paper: never reworded, unlike its text."""

D = TypeVar("D", bound=BaseModel)


class _Once(yaml.SafeLoader):
    """YAML in which no key is written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found = super().construct_mapping(node, deep)
        if len(found) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is written twice", node.start_mark)
        return found


def read(model: type[D], text: str) -> D:
    """The document, or an error that says what is wrong with it."""
    return model.model_validate(yaml.load(text, _Once))  # noqa: S506 - a safe loader of ours


def versions(package: str, model: type[D]) -> Iterator[D]:
    """Every document in the package's folder `texts` whose name ends in its version, such as listening.v1.yaml."""
    for place in sorted(files(package).joinpath("texts").iterdir(), key=lambda file: file.name):
        stem, _, ending = place.name.removesuffix(".yaml").rpartition(".v")
        if not stem:
            continue
        document = read(model, place.read_text(encoding="utf-8"))
        if str(getattr(document, "version", "")) != ending:
            raise ValueError(f"{place.name} says that it is version {getattr(document, 'version', None)}")
        yield document
