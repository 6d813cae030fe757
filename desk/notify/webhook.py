"""The webhook: each message is a POST of JSON, signed as Standard Webhooks says.

The signature is HMAC-SHA256 over `id.timestamp.body`, so a receiver can refuse what others made up, and what is older
than some minutes. The id is that of the message: the same id is the same message.

References
----------
Standard Webhooks 1.0.0, https://www.standardwebhooks.com
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence

import httpx

from desk.notify.message import Message, Refusal

_ID_LENGTH = 24


class WebhookChannel:
    """Posts each message to an address.

    Parameters
    ----------
    key
        Signs messages; None leaves them unsigned.
    """

    name = "webhook"
    patience = 3.0

    def __init__(self, address: str, key: bytes | None) -> None:
        self._address, self._key = address, key

    def groups(self, messages: Sequence[Message]) -> list[Sequence[Message]]:
        """Return each message by itself."""
        return [[message] for message in messages]

    def deliver(self, messages: Sequence[Message], seconds: float) -> Refusal | None:
        """Post a message; redirects are not followed, and the body of the answer is not looked at."""
        body = json.dumps(messages[0], ensure_ascii=False).encode()
        headers = signed_headers(self._key, body, int(time.time())) | {"Content-Type": "application/json"}
        try:
            with httpx.Client() as client:
                answer = client.post(self._address, content=body, headers=headers, timeout=seconds)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Refusal(f"it cannot be reached ({type(error).__name__})", is_away=True)
        if answer.is_success:
            return None
        return Refusal(f"it answered {answer.status_code}", is_final=answer.is_client_error)


def signed_headers(key: bytes | None, body: bytes, at: int) -> dict[str, str]:
    """Return the headers that tell who sent a body and when; `at` in seconds since 1970."""
    name = f"msg_{hashlib.sha256(body).hexdigest()[:_ID_LENGTH]}"
    headers = {"webhook-id": name, "webhook-timestamp": str(at)}
    if key is not None:
        digest = hmac.digest(key, f"{name}.{at}.".encode() + body, "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
