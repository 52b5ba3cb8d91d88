"""A connection of a caller: what it may hold of ours while the caller does not read.

A caller that leaves what was sent to it unread is cut off after some seconds. Until then little waits for it: about 64
KiB here and as much in the system, whatever the size of its windows.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from belt.io.telemetry import STREAMS_STALLED

log = structlog.get_logger()

STALLED = 10.0
UNSENT_BYTES = 64 * 1024
UNACKNOWLEDGED = 20.0  # after it the system itself gives up, also on the rest of an answer that we have long finished


class Connection(HttpToolsProtocol):
    """uvicorn's connection, bounded."""

    _cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        its: socket.socket | None = transport.get_extra_info("socket")
        for name, value in (("TCP_NOTSENT_LOWAT", UNSENT_BYTES), ("TCP_USER_TIMEOUT", int(UNACKNOWLEDGED * 1000))):
            option = getattr(socket, name, None)
            if its is not None and option is not None and its.family in (socket.AF_INET, socket.AF_INET6):
                its.setsockopt(socket.IPPROTO_TCP, option, value)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cut = self.loop.call_later(STALLED, self._stalled)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._spare()

    def connection_lost(self, exc: Exception | None) -> None:
        self._spare()
        super().connection_lost(exc)

    def _spare(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

    def _stalled(self) -> None:
        STREAMS_STALLED.inc()
        log.info("http.caller_does_not_read", seconds=STALLED)
        self.transport.abort()
