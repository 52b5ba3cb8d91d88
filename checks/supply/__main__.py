"""`python -m checks.supply sbom|licences|audit`. Exit codes: 0 fine, 1 something is wrong, 3 nobody could look."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from checks.supply.audit import audit
from checks.supply.bom import bom
from checks.supply.licences import Rules, breaches
from checks.supply.parts import parts

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Runs one of the three."""
    parser = argparse.ArgumentParser(prog="python -m checks.supply", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="a checkout; default: this one")
    does = parser.add_subparsers(dest="what", required=True)
    writes = does.add_parser("sbom", help="the bill of materials, CycloneDX 1.6 as JSON")
    writes.add_argument("--output", type=Path, help="the file; default: standard output")
    writes.add_argument("--only", help="one package of ours, such as conveyor-lead-gen: what its image installs")
    does.add_parser("licences", help="fails on licences that are not allowed")
    looks = does.add_parser("audit", help="what is known against the locked parts")
    looks.add_argument("--advisories", help="files in the OSV format, or an address that speaks OSV")
    said = parser.parse_args(arguments)
    match said.what:
        case "sbom":
            return _sbom(said.root, said.output, said.only)
        case "licences":
            return _licences(said.root)
        case _:
            verdict = audit(said.root, said.advisories)
            print(verdict)
            return verdict.exit_code


def _sbom(root: Path, output: Path | None, only: str | None) -> int:
    try:
        text = bom(root, only)
    except LookupError as unknown:
        print(unknown, file=sys.stderr)
        return 2
    if output is None:
        print(text, end="")
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
        print(f"{output}: {text.count(chr(34) + 'bom-ref' + chr(34))} components")
    return 0


def _licences(root: Path) -> int:
    found = list(breaches(root, Rules.read(root)))
    print("\n".join(found) if found else f"{len(parts(root))} parts, every licence is allowed; see docs/licences.md")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
