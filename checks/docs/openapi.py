"""docs/openapi/<service>.json: OpenAPI 3.1 of each service, as its app describes itself."""

from __future__ import annotations

import json

from checks.docs.apps import app


def page(name: str) -> str:
    """The description of one service."""
    return json.dumps(app(name).openapi(), ensure_ascii=False, indent=1) + "\n"
