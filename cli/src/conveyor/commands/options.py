"""Options that several commands share."""

from __future__ import annotations

import re
from typing import Annotated

import typer

NAME = re.compile(r"[a-z0-9-]+")  # it becomes the name of a folder


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter(f"{name!r} is not of small letters, digits and hyphens")
    return name


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")]
Name = Annotated[str, typer.Option(help="Which stack; each has its own servers, services and data.", callback=_named)]
