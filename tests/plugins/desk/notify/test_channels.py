"""Messages reach a webhook signed and a mail server encrypted, and what a channel does not take is said."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mail_server import certificate_in, mail_server
from pydantic import SecretStr, ValidationError

from catalog.errors import SettingError
from catalog.settings import read_settings
from plugins.desk.notify.channels import Email, Refusal, Webhook, signed_headers
from plugins.desk.records import EmailSettings

KEY = bytes(range(32))
PASSWORD = SecretStr("a secret of the mail server")
ALERT = {
    "kind": "labels",
    "subject": "S01 MILK",
    "sentence": "a label is late: look",
    "at": "2026-01-19T09:00:00+00:00",
}
DIGEST = {**ALERT, "kind": "digest", "subject": "2026-01-19", "sentence": "Good morning.\n\nMilch für 1,29 € wartet."}


def settings_of(port: int, **changes: object) -> EmailSettings:
    known = {"server": "127.0.0.1", "port": port, "security": "none", "sender": "shop@example.com"}
    return EmailSettings.model_validate({**known, "recipients": ("anna@example.com", "ben@example.com"), **changes})


def test_a_message_arrives_as_one_readable_e_mail_for_everybody() -> None:
    with mail_server() as server:
        channel = Email(settings_of(server.port), None)
        assert channel.groups([ALERT, DIGEST, ALERT]) == [[DIGEST], [ALERT, ALERT]]
        assert channel.deliver([DIGEST]) is None
        assert channel.deliver([ALERT, {**ALERT, "subject": "S02 EGGS"}]) is None
    digest, alerts = server.messages
    assert (digest["Subject"], digest["From"]) == ("Shelfprice on the morning of 2026-01-19", "shop@example.com")
    assert digest["To"] == "anna@example.com, ben@example.com"
    assert digest.get_content().splitlines() == DIGEST["sentence"].splitlines()
    assert alerts["Subject"] == "Shelfprice: 2 alerts need you"
    assert alerts.get_content().count("- a label is late: look") == 2
    commands = [line.upper() for line, _ in server.said]  # Python 3.13 says some in small letters
    assert [line for line in commands if line.startswith("RCPT")] == [
        "RCPT TO:<ANNA@EXAMPLE.COM>",
        "RCPT TO:<BEN@EXAMPLE.COM>",
    ] * 2
    assert server.logins == []


@pytest.mark.parametrize(
    "odd", ["\n", "\r", "\v", "\f", "\x00", "\x1c", "\x85", "\u2028", "\u2029", "\ud800", "\u202e", "é日🥛"]
)
def test_a_name_with_any_character_arrives_in_header_and_body(odd: str) -> None:
    name = f"S02 MI{odd}LK"
    with mail_server() as server:
        channel = Email(settings_of(server.port), None)
        assert channel.deliver([{**ALERT, "subject": name, "sentence": f"{name} is late"}]) is None
        assert channel.deliver([{**DIGEST, "sentence": f"Good morning.\n{name}\n{'x' * 2_000}"}]) is None
    alert, digest = server.messages
    shown = name if odd in {"\u202e", "é日🥛"} else "S02 MI LK"
    assert alert["Subject"] == f"Shelfprice: {shown} needs you"
    assert f"- {shown} is late" in alert.get_content()
    assert digest.get_content().split() == ["Good", "morning.", *shown.split(), "x" * 2_000]


def test_a_password_is_said_after_encryption_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate) as server:
        channel = Email(settings_of(server.port, security="starttls", user="shop"), PASSWORD)
        assert channel.deliver([ALERT]) is None
    assert server.logins == [("shop", PASSWORD.get_secret_value())]
    assert [line.split()[0] for line, is_encrypted in server.said if not is_encrypted] == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("offers", [False, True], ids=["no encryption", "a certificate that nobody trusts"])
def test_a_server_that_cannot_be_trusted_hears_neither_password_nor_message(tmp_path: Path, *, offers: bool) -> None:
    with mail_server(certificate_in(tmp_path) if offers else None) as server:
        refusal = Email(settings_of(server.port, security="starttls", user="shop"), PASSWORD).deliver([ALERT])
    assert refusal is not None
    assert refusal.is_away
    assert ("SSLCertVerificationError" if offers else "STARTTLS") in refusal.why
    assert server.logins == []
    assert {line.split()[0] for line, _ in server.said} <= {"EHLO", "STARTTLS", "QUIT"}


@pytest.mark.parametrize(
    ("command", "answer", "said"),
    [
        ("AUTH", "535 no", "the mail server answered 535"),
        ("MAIL", "451 later", "the mail server answered 451"),
        ("DATA", "554 no", "the mail server answered 554"),
        ("RCPT", "550 no", "the mail server refused every recipient"),
    ],
)
def test_what_a_mail_server_refuses_is_said_without_the_password(command: str, answer: str, said: str) -> None:
    with mail_server() as server:
        server.answers[command] = [answer, answer]
        refusal = Email(settings_of(server.port, user="shop"), PASSWORD).deliver([ALERT])
        assert server.messages == []
    assert refusal is not None
    assert refusal.why == said


def test_a_mail_server_that_is_away_or_without_its_password_is_said() -> None:
    with mail_server() as server:
        missing = Email(settings_of(server.port, user="shop"), None).deliver([ALERT])
        assert missing is not None
        assert "SHELFPRICE_SMTP_PASSWORD" in missing.why
        assert server.said == []
    away = Email(settings_of(server.port), None).deliver([ALERT])
    assert away is not None
    assert away == Refusal("the mail server cannot be reached (ConnectionRefusedError)", is_away=True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"security": "none", "user": "shop", "server": "mail.example.com"}, "others could read it"),
        ({"sender": "shop@example.com\nBcc: x@example.com"}, "sender"),
        ({"recipients": ()}, "recipients"),
        ({"password": "written down"}, "password"),
    ],
)
def test_settings_that_would_tell_others_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        settings_of(25, **changes)


@contextmanager
def hearing(answers: list[int]) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Run a receiver of webhooks; yield its address and what it hears: headers and body."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hears) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks", heard
        server.shutdown()
        thread.join()


def test_a_receiver_proves_who_sent_a_message_and_when() -> None:
    with hearing([204, 503]) as (address, heard):
        assert Webhook(address, KEY).deliver([ALERT]) is None
        assert Webhook(address, None).deliver([ALERT]) == Refusal("it answered 503")
    (signed, body), (unsigned, again) = heard
    text = f"{signed['webhook-id']}.{signed['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    assert signed["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body) == ALERT
    assert (again, unsigned["webhook-id"]) == (body, signed["webhook-id"])
    assert "webhook-signature" not in unsigned


@given(st.binary(), st.binary(), st.integers(0, 2**33), st.integers(0, 2**33))
def test_no_other_body_and_no_other_moment_has_the_same_signature(
    body: bytes, other: bytes, at: int, then: int
) -> None:
    mine = signed_headers(KEY, body, at)["webhook-signature"]
    assert (mine == signed_headers(KEY, other, then)["webhook-signature"]) is ((body, at) == (other, then))


@pytest.mark.parametrize("secret", ["short", "bm90IGxvbmcgZW5vdWdo", "not base64 at all, though it is long enough"])
def test_a_secret_that_could_be_guessed_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SettingError, match="SHELFPRICE_WEBHOOK_SECRET") as refused:
        read_settings({"SHELFPRICE_WEBHOOK_SECRET": secret})
    assert secret not in str(refused.value)
