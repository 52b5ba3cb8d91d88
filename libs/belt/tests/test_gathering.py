"""What is written in one turn of the loop goes out together, nothing is lost, and nothing waits longer than a turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from belt.io.http.gathering import Gathering


class Wire:
    """Writes down what reaches the system."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.closed = self.aborted = False

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def writelines(self, parts: Any) -> None:
        self.calls.append(b"".join(parts))

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str) -> str:
        return f"its {name}"


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def gathering(wire: Wire) -> Gathering:
    return Gathering(wire, asyncio.get_running_loop())  # type: ignore[arg-type]


async def test_a_head_and_its_body_are_one_call(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head ")
    gathering.write(b"body")
    assert wire.calls == [b"head body"]
    await asyncio.sleep(0)
    assert wire.calls == [b"head body"]


async def test_a_head_alone_goes_with_the_next_turn(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head")
    assert wire.calls == []
    await asyncio.sleep(0)
    assert wire.calls == [b"head"]


async def test_what_is_whole_goes_at_once_but_after_what_waits(wire: Wire, gathering: Gathering) -> None:
    gathering.write_now(b"one")
    assert wire.calls == [b"one"]
    gathering.write(b"two ")
    gathering.write_now(b"three")
    assert wire.calls == [b"one", b"two three"]


async def test_order_is_kept_whatever_is_written(wire: Wire, gathering: Gathering) -> None:
    for n in range(10):
        gathering.write(b"%d" % n)
        if n % 3 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"".join(wire.calls) == b"0123456789"


async def test_who_closes_says_the_rest_first_and_who_aborts_does_not(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"rest")
    gathering.close()
    assert (wire.calls, wire.closed) == ([b"rest"], True)
    other = Wire()
    gathering = Gathering(other, asyncio.get_running_loop())  # type: ignore[arg-type]
    gathering.write(b"rest")
    gathering.abort()
    await asyncio.sleep(0)
    assert (other.calls, other.aborted) == ([], True)


async def test_nothing_is_written_where_nobody_is(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"late")
    wire.closed = True
    await asyncio.sleep(0)
    assert wire.calls == []


async def test_everything_else_is_the_transports_own(gathering: Gathering) -> None:
    assert gathering.get_extra_info("socket") == "its socket"
    assert not gathering.is_closing()
