"""The words of a printed statement, in every language: data in words.yaml, checked when it is read."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from compensation.documents import Written, load
from compensation.line import KINDS


class Language(StrEnum):
    EN = "en"
    RU = "ru"


class Text(Written):
    """One text in every language."""

    en: str
    ru: str

    def within(self, language: Language) -> str:
        return self.ru if language is Language.RU else self.en


@cache
def wording(language: Language) -> dict[str, str]:
    """Every text by its key."""
    file = resources.files("compensation") / "paper" / "words.yaml"
    texts = TypeAdapter(dict[str, Text]).validate_python(load(file.read_text(encoding="utf-8")))
    missing = {f"kind_{kind}" for kind in KINDS} - texts.keys()
    if missing:
        raise LookupError(f"words.yaml has no text for {', '.join(sorted(missing))}")
    return {key: text.within(language) for key, text in texts.items()}
