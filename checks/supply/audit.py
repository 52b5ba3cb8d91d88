"""What is known against the locked parts. Three answers, never two: nothing known, something known, nobody could look.

The public source, or another one of its kind by its address, is asked with pip-audit, and for Python packages alone.
pip-audit counts what it could not look up as fine; here that counts as not looked up. Files know Java archives and npm
packages, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from checks.supply.advisories import Finding, Unreadable, against, read
from checks.supply.parts import Kind, Part, parts

CLEAN, FOUND, NOBODY_LOOKED = 0, 1, 3
"""Exit codes. 2 is wrong usage."""

DEADLINE = 300
SOCKET_SECONDS = 10


@dataclass(frozen=True)
class Verdict:
    """Who looked at how many parts, what was found, and what nobody looked at."""

    source: str
    looked_at: int
    findings: list[Finding]
    unseen: list[str]

    @property
    def exit_code(self) -> int:
        if self.findings:
            return FOUND
        return NOBODY_LOOKED if self.unseen or not self.looked_at else CLEAN

    def __str__(self) -> str:
        lines = [f"{one.part}: {one.advisory} {one.about}".rstrip() for one in self.findings]
        if self.unseen:
            shown = ", ".join(self.unseen[:5]) + (f" and {len(self.unseen) - 5} more" if len(self.unseen) > 5 else "")
            lines.append(f"NOT CHECKED: {shown}")
            lines.append(
                "That is no clean bill: try again with a network, or with ADVISORIES= (files in the OSV format)."
            )
        lines.append(f"{len(self.findings)} advisories for {self.looked_at} parts ({self.source})")
        return "\n".join(lines)


def audit(root: Path, advisories: str | None) -> Verdict:
    """`advisories`: files in the OSV format, or the address of a service that speaks OSV; None: the public source."""
    locked = parts(root)
    if advisories is None or "://" in advisories:
        return _asked([part for part in locked if part.kind is Kind.PYTHON], advisories)
    try:
        return Verdict(advisories, len(locked), against(locked, read(Path(advisories))), [])
    except Unreadable as wrong:
        return Verdict(advisories, 0, [], [str(wrong)])


def _asked(locked: list[Part], address: str | None) -> Verdict:
    """pip-audit over the lock, with every entry whatever system or Python it is for."""
    reports = [_pip_audit(chosen, address) for chosen in _rounds(locked)]
    return judged(locked, reports, f"pip-audit, {address or 'public source'}")


def judged(locked: Iterable[Part], reports: Iterable[tuple[Mapping[str, Any], str]], source: str) -> Verdict:
    """What pip-audit's reports (and what it said where there is none) come to. Skipped is not looked at."""
    asked = {f"{part.name} {part.version}" for part in locked}
    findings: set[Finding] = set()
    seen: set[str] = set()
    why = ""
    for report, said in reports:
        why = why or said
        for one in report.get("dependencies", []):
            if "skip_reason" in one:
                why = why or str(one["skip_reason"])
                continue
            name = f"{canonicalize_name(one['name'])} {one['version']}"
            seen.add(name)
            findings |= {Finding(name, found["id"], _line(found.get("description"))) for found in one["vulns"]}
    return Verdict(source + (f": {why}" if why else ""), len(seen & asked), sorted(findings), sorted(asked - seen))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:160]


def _rounds(locked: Iterable[Part]) -> list[list[Part]]:
    """One requirements file names a package once: a package that is locked in two versions needs two."""
    rounds: list[list[Part]] = []
    for part in locked:
        for chosen in rounds:
            if all(other.name != part.name for other in chosen):
                chosen.append(part)
                break
        else:
            rounds.append([part])
    return rounds


def _pip_audit(chosen: Iterable[Part], address: str | None) -> tuple[Mapping[str, Any], str]:
    """Its report and, where there is none, the last thing it said."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("".join(f"{part.name}=={part.version}\n" for part in chosen), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(wanted), "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", str(SOCKET_SECONDS)]
        command += ["--vulnerability-service", "osv", "--osv-url", address] if address else []
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired:
            return {}, f"no answer within {DEADLINE} s"
    try:
        report = json.loads(ended.stdout)
    except ValueError:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        return {}, (lines[-1] if lines else f"exit code {ended.returncode}").partition(" (Caused by")[0][:160]
    return report if isinstance(report, dict) else {}, ""
