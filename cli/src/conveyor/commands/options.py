"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")]
Name = Annotated[str, typer.Option(help="Which stack; each has its own servers, services and data.")]
