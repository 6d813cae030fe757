"""HTTP connections of the quote API: parsed in C, answered in one write, and held to a head of sensible size."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_HEAD_BYTES = 64 * 1024
"""Of the head of a request, and of whatever else is neither a head nor part of a body."""


class _Gathering:
    """A transport that gathers what is written in one turn of the event loop; it is a plain one in everything else."""

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
    """Uvicorn's protocol over such a transport; the parser itself knows no end of a head."""

    _unread = 0  # bytes since the last head or part of a body was whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", _Gathering(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        """Take in what came; a head without an end is refused as no request."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")

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
        self._unread = 0
        super().on_message_complete()
