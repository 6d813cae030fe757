"""A small S3 server that takes conditions and ignores them, as some do: what a start-up probe must find out."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_DATED = "Thu, 01 Jan 2026 00:00:00 GMT"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.server.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"", self.server.objects[self.path])

    def do_GET(self) -> None:
        found = self.server.objects.get(self.path)
        self._answer(404 if found is None else 200, found or b"", found or b"")

    do_HEAD = do_GET  # noqa: N815 - the base class calls it so

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"<DeleteResult><Deleted><Key>gone</Key></Deleted></DeleteResult>", b"")

    def _answer(self, code: int, body: bytes, content: bytes) -> None:
        self.send_response(code)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()[:32]}"')
        self.send_header("Last-Modified", _DATED)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        pass


@contextmanager
def lying_server() -> Iterator[str]:
    """Run the server until the block ends; its address."""
    server = _Server()
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
