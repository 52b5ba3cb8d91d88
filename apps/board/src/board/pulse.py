"""Who looks at a live page is told that something moved that concerns it, and nothing more.

One connection listens to what the projection says after each commit; every open page waits here. What moved while
nobody could listen is told as "all of it": a page that looks again misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import asyncpg
import structlog

from board.moved import EVERYTHING, NOTHING, Moved, read
from board.projection import CHANNEL

log = structlog.get_logger()

HEARTBEAT = 15.0
LOOK_AGAIN = 1.0
SETTLES = 1.0
TURNS = 8  # in which pages that all want to ask at once do so
LIFETIME = 300.0  # of one stream: its page comes back, if its viewer is still signed in


class Ear:
    """One open page: what has moved since it was last told."""

    def __init__(self, wanted: Callable[[Moved], bool]) -> None:
        self._wanted = wanted
        self._moved = NOTHING
        self._woken = asyncio.Event()

    def tell(self, moved: Moved) -> None:
        if not moved or self._wanted(moved):
            self._moved |= moved
            self._woken.set()

    async def next(self, within: float) -> Moved:
        """What has moved; nothing, if nothing did in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._woken.wait()
        self._woken.clear()
        moved, self._moved = self._moved, NOTHING
        return moved


class Pulse:
    """One per process."""

    def __init__(self, dsn: str, deadline: float = 5.0, note: Callable[[Moved], None] = lambda _: None) -> None:
        """`note` hears everything first."""
        self._dsn, self._deadline, self._note = dsn, deadline, note
        self._ears: set[Ear] = set()
        self._settling: asyncio.TimerHandle | None = None
        self._fresh = NOTHING
        self.beat = 0
        self.listens = asyncio.Event()
        self.over = asyncio.Event()

    @property
    def open(self) -> int:
        """How many pages are open."""
        return len(self._ears)

    @contextmanager
    def ear(self, wanted: Callable[[Moved], bool] = lambda _: True) -> Iterator[Ear]:
        """A page that wants to hear of some of it; of what it does not want it does not even wake."""
        ear = Ear(wanted)
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)

    def tell(self, moved: Moved) -> None:
        """Told at once, and once more a moment later: the stations hear of it as we do, and some may be slower."""
        self._pass_on(moved)
        if moved and self._settling is None:
            self._settle(moved)
        else:
            self._fresh |= moved

    def _settle(self, moved: Moved) -> None:
        self._settling = asyncio.get_running_loop().call_later(SETTLES, self._again, moved)

    def _again(self, moved: Moved) -> None:
        self._settling = None
        fresh, self._fresh = self._fresh, NOTHING
        self._pass_on(moved | fresh)
        if fresh:
            self._settle(fresh)

    def _pass_on(self, moved: Moved) -> None:
        self.beat += 1
        self._note(moved)
        for ear in self._ears:
            ear.tell(moved)

    def end(self) -> None:
        """Every stream ends: its reader comes back to whoever serves then."""
        self.over.set()
        self.tell(NOTHING)

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
                log.warning("pulse.lost", error=repr(away))
            self.listens.clear()
            await asyncio.sleep(LOOK_AGAIN)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=self._deadline, command_timeout=self._deadline)
        try:
            await connection.add_listener(CHANNEL, lambda *told: self.tell(read(told[-1])))
            self.listens.set()
            self.tell(EVERYTHING)
            while True:
                await asyncio.sleep(HEARTBEAT)
                await connection.fetchval("select 1")
        finally:
            connection.terminate()


async def beats(
    pulse: Pulse,
    heard: Callable[[Moved], Awaitable[frozenset[str] | None]],
    part: Callable[[], Awaitable[str]],
    gap: float,
    rest: float = LIFETIME,
) -> AsyncIterator[bytes]:
    """Server-sent events for one page: `moved` and `now`, once in `gap` seconds at most, for `rest` seconds at most.

    `heard`: at which stations something moved that its viewer may see then; None: the viewer has gone.

    A page that comes back is told at once how things are.
    """
    yield b"retry: 1000\nevent: hello\ndata: \n\n" + told("now", await part())
    until = monotonic() + min(LIFETIME, rest)
    with pulse.ear() as ear:
        while not pulse.over.is_set() and (left := until - monotonic()) > 0:
            moved = await ear.next(min(HEARTBEAT, left))
            stations = await heard(moved) if moved else frozenset[str]()
            if stations is None or monotonic() >= until:
                return
            if stations:
                yield told("moved", " ".join(sorted(stations))) + told("now", await part())
                await asyncio.sleep(gap)
            else:
                yield b": still here\n\n"


async def nudges(
    pulse: Pulse, people: frozenset[str] | None, gap: float, spread: float, rest: float = LIFETIME
) -> AsyncIterator[bytes]:
    """Server-sent events for a page about some people (None: about everybody): `moved`, and the page asks again.

    Once in `gap` seconds at most. What concerns all pages at once reaches them one after the other, within `spread`.
    """
    yield b"retry: 1000\nevent: hello\ndata: \n\n"
    until, place = monotonic() + min(LIFETIME, rest), pulse.open % TURNS / TURNS
    with pulse.ear(lambda moved: moved.concerns(people)) as ear:
        while not pulse.over.is_set() and (left := until - monotonic()) > 0:
            moved = await ear.next(min(HEARTBEAT, left))
            if pulse.over.is_set():
                return
            if not moved:
                yield b": still here\n\n"
                continue
            if moved.everything or people is None:
                await asyncio.sleep(spread * place)
            yield told("moved", "")
            await asyncio.sleep(gap)


def told(event: str, text: str) -> bytes:
    """One server-sent event; a text of several lines is one event all the same."""
    data = "".join(f"data: {line}\n" for line in text.strip().split("\n"))
    return f"event: {event}\n{data}\n".encode()
