import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest

from conveyor_events import from_json, to_kafka

EVENTS = Path(__file__).parents[1]


class RecordedTopic:
    """Stands in for the consumer and serves the samples of its topic as records."""

    def __init__(self, topic: str, **_: Any) -> None:
        self.short = topic.split(".")[1]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[SimpleNamespace]:
        for file in sorted((EVENTS / "samples").glob(f"{self.short}.*.json")):
            key, value, headers = to_kafka(from_json(json.loads(file.read_text(encoding="utf-8"))))
            yield SimpleNamespace(key=key, value=value, headers=tuple(headers))


CODE = re.findall(r"```python\n(.*?)```", (EVENTS / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_ten_lines_of_python_read_a_topic(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = CODE
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    aiokafka = ModuleType("aiokafka")
    vars(aiokafka)["AIOKafkaConsumer"] = RecordedTopic
    monkeypatch.setitem(sys.modules, "aiokafka", aiokafka)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert len(capsys.readouterr().out.splitlines()) == len(list((EVENTS / "samples").glob("deals.*.json")))


def test_three_lines_read_the_golden_records(capsys: pytest.CaptureFixture[str]) -> None:
    _, code = CODE
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert len(capsys.readouterr().out.splitlines()) == len(list((EVENTS / "samples").glob("*.json")))
