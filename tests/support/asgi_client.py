"""A client of an ASGI application in this process, without a server and without warnings of the framework's own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx


class AsgiClient:
    """Asks an application as httpx would ask a server at 127.0.0.1; failures of the application are answers."""

    def __init__(self, app: Any) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120)

    def __enter__(self) -> "AsgiClient":
        self._runner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._runner.run(self._client.aclose())
        self._runner.__exit__(*error)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask for anything; a body may be an iterator of pieces."""
        if isinstance(more.get("content"), Iterator):
            more["content"] = _pieces(more["content"])
        return self._runner.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask for a path."""
        return self.request("GET", path, **more)

    def head(self, path: str, **more: Any) -> httpx.Response:
        """Ask for the headers of a path."""
        return self.request("HEAD", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Send a body to a path."""
        return self.request("POST", path, **more)


async def _pieces(parts: Iterator[bytes]) -> Any:
    for part in parts:
        yield part
