"""HTTP connections of the quote API: parsed in C, answered in one write, with limits that uvicorn does not have.

A client that is idle, sends half of a request or does not read its response ties up a connection. Uvicorn limits the
time between two requests only, and has no limit of the head for this parser. Here the same time limits all of these.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_MOST_HEAD_BYTES = 64 * 1024
"""Of the head of a request, and of whatever else is neither a head nor part of a body."""
_LEAST_READ = 64 * 1024  # bytes of a long response that a client has to read in the time of an idle connection


class _Gathering:
    """A transport that gathers what is written in one turn of the event loop, and delegates everything else."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            whole, self._parts = b"".join(self._parts), []
            self._transport.write(whole)


class OneWrite(HttpToolsProtocol):
    """Uvicorn's protocol over such a transport."""

    _unread = 0  # bytes since the last complete head or part of a body
    _is_half = True  # whether a request is incomplete, or none came yet
    _until_whole: asyncio.TimerHandle | None = None
    _until_read: asyncio.TimerHandle | None = None
    _left = 0  # unread bytes of a response at the last look

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", _Gathering(transport, self.loop)))
        self._wait_for_the_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        super().connection_lost(exc)
        for waits in (self._until_whole, self._until_read):
            if waits is not None:
                waits.cancel()

    def data_received(self, data: bytes) -> None:
        """Take in data; a head that is too large is refused."""
        self._unread += len(data)
        self._is_half = True
        super().data_received(data)
        if self._unread > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")
        self._wait_for_the_rest()

    def on_message_begin(self) -> None:
        """Take note that a request begins."""
        self._is_half = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take in a part of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that the request is whole."""
        self._unread, self._is_half = 0, False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start to watch whether a long response is read."""
        super().pause_writing()
        self._left = self.transport.get_write_buffer_size()
        self._until_read = self.loop.call_later(self.timeout_keep_alive, self._close_unless_read)

    def resume_writing(self) -> None:
        """Stop watching: it was read."""
        super().resume_writing()
        if self._until_read is not None:
            self._until_read.cancel()

    def _wait_for_the_rest(self) -> None:
        """Limit the time of an incomplete request, from its first byte on."""
        if not self._is_half and self._until_whole is not None:
            self._until_whole.cancel()
            self._until_whole = None
        elif self._is_half and self._until_whole is None and not self.transport.is_closing():
            self._until_whole = self.loop.call_later(self.timeout_keep_alive, self._close_unless_answering)

    def _close_unless_answering(self) -> None:
        """Close a connection whose request is not complete in time; earlier requests are answered first."""
        self._until_whole = None
        newest: RequestResponseCycle | None = self.cycle  # none before the first request
        is_answering = newest is not None and not (newest.response_complete or newest.more_body)
        if is_answering or self.flow.read_paused:
            self._wait_for_the_rest()
        else:
            self.transport.close()

    def _close_unless_read(self) -> None:
        """Drop a connection whose response is not read."""
        left = self.transport.get_write_buffer_size()
        if self._left - left < _LEAST_READ:
            self.transport.abort()
            return
        self._left = left
        self._until_read = self.loop.call_later(self.timeout_keep_alive, self._close_unless_read)
