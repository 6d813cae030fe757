"""The channels that messages go to, as catalog and environment say: a signed webhook, and e-mail; none by default.

The webhook gets each message as a POST of JSON, signed as Standard Webhooks says: HMAC-SHA256 over `id.timestamp.body`,
so that a receiver can refuse forged and old messages. The same id is the same message. E-mail goes over SMTP as plain
text; all alerts that wait are one message, and a digest is one of its own.

References
----------
Standard Webhooks 1.0.0, https://www.standardwebhooks.com
"""

import base64
import hashlib
import hmac
import json
import logging
import re
import smtplib
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from textwrap import fill
from typing import NamedTuple

import httpx
from pydantic import SecretStr

from catalog.settings import key_of
from plugins.desk.records import AlertRules, EmailSettings, NotifySettings
from warehouse.workspace import Workspace

Message = dict[str, str]
"""`kind` (the rule of an alert, `digest` or `test`), `subject`, `sentence`, and `at`, a moment in the stores' time."""

_ID_LENGTH, _WIDTH = 24, 76
_PATIENCE = 3.0  # s that a channel may take for an answer
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters of a name that no mail can carry: they end a line of a header, control a terminal, or are half of one."""
_SUBJECTS = {"digest": "Shelfprice on the morning of {subject}", "test": "A test message of Shelfprice"}
"""Of messages that are an e-mail of their own, by their kind."""
_LOG = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """Why a channel did not take messages, without addresses and passwords; `is_away` where it would take no other."""

    why: str
    is_away: bool = False


def channels_of(workspace: Workspace) -> list["Channel"]:
    """Return where messages go."""
    store, settings, rows = workspace.catalog.store, workspace.settings, list["Channel"]()
    webhook, email = store.section(AlertRules).webhook, store.section(NotifySettings).email
    if webhook is not None:
        secret = settings.webhook_secret
        rows.append(Webhook(webhook, None if secret is None else key_of(secret)))
    if email is not None:
        rows.append(Email(email, settings.smtp_password))
    return rows


@dataclass(frozen=True)
class Webhook:
    """Posts each message to an address; without a key they are not signed."""

    address: str
    key: bytes | None
    name: str = "webhook"

    def groups(self, messages: Sequence[Message]) -> list[Sequence[Message]]:
        """Return each message by itself."""
        return [[message] for message in messages]

    def deliver(self, messages: Sequence[Message]) -> Refusal | None:
        """Post a message; redirects are not followed, and the body of the answer is not looked at."""
        body = json.dumps(messages[0], ensure_ascii=False).encode()
        headers = signed_headers(self.key, body, int(time.time())) | {"Content-Type": "application/json"}
        try:
            with httpx.Client() as client:
                answer = client.post(self.address, content=body, headers=headers, timeout=_PATIENCE)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Refusal(f"it cannot be reached ({type(error).__name__})", is_away=True)
        return None if answer.is_success else Refusal(f"it answered {answer.status_code}")


def signed_headers(key: bytes | None, body: bytes, sent_at: int) -> dict[str, str]:
    """Return the headers that tell who sent a body and when; `at` in seconds since 1970."""
    name = f"msg_{hashlib.sha256(body).hexdigest()[:_ID_LENGTH]}"
    headers = {"webhook-id": name, "webhook-timestamp": str(sent_at)}
    if key is not None:
        digest = hmac.digest(key, f"{name}.{sent_at}.".encode() + body, "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


@dataclass(frozen=True)
class Email:
    """Sends messages through a mail server; `password` is that of the user that the settings name."""

    settings: EmailSettings
    password: SecretStr | None
    name: str = "email"

    def groups(self, messages: Sequence[Message]) -> list[Sequence[Message]]:
        """Return each digest by itself, then all alerts together."""
        alone = [[message] for message in messages if message["kind"] in _SUBJECTS]
        together = [message for message in messages if message["kind"] not in _SUBJECTS]
        return [*alone, *([together] if together else [])]

    def deliver(self, messages: Sequence[Message]) -> Refusal | None:
        """Send one e-mail with these messages to all recipients."""
        user, recipients = self.settings.user, len(self.settings.recipients)
        if user is not None and self.password is None:
            return Refusal("SHELFPRICE_SMTP_PASSWORD is not set", is_away=True)
        try:
            with self._connection() as server:
                if user is not None and self.password is not None:
                    server.login(user, self.password.get_secret_value())
                if refused := server.send_message(self._composed(messages)):
                    _LOG.warning("the mail server refused %d of %d recipients", len(refused), recipients)
        except smtplib.SMTPRecipientsRefused:
            return Refusal("the mail server refused every recipient")
        except smtplib.SMTPResponseException as error:
            return Refusal(f"the mail server answered {error.smtp_code}", is_away=True)
        except smtplib.SMTPNotSupportedError as error:
            return Refusal(f"the mail server lacks what is asked of it ({error})", is_away=True)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Refusal(f"the mail server cannot be reached ({type(error).__name__})", is_away=True)
        return None

    def _connection(self) -> smtplib.SMTP:
        """Return a connection as the settings protect it; nothing is said in the open where they ask for TLS."""
        settings, trusted = self.settings, ssl.create_default_context()
        place = settings.server, settings.port, settings.sender.partition("@")[2]
        if settings.security == "tls":
            return smtplib.SMTP_SSL(*place, timeout=_PATIENCE, context=trusted)
        server = smtplib.SMTP(*place, timeout=_PATIENCE)
        if settings.security == "starttls":
            try:
                server.starttls(context=trusted)
            except BaseException:
                server.close()
                raise
        return server

    def _composed(self, messages: Sequence[Message]) -> EmailMessage:
        mail, (subject, text) = EmailMessage(), written(messages)
        mail["From"], mail["To"] = self.settings.sender, ", ".join(self.settings.recipients)
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=self.settings.sender.partition("@")[2])
        mail["Subject"] = _UNFIT.sub(" ", subject)
        mail.set_content("\n".join(_UNFIT.sub(" ", line) for line in text.split("\n")))
        return mail


Channel = Webhook | Email
"""Where messages go."""


def written(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the subject and the text of an e-mail."""
    first = messages[0]
    if first["kind"] in _SUBJECTS:
        return _SUBJECTS[first["kind"]].format(**first), first["sentence"] + "\n"
    what = f"{first['subject']} needs" if len(messages) == 1 else f"{len(messages)} alerts need"
    sentences = [fill(message["sentence"], _WIDTH, initial_indent="- ", subsequent_indent="  ") for message in messages]
    text = ["This needs a person:", "", *sentences, "", "`shelfprice alerts` lists what is open.", ""]
    return f"Shelfprice: {what} you", "\n".join(text)
