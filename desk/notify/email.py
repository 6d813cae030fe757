"""E-mail: all alerts that wait are one message, and a digest is one of its own, as plain text over SMTP."""

import logging
import re
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from textwrap import fill

from pydantic import SecretStr

from catalog.records.notify import EmailSettings
from desk.notify.message import Message, Refusal

_WIDTH = 76
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters of a name that no mail can carry: they end a line of a header, control a terminal, or are half of one."""
_LOG = logging.getLogger(__name__)
_TEMPORARY = range(400, 500)  # answers of SMTP after which the same message may be taken later


class EmailChannel:
    """Sends messages through a mail server.

    Parameters
    ----------
    password
        Of the user that the settings name.
    """

    name = "email"
    patience = 5.0

    def __init__(self, settings: EmailSettings, password: SecretStr | None) -> None:
        self._settings, self._password = settings, password

    def groups(self, messages: Sequence[Message]) -> list[Sequence[Message]]:
        """Return each digest by itself, then all alerts together."""
        alone = [[message] for message in messages if message["kind"] in _SUBJECTS]
        together = [message for message in messages if message["kind"] not in _SUBJECTS]
        return [*alone, *([together] if together else [])]

    def deliver(self, messages: Sequence[Message], seconds: float) -> Refusal | None:
        """Send one e-mail with these messages to all recipients; `seconds` limit each answer of the server."""
        user, password = self._settings.user, self._password
        if user is not None and password is None:
            return Refusal("SHELFPRICE_SMTP_PASSWORD is not set", is_final=True, is_away=True)
        try:
            with self._connection(seconds) as server:
                if user is not None and password is not None:
                    server.login(user, password.get_secret_value())
                if refused := server.send_message(self._composed(messages)):
                    _LOG.warning(
                        "the mail server refused %d of %d recipients", len(refused), len(self._settings.recipients)
                    )
        except smtplib.SMTPRecipientsRefused as error:
            is_final = all(code not in _TEMPORARY for code, _ in error.recipients.values())
            return Refusal("the mail server refused every recipient", is_final=is_final)
        except smtplib.SMTPResponseException as error:
            is_final = error.smtp_code not in _TEMPORARY
            return Refusal(f"the mail server answered {error.smtp_code}", is_final=is_final, is_away=True)
        except smtplib.SMTPNotSupportedError as error:
            return Refusal(f"the mail server lacks what is asked of it ({error})", is_final=True, is_away=True)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Refusal(f"the mail server cannot be reached ({type(error).__name__})", is_away=True)
        return None

    def _connection(self, seconds: float) -> smtplib.SMTP:
        """Return a connection as the settings protect it; nothing is said in the open where they ask for TLS."""
        settings, own_name = self._settings, self._settings.sender.partition("@")[2]
        place = (settings.server, settings.port, own_name)
        if settings.security == "tls":
            return smtplib.SMTP_SSL(*place, timeout=seconds, context=ssl.create_default_context())
        server = smtplib.SMTP(*place, timeout=seconds)
        if settings.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _composed(self, messages: Sequence[Message]) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, ", ".join(self._settings.recipients)
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=self._settings.sender.partition("@")[2])
        subject, text = written(messages)
        mail["Subject"] = _UNFIT.sub(" ", subject)
        mail.set_content("\n".join(_UNFIT.sub(" ", line) for line in text.split("\n")))
        return mail


_SUBJECTS = {"digest": "Shelfprice on the morning of {subject}", "test": "A test message of Shelfprice"}
"""Of messages that are an e-mail of their own, by their kind."""


def written(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the subject and the text of an e-mail."""
    first = messages[0]
    if first["kind"] in _SUBJECTS:
        return _SUBJECTS[first["kind"]].format(**first), first["sentence"] + "\n"
    what = first["subject"] if len(messages) == 1 else f"{len(messages)} alerts"
    sentences = (fill(message["sentence"], _WIDTH, initial_indent="- ", subsequent_indent="  ") for message in messages)
    return f"Shelfprice: {what} needs you" if len(messages) == 1 else f"Shelfprice: {what} need you", "\n".join(
        ["This needs a person:", "", *sentences, "", "`shelfprice alerts` lists what is open.", ""]
    )
