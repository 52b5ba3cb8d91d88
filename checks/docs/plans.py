"""docs/plans.md and docs/plan.schema.json: how a pay plan is written, and what the linter says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from compensation.documents import load
from compensation.lint import Finding, lint
from compensation.plan import Plan, parse
from conveyor_events.words import VARIANTS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "services/compensation/lint"
KINDS = {
    "Salary": "salary",
    "Bounty": "bounty",
    "Growth": "growth",
    "Commission": "commission",
    "Guarantee": "guarantee",
}
PARTS = ("Window", "Cap", "Bands", "BandStep", "ClawbackStep", "RampStep", "Tail")
HEAD = """\
# Pay plans

A plan is a document (YAML or JSON) for one role: what is fixed, and which rules pay for what. It is drafted, looked at
by the linter, approved by somebody else than its author, and from its effective date on in force; an approved version
never changes, the next one follows it. Amounts and percentages are decimal strings in JSON, never numbers. The same as
a [JSON Schema](plan.schema.json).

```yaml
"""


def schema() -> dict[str, Any]:
    """The JSON Schema of a plan document, with the short form of a salary."""
    found = Plan.model_json_schema(by_alias=True)
    amount = found["$defs"]["Salary"]["properties"]["amount"]
    found["properties"]["salary"] = {**amount, "title": "Salary", "description": "short for a rule of kind salary"}
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["$id"] = "urn:conveyor:plan"
    return found


def schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    example = (resources.files("compensation") / "plans/ref-hunter.yaml").read_text(encoding="utf-8")
    described = schema()
    parts = [HEAD + example + "```\n", "## The document\n\n" + _fields(described)]
    for name, kind in KINDS.items():
        model = described["$defs"][name]
        parts.append(f"## A rule of kind `{kind}`\n\n{model['description']}\n\n" + _fields(model))
    parts.append("## Parts of rules\n")
    for name in PARTS:
        model = described["$defs"][name]
        parts.append(f"### {name}\n\n{model['description']}\n\n" + _fields(model))
    parts.append(_findings())
    return "\n".join(parts)


def _fields(model: dict[str, Any]) -> str:
    required = set(model.get("required", ()))
    rows = ["| key | value | |\n|---|---|---|\n"]
    for name, field in model["properties"].items():
        must = "needed" if name in required else _default(field)
        about = "; ".join(part for part in (must, field.get("description", "")) if part)
        rows.append(f"| `{name}` | {_kind(field)} | {about} |\n")
    return "".join(rows)


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{default}` if not given".lower()


def _kind(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"] if one.get("type") != "null")
    if "oneOf" in field:
        return "a rule"
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    if str(field.get("pattern", "")).startswith("^-?[0-9]"):
        return "amount"
    if field.get("format") == "date":
        return "date"
    return {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}.get(
        field.get("type", ""), "amount"
    )


def _findings() -> str:
    text = """## What the linter says

`conveyor lint FILE…` and `POST /v1/plans/{plan}/versions/{number}/lint` look at the plans of a line together. **block**
forbids approval, **warn** is for whoever approves to weigh. Each has a bad plan and its repaired twin beside it.

| finding | level | what | for example |
|---|---|---|---|
"""
    for file in sorted(FIXTURES.glob("*.yaml"), key=lambda path: int(path.stem[1:])):
        case = load(file.read_text(encoding="utf-8"))
        found = next(_of(case))
        place = f"../services/compensation/lint/{file.name}"
        text += f"| [{found.code}]({place}) | {found.level} | {case['story']} | {found.example} |\n"
    text += "| L15 | warn | From history: leads are rejected and sold to by the same person | what was sold |\n"
    return text + f"\nVariants: {', '.join(f'`{name}`' for name in VARIANTS)}.\n"


def _of(case: dict[str, Any]) -> Iterator[Finding]:
    plans = [parse(document) for document in case["bad"]]
    return (finding for finding in lint(plans, case["variant"]) if finding.code == case["finding"])
