import socket

import pytest

from catalog.addresses import is_free, is_loopback

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - asked about, not bound to


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_only_this_machine_reaches_a_loopback_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [EVERY_ADDRESS, "::", "[::]", "10.0.0.1", "shop.example", "localhost.example", ""])
def test_others_may_reach_every_other_address_and_name(host: str) -> None:
    assert not is_loopback(host)


def test_a_port_is_free_until_something_listens_there_and_again_after() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)


@pytest.mark.skipif(not is_free("::1", 0), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_in_brackets_is_the_one_without(host: str) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        assert not is_free(host, port)
    assert is_free(host, port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machines_is_never_free(host: str) -> None:
    assert not is_free(host, 0)
