"""What the README tells an integrator works as it stands there: copied in order, against a running line."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from conveyor.addresses import variable
from conveyor.running import Running
from conveyor_local import Stack

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECTION = "Connect your system"
pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def chapter(text: str) -> str:
    """The section for integrators."""
    return text.split(f"## {SECTION}\n")[1].split("\n## ", maxsplit=1)[0]


def commands(text: str) -> str:
    """All fenced commands of the section, in order. The first that fails ends it."""
    return "set -eu\n" + "".join(re.findall(r"^```bash\n(.*?)^```", chapter(text), re.MULTILINE | re.DOTALL))


def copied(script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


@pytest.fixture
def environment(running: Running) -> dict[str, str]:
    """As a newcomer has it after `make up`, but that what runs is the line of these tests."""
    stack = Stack.find("journey", running.home)
    assert stack is not None
    named = {variable(service): address for service, address in running.addresses.items()}
    return os.environ | named | {"CONVEYOR_ISSUER_FOLDER": str(running.issuer)} | stack.environment


def test_the_copied_commands_work_and_may_be_repeated(environment: dict[str, str]) -> None:
    script = commands(README.read_text(encoding="utf-8"))
    assert re.findall(r"\$(LEAD_GEN|CONVERSION|ACCOUNT_MGMT|COMPENSATION|KAFKA)\b", script)
    first = copied(script, environment)
    assert first.returncode == 0, first.stdout + first.stderr
    said = first.stdout.splitlines()
    assert any(line.startswith("id: 3") for line in said), "the stream goes on after Last-Event-ID"
    assert sum(line.startswith("RepeatSale(") for line in said) == 1, "Kafka was read up to the repeat sale"
    assert any('"person":"clara"' in line and '"totals"' in line for line in said), "a statement"
    again = copied(script, environment)
    assert again.returncode == 0, again.stdout + again.stderr
    assert sum(line.startswith("RepeatSale(") for line in again.stdout.splitlines()) == 1
    assert posted(again.stdout) == posted(first.stdout), "said twice, done once, answered the same"


def posted(output: str) -> list[str]:
    """The answers to commands: they carry a version."""
    return [line for line in output.splitlines() if re.search(r'"version":\d+}$', line) and '"due_at"' not in line]


def test_a_command_that_does_not_work_is_found(environment: dict[str, str]) -> None:
    script = commands(README.read_text(encoding="utf-8"))
    right, wrong = '/accept" acme-accepted', '/take" acme-accepted'
    assert right in script
    broken = copied(script.replace(right, wrong), environment)
    assert broken.returncode != 0, broken.stdout
