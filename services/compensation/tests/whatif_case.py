"""A case read from its file, and the flat plan that scenario 21 tries."""

from pathlib import Path

from compensation.cases import Scene, load_case

CASES = Path(__file__).parent.parent / "cases"
FLAT = {
    "plan": "flat-seven",
    "version": "1",
    "role": "hunter",
    "currency": "EUR",
    "effective_from": "2026-01-01",
    "salary": "500.00",
    "rules": [{"id": "flat", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"}],
}


def scene(name: str, number: int = 0) -> Scene:
    return load_case(next(CASES.glob(f"{name}*.yaml")))[1][number]
