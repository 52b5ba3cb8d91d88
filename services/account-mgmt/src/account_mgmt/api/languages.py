"""In which language a text is shown: `?lang=`, else the best of Accept-Language, else English."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header, Query
from starlette.responses import Response

from account_mgmt.papers.texts import Language
from belt.io.http.headers import json_response

Lang = Annotated[Language | None, Query(description="before Accept-Language")]
Accepted = Annotated[str | None, Header(alias="accept-language", max_length=1_000)]

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,40})?\s*(?:;\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def chosen(lang: Language | None, accepted: str | None) -> Language:
    """What is not understood in the header is passed over, as RFC 9110 has it."""
    if lang is not None:
        return lang
    wishes: dict[str, float] = {}
    for part in (accepted or "").split(","):
        found = _RANGE.fullmatch(part)
        if found:
            name, weight = found[1].lower(), float(found[2] or 1)
            wishes[name] = max(weight, wishes.get(name, 0.0))
    weights = {language: wishes.get(language.value, wishes.get("*", 0.0)) for language in Language}
    best = max(weights, key=lambda language: weights[language])  # the first of equals: English
    return best if weights[best] > 0 else Language.EN


def spoken(language: Language, document: dict[str, Any]) -> Response:
    """A document in a language."""
    headers = {"content-language": language.value, "vary": "accept-language"}
    return json_response({"language": language, **document}, headers=headers)
