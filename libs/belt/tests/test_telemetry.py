"""Logs are JSON lines without personal data; metrics have one list of names."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from belt.io import telemetry


@pytest.fixture
def lines() -> Iterator[Any]:
    root = logging.getLogger()
    before, level, kept = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    telemetry.configure_logging("things", to=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**kept)


def test_a_line_says_when_where_and_what(lines: Any) -> None:
    structlog.get_logger("belt").warning("relay.waits", topic="conveyor.deals.v1", position=7)
    logging.getLogger("aiokafka").warning("broker %s away", "b1")
    ours, theirs = lines()
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "relay.waits", "topic": "conveyor.deals.v1", "position": 7,
        "level": "warning", "logger": "belt", "service": "things",
    }  # fmt: skip
    assert (theirs["event"], theirs["logger"], theirs["service"]) == ("broker b1 away", "aiokafka", "things")


def test_what_is_bound_to_a_request_is_on_its_lines(lines: Any) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("x")
    assert lines()[0]["request_id"] == "r1"


def test_personal_fields_are_withheld(lines: Any) -> None:
    structlog.get_logger().info("x", name="Herr Schmidt", phone="+49", note="calls back", token="ey", client="c1")
    assert "Schmidt" not in json.dumps(lines())
    assert lines()[0]["client"] == "c1"


class Contact(BaseModel):
    phone: int


def test_an_error_is_told_without_its_input(lines: Any) -> None:
    log = structlog.get_logger()
    try:
        Contact.model_validate({"phone": "Herr Schmidt"})
    except ValueError:
        log.exception("x")
        logging.getLogger("uvicorn.error").exception("y")
    try:
        json.loads('{"Herr Schmidt')
    except ValueError:
        log.exception("z")
    log.error("w", exc_info=RuntimeError("disk full"))
    first, second, third, fourth = lines()
    assert "Schmidt" not in json.dumps([first, second, third])
    assert first["error_type"] == second["error_type"] == "ValidationError"
    assert "test_telemetry.py" in first["error_at"][0]
    assert (fourth["error_type"], fourth["error"]) == ("RuntimeError", "disk full")


def test_requests_are_not_logged_line_by_line(lines: Any) -> None:
    logging.getLogger("uvicorn.access").info("GET /v1/people/schmidt")
    assert lines() == []


def test_metrics_have_one_prefix_and_a_meaning_and_are_shown() -> None:
    text = telemetry.exposition().decode()
    names = set(re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE))
    ours = {name for name in names if not name.startswith(("process_", "python_"))}
    assert len(ours) > 25
    assert all(name.startswith("conveyor_") for name in ours)
    assert {"conveyor_unpublished_seconds", "conveyor_consumer_lag_seconds", "conveyor_parked_keys"} <= ours
