"""Ports on which servers of this machine listen."""

import random

from catalog.addresses import Address, is_free

HOST = "127.0.0.1"
_PORTS = range(20_000, 32_000)
"""Below those that the system hands out to clients, so none is given to another between our look and our use."""

_given: set[int] = set()


def free_address(preferred: int | None = None) -> Address:
    """Return an address of this machine whose port nobody listens on, the preferred one if it is free."""
    port = preferred if preferred is not None and is_free(HOST, preferred) else free_port()
    return Address(HOST, port, "the port, which is chosen")


def free_port() -> int:
    """Return a port of this machine on which nobody listens, and that was not returned before."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port not in _given and is_free(HOST, port):
            _given.add(port)
            return port
