"""Small things on the wire: JSON, cursors, measures, and the issuer's keys over HTTP."""

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from belt.core.decider import Refused
from belt.io.http.feed import LAST, _last_event_id
from belt.io.http.headers import _ENCODER, json_bytes, traceparent, tracking_id
from belt.io.http.keyset import MAX_BYTES, KeySet, KeysUnavailable
from belt.io.http.limits import Buckets, Turnstile
from belt.io.http.paging import decode_cursor, encode_cursor, page
from conveyor_events.words import Role, Seat


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def test_json_is_written_as_the_published_language_writes_it() -> None:
    body = {
        "at": datetime(2026, 3, 30, 13, tzinfo=UTC),
        "day": date(2026, 3, 30),
        "net": Decimal("1E+3"),
        "seat": Seat(person="dina", role="hunter"),
        "role": Role.MANAGER,
        "id": UUID(int=1),
        "some": ("b", "a"),
        "set": {"b", "a"},
        "text": "Ж",
    }
    assert json.loads(json_bytes(body)) == {
        "at": "2026-03-30T13:00:00.000000Z",
        "day": "2026-03-30",
        "net": "1000",
        "seat": {"person": "dina", "role": "hunter"},
        "role": "manager",
        "id": "00000000-0000-0000-0000-000000000001",
        "some": ["b", "a"],
        "set": ["a", "b"],
        "text": "Ж",
    }
    assert "Ж".encode() in json_bytes(body)
    with pytest.raises(TypeError, match="no JSON form"):
        json_bytes(object())
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes(float("nan"))


@given(st.text(), st.integers(-(2**53), 2**53), st.none())
def test_a_cursor_comes_back_as_it_was(text: str, number: int, none: None) -> None:
    if "\x00" in text:
        return
    assert decode_cursor(encode_cursor(text, number, none), str, int, type(None)) == (text, number, none)


@given(st.text(max_size=60))
def test_whatever_is_sent_as_a_cursor_is_read_or_refused(cursor: str) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(decode_cursor(cursor, str)[0], str)


def test_a_position_is_read_or_refused_however_long_it_is() -> None:
    assert _last_event_id(request(), 7) == 7
    assert _last_event_id(request(last_event_id=str(LAST)), 7) == LAST
    for wrong in ("", "-1", "x", "1.0", "²", str(LAST + 1), "1" * 5_000, "0" * 5_000):
        with pytest.raises(Refused, match="invalid-parameter"):
            _last_event_id(request(last_event_id=wrong), 7)


def test_a_page_knows_whether_there_is_more() -> None:
    assert page([1, 2], 2, lambda n: [n]) == ([1, 2], None)
    rows, following = page([1, 2, 3], 2, lambda n: [n])
    assert rows == [1, 2]
    assert following is not None
    assert decode_cursor(following, int) == (2,)


def test_trace_and_tracking_ids_are_taken_if_they_are_modest() -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    assert traceparent(request(traceparent=trace)) == trace
    assert traceparent(request(traceparent=f"00-{'0' * 32}-{'b' * 16}-01")) is None
    assert traceparent(request()) is None
    assert tracking_id(request(x_correlation_id="order-7")) == "order-7"
    assert tracking_id(request(x_correlation_id="x" * 200)) is None


def test_a_measure_fills_up_again_with_time() -> None:
    at = 0.0
    buckets = Buckets(2.0, 3.0, most=2, tick=lambda: at)
    assert [buckets.take("boris") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    at = 0.5
    assert [buckets.take("boris"), buckets.take("boris")] == [0.0, 0.5]
    assert [buckets.take("dina"), buckets.take("egor"), buckets.take("boris")] == [0.0, 0.0, 0.0]  # boris was forgotten
    assert Buckets(0.0, 0.0).take("boris") == 0.0


def test_a_turnstile_counts_all_and_each() -> None:
    places = Turnstile(3, 2)
    assert [places.enter("boris") for _ in range(3)] == [True, True, False]
    assert [places.enter("dina"), places.enter("egor")] == [True, False]
    places.leave("boris")
    assert [places.enter("egor"), places.enter("boris")] == [True, False]


JWK = {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


class Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 500 if self.path == "/broken" else 200)
        self.send_header("location", "/jwks")
        self.end_headers()
        padding = "x" * MAX_BYTES if self.path == "/endless" else ""
        self.wfile.write(json.dumps({"keys": [JWK], "padding": padding}).encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def issuer() -> Iterator[str]:
    http = HTTPServer(("127.0.0.1", 0), Issuer)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


async def test_keys_are_fetched_over_http(issuer: str) -> None:
    found = await KeySet(f"{issuer}/jwks").find("a")
    assert found is not None
    assert found.algorithm == "EdDSA"


@pytest.mark.parametrize("path", ["/moved", "/broken", "/endless"])
async def test_an_answer_that_is_no_key_set_gives_no_keys(issuer: str, path: str) -> None:
    with pytest.raises(KeysUnavailable):
        await KeySet(issuer + path).find("a")


async def test_keys_from_a_file_that_comes_later(tmp_path: Any) -> None:
    at = 0.0
    keys = KeySet(str(tmp_path / "jwks.json"), tick=lambda: at)
    with pytest.raises(KeysUnavailable):
        await keys.find("a")
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [JWK]}))
    at = 1.5
    assert await keys.find("a") is not None
    assert await keys.find("b") is None


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none())))
def test_a_plain_reply_is_written_in_the_same_bytes_by_either_way(body: dict[str, Any]) -> None:
    assert json_bytes(body) == _ENCODER.encode(body).encode()
