"""One address for the pods of a service: a small HTTP/1.1 balancer, as an ingress is one.

Each request goes to the next of those that are ready; connections to them are used again. It hides nothing: no request
is sent a second time, not even one that found nobody at the door, which ingresses do send again. What a pod does not
answer is answered with 502 here, and kept in `failures`. So an error of a roll is seen, whatever stands before the
pods in a company: an ingress that is kinder, or a Service, which is not.

`by_connection` is how a Service carries it, without an ingress: each connection of a caller leads to one pod as long as
it lasts, also when the pod is off the list already; only new ones go to others.

The list of pods is told from outside (deployment.py); a pod that is not on it any more gets no further request, and
its idle connections are closed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import h11

CHUNK = 64 * 1024
REACH = 2.0  # to connect to a pod
SILENCE = 30.0  # between two pieces of an answer: above the service's own deadlines, and its heartbeat of streams
IDLE = 30.0  # a connection to a pod is used again for so long: below the 75 s after which the pod closes it
HOP = frozenset({b"connection", b"keep-alive", b"expect"})  # between two neighbours only


class Gone(Exception):
    """The other side has closed, or says nothing."""


@dataclass(eq=False)
class Wired:
    """One connection and the state of the protocol on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection
    used: float = field(default_factory=time.monotonic)

    async def event(self, within: float | None = None) -> h11.Event:
        while True:
            found = self.http.next_event()
            if isinstance(found, h11.Event):
                return found
            if found is h11.PAUSED:
                raise Gone("it sends more than it was asked for")
            try:
                async with asyncio.timeout(within):
                    piece = await self.reader.read(CHUNK)
            except TimeoutError:
                raise Gone("it says nothing") from None
            if not piece and self.http.their_state is h11.IDLE:
                raise Gone("it has closed")
            self.http.receive_data(piece)

    async def send(self, *events: h11.Event) -> None:
        self.writer.write(b"".join(self.http.send(event) or b"" for event in events))
        await self.writer.drain()

    def fresh(self) -> bool:
        """Whether another request may be sent on it."""
        return not self.reader.at_eof() and time.monotonic() - self.used < IDLE

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass
class Balancer:
    """`ends`: the ports of the pods that get requests."""

    name: str
    port: int = 0
    by_connection: bool = False
    ends: tuple[int, ...] = ()
    answered: int = 0
    failures: list[tuple[float, int, str, str]] = field(default_factory=list)  # when, which pod, what, why
    _next: int = 0
    _idle: dict[int, deque[Wired]] = field(default_factory=dict)
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self.switch(())

    def switch(self, ends: Sequence[int]) -> None:
        """From now on requests go to these."""
        self.ends = tuple(ends)
        for end in set(self._idle) - set(ends):
            for wired in self._idle.pop(end):
                wired.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        caller = Wired(reader, writer, h11.Connection(h11.SERVER))
        try:
            if self.by_connection:
                await self._through(reader, writer)
                return
            while await self._served(caller):
                caller.http.start_next_cycle()
        except (OSError, Gone, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the caller has left, or this is the end
        finally:
            self._open.discard(task)
            caller.close()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes, both ways, until one side closes."""
        pod = self._turn()
        if pod is None:
            self.failures.append((time.monotonic(), 0, "a connection", "no pod is ready"))
            return
        try:
            async with asyncio.timeout(REACH):
                back, forth = await asyncio.open_connection("127.0.0.1", pod)
        except (OSError, TimeoutError) as broken:
            self.failures.append((time.monotonic(), pod, "a connection", f"{type(broken).__name__}: {broken}"))
            return
        ways = [asyncio.create_task(_copied(*way)) for way in ((reader, forth), (back, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            await writer.drain()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (forth, writer):
                end.close()
            await asyncio.gather(forth.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def _served(self, caller: Wired) -> bool:
        """Carries one request and its answer; whether the caller may ask again on this connection."""
        request = await caller.event()
        if not isinstance(request, h11.Request):
            return False
        pod = self._turn()
        what = f"{request.method.decode()} {request.target.decode()}"
        if pod is None:
            return await self._refuse(caller, 0, what, "no pod is ready")
        try:
            far = await self._reach(pod)
            try:
                await self._ask(caller, far, request)
                answer = await self._head(far)
            except BaseException:
                far.close()
                raise
        except (OSError, Gone, TimeoutError, h11.RemoteProtocolError) as broken:
            return await self._refuse(caller, pod, what, f"{type(broken).__name__}: {broken}")
        try:
            await caller.send(answer)
            async for event in _body(far):
                await caller.send(event)
        except (Gone, h11.RemoteProtocolError) as broken:
            self.failures.append((time.monotonic(), pod, what, f"cut in its answer: {broken}"))
            return False
        finally:
            self._keep(pod, far)
        self.answered += 1
        return caller.http.our_state is h11.DONE and caller.http.their_state is h11.DONE

    def _turn(self) -> int | None:
        if not self.ends:
            return None
        self._next += 1
        return self.ends[self._next % len(self.ends)]

    async def _reach(self, pod: int) -> Wired:
        while kept := self._idle.get(pod):
            wired = kept.pop()
            if wired.fresh():
                return wired
            wired.close()
        async with asyncio.timeout(REACH):
            reader, writer = await asyncio.open_connection("127.0.0.1", pod)
        return Wired(reader, writer, h11.Connection(h11.CLIENT))

    async def _ask(self, caller: Wired, far: Wired, request: h11.Request) -> None:
        await far.send(h11.Request(method=request.method, target=request.target, headers=_carried(request.headers)))
        async for event in _body(caller):
            await far.send(event)

    async def _head(self, far: Wired) -> h11.Response:
        while True:
            answer = await far.event(SILENCE)
            if isinstance(answer, h11.Response):
                headers = _carried(answer.headers)
                return h11.Response(status_code=answer.status_code, headers=headers, reason=answer.reason)
            if not isinstance(answer, h11.InformationalResponse):
                raise Gone("it closed instead of an answer")

    def _keep(self, pod: int, far: Wired) -> None:
        """For the next request, if the pod is still on the list and the connection is at rest."""
        if pod in self.ends and far.http.our_state is h11.DONE and far.http.their_state is h11.DONE:
            far.http.start_next_cycle()
            far.used = time.monotonic()
            self._idle.setdefault(pod, deque()).append(far)
        else:
            far.close()

    async def _refuse(self, caller: Wired, pod: int, what: str, why: str) -> bool:
        """Says what an ingress says when a pod does not answer; nobody knows whether the pod has done it."""
        self.failures.append((time.monotonic(), pod, what, why))
        body = b'{"code":"bad-gateway"}'
        about = [("content-type", "application/problem+json"), ("content-length", str(len(body)))]
        closing = [("connection", "close")]
        head = h11.Response(status_code=502 if pod else 503, headers=[*about, *closing])
        await caller.send(head, h11.Data(data=body), h11.EndOfMessage())
        return False


async def _copied(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
    while piece := await source.read(CHUNK):
        drain.write(piece)
        await drain.drain()


def _carried(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name not in HOP]


async def _body(wired: Wired) -> AsyncIterator[h11.Event]:
    """The rest of a message, piece by piece, its end included."""
    while True:
        event = await wired.event(SILENCE)
        if isinstance(event, h11.Data):
            yield h11.Data(data=bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            yield h11.EndOfMessage(headers=event.headers)
            return
        else:
            raise Gone("it has closed")
