"""Whether a Dask cluster is there, asked before anything slow: a knock of seconds at its scheduler."""

import socket
from urllib.parse import urlsplit

from catalog.errors import ServiceError
from catalog.settings import Settings
from cluster.dask_cluster import cluster_address

_ANSWERS_WITHIN = 5.0  # seconds


def refuse_absent_cluster(settings: Settings) -> None:
    """Refuse work that a cluster is to do and that none can do; nothing happens where no cluster is set.

    Raises
    ------
    SettingError
        When the packages or the certificates are missing.
    ServiceError
        When nobody listens there.
    """
    if settings.dask is not None:
        refuse_absent_scheduler(cluster_address(settings))


def refuse_absent_scheduler(address: str) -> None:
    """Refuse an address at which nobody listens.

    Raises
    ------
    ServiceError
        With the address, within seconds.
    """
    where = urlsplit(address)
    try:
        socket.create_connection((str(where.hostname), where.port or 0), timeout=_ANSWERS_WITHIN).close()
    except OSError as error:
        raise ServiceError(
            f"expected a Dask scheduler at {address}, found: {error.strerror or error}; nothing was done: start it "
            "with `python -m cluster.dask_cluster scheduler`, or unset SHELFPRICE_DASK to use this machine alone"
        ) from error
