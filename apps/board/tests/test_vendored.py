"""What others wrote and browsers are given is exactly what was released."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files

STATIC = files("board").joinpath("static")


def test_files_of_others_are_as_they_were_released() -> None:
    listed = tomllib.loads(STATIC.joinpath("vendored.toml").read_text(encoding="utf-8"))
    for name, told in listed.items():
        assert hashlib.sha256(STATIC.joinpath(name).read_bytes()).hexdigest() == told["sha256"], name
    assert {path.name for path in STATIC.iterdir() if path.name.endswith(".min.js")} == set(listed)
