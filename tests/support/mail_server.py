"""A mail server on this machine: it keeps the messages that it takes and what was said to it, and may refuse."""

import base64
import datetime as dt
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class MailServer:
    """What came in. `answers` replace the answer to a command once, by the command."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    said: list[tuple[str, bool]] = field(default_factory=list)  # each line, and whether it was encrypted
    logins: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        kept, is_encrypted = self.server.kept, False
        self.answer("220 ready")
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            command = word.upper()
            kept.said.append((f"{command} {rest}".strip(), is_encrypted))
            if refused := kept.answers.get(command):
                self.answer(refused.pop(0))
            elif command == "STARTTLS":
                self.encrypt()
                is_encrypted = True
            else:
                self.follow(command, rest, is_encrypted=is_encrypted)

    def follow(self, command: str, rest: str, *, is_encrypted: bool) -> None:
        kept = self.server.kept
        if command == "EHLO":
            offers = ["250 STARTTLS"] if self.server.certificate and not is_encrypted else ["250 SIZE"]
            self.answer("250-here", "250-AUTH PLAIN", *offers)
        elif command == "AUTH":
            _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
            kept.logins.append((user, password))
            self.answer("235 welcome")
        elif command == "DATA":
            self.answer("354 go on")
            kept.messages.append(self.message())
            self.answer("250 taken")
        else:
            self.answer("221 bye" if command == "QUIT" else "250 fine")

    def answer(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()

    def encrypt(self) -> None:
        assert self.server.certificate is not None
        self.answer("220 go on")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")

    def message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), _class=EmailMessage, policy=policy.default)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.certificate, self.kept = certificate, MailServer(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client may leave in the middle."""


@contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[MailServer]:
    """Run a mail server while the block lasts; with a certificate it offers STARTTLS."""
    with _Server(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.kept
        finally:
            server.shutdown()
            thread.join()


def certificate_in(folder: Path) -> Path:
    """Write a certificate of this machine that nobody else has signed, with its key, and return the file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")]),
    )
    place, now = x509.IPAddress(ipaddress.ip_address("127.0.0.1")), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([place]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(plain + signed)
    return file
