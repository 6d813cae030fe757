"""Work spread over a Dask cluster: a knock of seconds at its scheduler before anything slow, then all.

What Dask needs beyond the embedded install is loaded when it is asked for.
"""

import socket
import ssl
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

from catalog.errors import ServiceError
from catalog.settings import Settings
from catalog.spread import Spread
from flows.spreading import Say
from plugins.operations.machines.dask_cluster import cluster_address, tls_of

_ANSWERS_WITHIN = 4.0  # seconds


def on_cluster(settings: Settings, say: Say) -> AbstractContextManager[Spread]:
    """Let jobs be done by the workers of a cluster; see `plugins.operations.machines.on_dask.on_dask`."""
    from plugins.operations.machines.on_dask import on_dask

    return on_dask(settings, say)


def refuse_absent_cluster(settings: Settings) -> None:
    """Refuse work that a cluster is to do and that none can do; nothing happens where no cluster is set.

    Raises
    ------
    SettingError
        When the packages or the certificates are missing.
    ServiceError
        When no scheduler answers there, it has no worker right now, or one of them cannot be used.
    """
    if settings.dask is None:
        return
    refuse_absent_scheduler(settings)
    from plugins.operations.machines.on_dask import on_dask

    with on_dask(settings, lambda _said: None, workers_within=_ANSWERS_WITHIN):
        return


def refuse_absent_scheduler(settings: Settings) -> None:
    """Refuse an address at which no scheduler speaks to us: it speaks first, once it has seen our certificate.

    Raises
    ------
    SettingError
        When the packages or the certificates are missing.
    ServiceError
        With the address, within seconds.
    """
    address = cluster_address(settings)
    where, tls = urlsplit(address), tls_of(settings)
    try:
        plain = socket.create_connection((str(where.hostname), where.port or 0), timeout=_ANSWERS_WITHIN)
        with plain, tls.wrap_socket(plain) if tls else nullcontext(plain) as line:
            is_heard = line.recv(1) != b""
    except (TimeoutError, ssl.SSLError, ConnectionResetError) as error:
        is_heard, why = False, getattr(error, "reason", None) or "it says nothing"
    except OSError as error:
        raise ServiceError(
            f"expected a Dask scheduler at {address}, found: {error.strerror or error}; nothing was done: start it "
            "with `python -m plugins.operations.machines.dask_cluster scheduler`, or unset SHELFPRICE_DASK "
            "to use this machine alone"
        ) from error
    else:
        why = "it hangs up"
    if not is_heard:
        raise ServiceError(
            f"expected a Dask scheduler at {address}, found one that does not let us in ({why}); nothing was done: see "
            "that SHELFPRICE_DASK, tcp:// or tls://, and the certificates are those of the cluster"
        )
