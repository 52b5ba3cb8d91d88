"""Pages that show the doors: Swagger UI from files of a package, nothing from any other host, no script in the page.

/openapi.json   the description
/docs           the page, open to all: it shows what is in the public repository; to try a door takes a token
"""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from belt.core.decider import Refused
from belt.io.http.doors import Doors
from belt.io.http.headers import json_bytes

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KEPT = "public, max-age=3600"
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="doors"></div>
<noscript>This page needs JavaScript; the description itself is in <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """\
"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#doors",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  queryConfigEnabled: false,
});
"""
KINDS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
    "start.js": "text/javascript",
}


def api_pages(title: str, app: FastAPI) -> Doors:
    """Doors to the description and to the page that shows it. They are not part of the description."""
    doors = Doors(tags=["pages"])
    shown = PAGE.format(title=html.escape(title)).encode()

    @doors.open("/openapi.json", response_class=Response, include_in_schema=False)
    async def described() -> Response:
        """What every door takes and answers, as OpenAPI 3.1."""
        return Response(_described(app), media_type="application/json")

    @doors.open("/docs", response_class=Response, include_in_schema=False)
    async def page() -> Response:
        """The same to read and to try."""
        headers = {"content-security-policy": POLICY}
        return Response(shown, media_type="text/html", headers=headers)

    @doors.open("/docs/{file}", response_class=Response, include_in_schema=False)
    async def part(file: str) -> Response:
        """Parts of that page."""
        if file not in KINDS:
            raise Refused("not-found")
        return Response(_file(file), media_type=KINDS[file], headers={"cache-control": KEPT})

    return doors


@cache
def _file(name: str) -> bytes:
    """Of the parts of the page, the one called this."""
    if name == "start.js":
        return START.encode()
    return (files("fastapi_offline") / "static" / name).read_bytes()


def _described(app: FastAPI) -> bytes:
    made: Any = getattr(app.state, "described", None)
    if made is None:
        made = app.state.described = json_bytes(app.openapi())
    return bytes(made)
