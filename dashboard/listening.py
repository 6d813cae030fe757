"""Whether the monitor may listen where it is told to. It imports no server, so that a refusal comes at once."""

from catalog.addresses import is_free, is_loopback
from catalog.errors import DataError
from catalog.settings import Settings

USER, PASSWORD = "SHELFPRICE_MONITOR_USER", "SHELFPRICE_MONITOR_PASSWORD"


def credential_for(host: str, settings: Settings) -> tuple[str | None, str | None]:
    """Return the user and the password that are asked for on a host; both None on this machine alone.

    Raises
    ------
    DataError
        When others could reach the host and no user and password are set, or only one of them is.
    """
    user, password = settings.monitor_user, settings.monitor_password
    if (user is None) != (password is None):
        missing = USER if user is None else PASSWORD
        raise DataError(f"expected {USER} and {PASSWORD} together, found no {missing}; set both or neither")
    if not is_loopback(host) and user is None:
        raise DataError(
            f"--host {host}: others could open the monitor there, which wants a credential; nothing was started: "
            f"set {USER} and {PASSWORD}, or stay on 127.0.0.1"
        )
    return user, password.get_secret_value() if password else None


def refuse_taken(host: str, port: int) -> None:
    """Refuse a port that something listens on, and an address that is not this machine's.

    Raises
    ------
    DataError
        When the monitor could not listen there.
    """
    if not is_free(host, port):
        raise DataError(
            f"port {port} of {host} is taken, or the address is not this machine's; stop what listens there, or give "
            "another --port or --host"
        )
