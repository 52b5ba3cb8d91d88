"""One connection, held to bounds that the server leaves open: a head of any size, a caller who says or reads nothing.

Below the app nobody counts: a head may grow without end before a request exists, and a connection that is silent costs
a place. Whoever is slower than this is cut off. While a caller does not read, little waits for it: about 64 KiB here
and as much in the system, whatever the size of its windows.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from http import HTTPStatus

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from belt.io.http.codes import CODES, urn
from belt.io.http.gathering import Gathering
from belt.io.http.headers import WHOLE, json_bytes
from belt.io.http.problems import MEDIA
from belt.io.ids import fresh
from belt.io.telemetry import CONNECTIONS_STALLED

log = structlog.get_logger()

HEAD_BYTES = 32 * 1024
UNSENT_BYTES = 64 * 1024
UNACKNOWLEDGED = 20.0  # after it the system itself gives up, also on the rest of an answer that we have long finished


class HeadTooLarge(ValueError):
    """Address and headers are larger than anything that is meant for us."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol; a refusal here is a problem document, too."""

    head_seconds = 20.0  # from the opening, or the first byte of a later request, to the end of the head
    rest_seconds = 5.0  # for the rest of a body that was answered before it was read
    stall_seconds = 10.0  # for a reader to take something of what waits for it

    _head_open = True
    _body_open = False
    _head_size = 0
    _code = "bad-request"
    _usual: list[tuple[bytes, bytes]] | None = None
    _usual_head = b""
    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._out = Gathering(transport, self.loop)
        super().connection_made(self._out)  # type: ignore[arg-type]
        its: socket.socket | None = transport.get_extra_info("socket")
        for name, value in (("TCP_NOTSENT_LOWAT", UNSENT_BYTES), ("TCP_USER_TIMEOUT", int(UNACKNOWLEDGED * 1000))):
            option = getattr(socket, name, None)
            if its is not None and option is not None and its.family in (socket.AF_INET, socket.AF_INET6):
                its.setsockopt(socket.IPPROTO_TCP, option, value)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        begun = self._head_open
        super().data_received(data)
        if not self._head_open or self.transport.is_closing():
            return
        if self._patience is None:  # most heads come whole and need no watch
            self._wait(self.head_seconds)
        if begun:
            self._head_size += len(data)
            if self._head_size > HEAD_BYTES:
                self._code = "head-too-large"
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open, self._head_size = True, 0

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._code = "head-too-large"
            raise HeadTooLarge
        self._head_open, self._body_open = False, True
        self._calm()
        super().on_headers_complete()
        self.scope[WHOLE] = partial(self._whole, self.cycle)  # type: ignore[literal-required]

    def on_message_complete(self) -> None:
        self._body_open = False
        self._calm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._body_open and not self.transport.is_closing():
            self._wait(self.rest_seconds)

    def _whole(self, cycle: RequestResponseCycle, status: int, head: bytes, body: bytes) -> bool:
        """Writes a whole answer as uvicorn would; False where something is not as usual and uvicorn has to see to it.

        `head`: the lines of its headers, of which one is the content's length.
        """
        if cycle.disconnected or cycle.response_started or cycle.access_log:
            return False
        if self.flow.write_paused or not cycle.keep_alive or cycle.scope["method"] == "HEAD":
            return False
        if self._usual is not cycle.default_headers:  # they are new every second
            self._usual = cycle.default_headers
            self._usual_head = b"".join(b"%b: %b\r\n" % pair for pair in self._usual)
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        self._out.write_now(b"".join((STATUS_LINE[status], self._usual_head, head, b"\r\n", body)))
        cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stall_seconds, self._cut)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _cut(self) -> None:
        CONNECTIONS_STALLED.inc()
        log.info("wire.caller_does_not_read", seconds=self.stall_seconds)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what is wrong says the code
        """The answer to what is no request of ours, and the end of the connection."""
        status, title = CODES[self._code]
        instance = f"urn:conveyor:request:{fresh()}"
        document = {"type": urn(self._code), "title": title, "status": status, "code": self._code, "instance": instance}
        body = json_bytes(document)
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {MEDIA}\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\ncache-control: no-store\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        self._calm()
        self._patience = self.loop.call_later(seconds, self.transport.abort)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
