"""Where services listen: whether others can reach an address, and whether its port is free."""

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

_LOGIN = re.compile(r"(?<=://)[^/\s]*@")


@dataclass(frozen=True)
class Address:
    """Where a service listens, and the environment variable that says so."""

    host: str
    port: int
    setting: str

    @property
    def url(self) -> str:
        """The service's address for a browser on this machine."""
        return f"http://{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def without_login(text: str) -> str:
    """Return a text without the user and the password of any address in it."""
    return _LOGIN.sub("", text)


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now: the port is not in use and the address is this machine's."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError:
        return False
    return True
