"""A receiver of batches on this machine: it keeps the id of each, and may refuse as a busy one does."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What came in: each request in order, and each batch once by its id; `answers` are given first, then 200."""

    url: str = ""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    batches: dict[str, bytes] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)

    def documents(self) -> list[dict[str, Any]]:
        """Return the batches that were taken, in order."""
        return [json.loads(body) for body in self.batches.values()]


@contextmanager
def receiving(answers: Sequence[int] = ()) -> Iterator[Receiver]:
    """Run a receiver while the block lasts."""
    receiver = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # who sends it was killed in the middle of it
                self.close_connection = True
                return
            key = self.headers["Idempotency-Key"]
            receiver.requests.append((key, body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status == 200:
                receiver.batches.setdefault(key, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/prices"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
