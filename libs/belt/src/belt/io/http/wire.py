"""One connection, held to bounds that the server leaves open: a head of any size, a caller who says or reads nothing.

Below the app nobody counts: a head may grow without end before a request exists, and a connection that is silent costs
a place. Whoever is slower than this is cut off. While a caller does not read, little waits for it: about 64 KiB here
and as much in the system, whatever the size of its windows.

HTTP/1.1 is all that is spoken: the wish for another protocol is passed over, and what comes behind a body is no header.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from http import HTTPStatus

import httptools
import structlog
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
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


class NoTunnel(ValueError):
    """CONNECT asks for a way through us, and there is none."""


class _Nowhere(list[tuple[bytes, bytes]]):
    """Where trailers go: they came after the request was let in, and are not kept."""

    def append(self, _header: tuple[bytes, bytes]) -> None:
        pass


NOWHERE = _Nowhere()


class Connection(HttpToolsProtocol):
    """uvicorn's protocol; a refusal here is a problem document, too."""

    head_seconds = 20.0  # from the opening, or the first byte of a later request, to the end of the head
    rest_seconds = 5.0  # for the rest of a body that was answered before it was read
    stall_seconds = 10.0  # for a reader to take something of what waits for it

    _head_open = True
    _body_open = False  # that of `cycle`, the last that was asked
    _loose = 0  # bytes of what is neither a whole head nor a body: a head so far, trailers, sizes of chunks
    _most = 0  # `_loose` as it was with all of the last data
    _code = "bad-request"
    _refused = False
    _at_work: RequestResponseCycle | None = None  # the one that is answered now or was last; `pipeline` waits for it
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
        self._leave()  # uvicorn tells the last that was asked, which may only be waiting
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._loose += len(data)
        self._most = self._loose  # no head that ends in here is larger
        try:
            self._read(data)
        except httptools.HttpParserError:
            self._refuse()
            return
        if self.transport.is_closing():
            return
        if self._loose > HEAD_BYTES:
            self._code = "head-too-large"
            self._refuse()
        elif self._patience is None and (self._head_open or self.cycle.response_complete):
            self._wait(self.head_seconds)  # most heads come whole and need no watch

    def _read(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while rest:
            try:
                self.parser.feed_data(rest)
                rest = b""
            except httptools.HttpParserUpgrade as asked:  # the parser takes all behind the head for the other protocol
                rest = memoryview(rest)[asked.args[0] :]
                self._read_again()

    def _read_again(self) -> None:
        """The head once more, without the wish for another protocol: so its body is one."""
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.parser.feed_data(b"\r\n".join([first, *lines, b"", b""]))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True

    def on_headers_complete(self) -> None:
        if self._most > HEAD_BYTES and self._head_bytes() > HEAD_BYTES:
            self._code = "head-too-large"
            raise HeadTooLarge
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise NoTunnel
            return
        super().on_headers_complete()
        self._head_open, self._body_open, self._loose = False, True, 0
        self._calm()
        self.headers = NOWHERE
        self.scope[WHOLE] = partial(self._whole, self.cycle)  # type: ignore[literal-required]

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._at_work = cycle
        if cycle.scope["http_version"] < "1.1":
            app = partial(_bare, cycle, app)
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._head_open:  # it is read again
            return
        self._body_open, self._loose = False, 0
        self._calm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refused:
            self._tell_when_due()
        elif self._body_open and self.cycle.response_complete and not self.transport.is_closing():
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

    def _leave(self) -> None:
        """Whoever is at work learns that nobody waits for the answer any more."""
        if self._at_work is not None and not self._at_work.response_complete:
            self._at_work.disconnected = True
            self._at_work.message_event.set()

    def _refuse(self) -> None:
        """What came is no request of ours. Nothing more is read, and what was asked before is answered before."""
        self._refused = True
        self._calm()
        if self._body_open and self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()  # it never had its whole body: it is what is refused
        self._tell_when_due()

    def _tell_when_due(self) -> None:
        """The answer to what is no request of ours, and the end of the connection."""
        broken = self._body_open and self.cycle is self._at_work  # in the midst of the body that it may wait for
        if self._at_work is not None and not self._at_work.response_complete and not broken:
            return
        self._leave()
        if not self.transport.is_closing() and not (broken and self.cycle.response_started):
            self.transport.write(_refusal(self._code))
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        self._calm()
        self._patience = self.loop.call_later(seconds, self.transport.abort)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _refusal(code: str) -> bytes:
    status, title = CODES[code]
    instance = f"urn:conveyor:request:{fresh()}"
    document = {"type": urn(code), "title": title, "status": status, "code": code, "instance": instance}
    body = json_bytes(document)
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {MEDIA}\r\n"
    head += f"content-length: {len(body)}\r\nconnection: close\r\ncache-control: no-store\r\n\r\n"
    return head.encode() + body


async def _bare(
    cycle: RequestResponseCycle,
    app: ASGI3Application,
    scope: Scope,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
) -> None:
    """HTTP/1.0 knows no chunks: an answer whose length is not known goes out as it is and ends with its connection."""
    endless = False

    async def say(message: ASGISendEvent) -> None:
        nonlocal endless
        if message["type"] == "http.response.start":
            endless = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            if endless:
                cycle.chunked_encoding = False
        elif message["type"] == "http.response.body" and endless:
            cycle.expected_content_length = len(message.get("body", b""))  # uvicorn compares
        await send(message)

    await app(scope, receive, say)
