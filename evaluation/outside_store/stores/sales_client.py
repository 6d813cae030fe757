"""Talks to the quote API and the intake over HTTP: JSON, a token, retries. What is sent twice is taken once."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.outside_store.stores.till_lines import TillLine

AT_ONCE = 5_000
"""Lines of a request: about a megabyte."""
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # s, between two attempts
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_PATIENCE = 60.0  # s, for a response
_LONGEST_DETAIL = 300  # characters


class RefusedRequestError(Exception):
    """The other side refuses a request for good, or stays away."""


@dataclass
class SalesClient:
    """The till's line to the engine.

    Attributes
    ----------
    url, token
        Base address, and the token that says who sends; an empty one is not sent.
    sends_twice
        Whether every third request is sent again, as if its answer had been lost.
    pause
        Waits some seconds between two attempts.
    answers
        What was answered, summed over requests: numbers, and lengths of lists.
    refused
        The first lines that were refused, as the answer names them.
    """

    url: str
    token: str = ""
    sends_twice: bool = False
    pause: Callable[[float], None] = time.sleep
    answers: Counter[str] = field(default_factory=Counter)
    refused: list[Any] = field(default_factory=list)
    _requests: int = 0

    def send_sales(self, lines: Sequence[TillLine]) -> None:
        """Send lines in their order."""
        self.send("/v1/sales", [line.as_json() for line in lines])

    def send(self, path: str, messages: Sequence[Any]) -> None:
        """Send messages in their order, some thousand at once.

        Raises
        ------
        RefusedRequestError
            When a request is refused as a whole, or nobody answers.
        """
        for first in range(0, len(messages), AT_ONCE):
            part = messages[first : first + AT_ONCE]
            self._requests += 1
            for _ in range(2 if self.sends_twice and self._requests % 3 == 0 else 1):
                self._note(path, self.ask(path, part))

    def ask(self, path: str, message: Any, retries: int = len(_PAUSES)) -> Any:
        """Send one request, again while the other side is away or busy, and return the answer.

        Raises
        ------
        RefusedRequestError
            When it is refused, or nobody answers after some attempts.
        """
        body = json.dumps(message).encode()
        for pause in (*_PAUSES[:retries], None):
            problem, may_pass, answer = self._attempt(path, body)
            if problem is None:
                return answer
            if not may_pass or pause is None:
                break
            self.pause(pause)
        raise RefusedRequestError(
            f"expected {self.url}{path} to take a request, but {problem}; nothing of it counts here: what was sent "
            "before is there, and the same command sends it again without harm"
        )

    def _attempt(self, path: str, body: bytes) -> tuple[str | None, bool, Any]:
        """Send once; return what went wrong, None for nothing, whether a retry may help, and the answer."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        request = urllib.request.Request(self.url.rstrip("/") + path, body, headers)  # noqa: S310 - the user's address
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310 - the same
                return None, False, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")[:_LONGEST_DETAIL]
            return f"it answers {error.code}: {detail}", error.code in _RETRIED, None
        except (OSError, ValueError) as error:
            return f"it does not answer ({error})", True, None

    def _note(self, path: str, answer: Any) -> None:
        for name, value in (answer or {}).items():
            if isinstance(value, int | list):
                self.answers[f"{path} {name}"] += value if isinstance(value, int) else len(value)
        self.refused += (answer or {}).get("refused", [])[: max(0, 20 - len(self.refused))]
