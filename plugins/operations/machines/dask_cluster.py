"""Start the scheduler and workers of a Dask cluster with the settings that Shelfprice needs.

They are Dask's own programs. What is chosen here: they listen where `SHELFPRICE_DASK` says and nowhere else, encrypted
off loopback; a worker process computes one thing at a time, under a nanny that starts it again when it dies; no
dashboard is served; and a worker that has lost its scheduler ends. A worker works in the lake that its own environment
names: the passwords of stores and databases never travel through the cluster.
"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from urllib.parse import urlsplit

from catalog.addresses import is_loopback
from catalog.errors import ServiceError, SettingError, ShelfpriceError
from catalog.settings import Settings, read_settings
from catalog.spread import Spread, cores
from warehouse.files import keep_files_private

_DEATH_TIMEOUT = 60  # seconds until a worker that finds no scheduler ends
_NOWHERE_ELSE = "127.0.0.1:0"  # where the page of a process's health is served, which Dask cannot leave out
_USAGE = 2


def scheduler_command(settings: Settings) -> tuple[str, ...]:
    """Return the command of the scheduler that listens where `settings.dask` says.

    Raises
    ------
    SettingError
        When no address is set, the packages are missing, or an encrypted address has no certificates.
    """
    address = urlsplit(cluster_address(settings))
    return (
        *_program("dask_scheduler"),
        *("--protocol", address.scheme, "--host", str(address.hostname), "--port", str(address.port)),
        *_quiet(settings),
    )


def worker_command(settings: Settings, processes: int | None = None, name: str | None = None) -> tuple[str, ...]:
    """Return the command of the workers of one machine, by default as many as it has cores.

    Parameters
    ----------
    name
        By which the scheduler knows a single worker; by default its address.

    Raises
    ------
    SettingError
        As for the scheduler.
    """
    address = cluster_address(settings)
    host = str(urlsplit(address).hostname)
    return (
        *_program("dask_worker"),
        address,
        *("--nworkers", str(processes or cores()), "--nthreads", "1", "--nanny"),
        *("--death-timeout", str(_DEATH_TIMEOUT), "--local-directory", str(settings.home / "dask")),
        *(("--host", host) if is_loopback(host) else ()),
        *(("--name", name) if name else ()),
        *_quiet(settings),
    )


def cluster_environment(settings: Settings) -> Mapping[str, str]:
    """Return the variables that both programs are started with, beside those of this process."""
    return {
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": str(is_encrypted(settings)),
    }


def cluster_address(settings: Settings) -> str:
    """Return the address of the scheduler, once everything is there that it takes to speak with it.

    Raises
    ------
    SettingError
        When no address is set, the packages are missing, or an encrypted address has no certificates.
    """
    if settings.dask is None:
        raise SettingError("SHELFPRICE_DASK: expected tls://host:port, or tcp://127.0.0.1:port, found nothing")
    if find_spec("distributed") is None:
        raise SettingError(
            f"SHELFPRICE_DASK: {settings.dask} needs packages that are not installed: run `make install-cluster`"
        )
    if is_encrypted(settings):
        _refuse_missing_certificates(settings)
    return settings.dask


def is_encrypted(settings: Settings) -> bool:
    """Return whether connections to the cluster use TLS."""
    return bool(settings.dask and settings.dask.startswith("tls://"))


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return what a client shows and trusts, as Dask does: certificates of our authority, whatever host has them.

    Raises
    ------
    SettingError
        When a file cannot be used; None where the cluster is not encrypted.
    """
    if not is_encrypted(settings):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    variable, file = "SHELFPRICE_DASK_CA", settings.dask_ca
    try:
        context.load_verify_locations(settings.dask_ca)
        variable, file = "SHELFPRICE_DASK_CERT with SHELFPRICE_DASK_KEY", settings.dask_cert
        context.load_cert_chain(str(settings.dask_cert), settings.dask_key)
    except OSError as error:  # one of TLS, too
        why = getattr(error, "reason", None) or error.strerror
        raise SettingError(
            f"{variable}: expected what makes a certificate in PEM, cannot use {file} ({why}); nothing was started: "
            "name the files that belong together"
        ) from error
    return context


def _refuse_missing_certificates(settings: Settings) -> None:
    files = {
        "SHELFPRICE_DASK_CA": settings.dask_ca,
        "SHELFPRICE_DASK_CERT": settings.dask_cert,
        "SHELFPRICE_DASK_KEY": settings.dask_key,
    }
    for variable, file in files.items():
        if file is None or not file.is_file():
            sentence = "nothing" if file is None else f"no file at {file}"
            raise SettingError(
                f"{variable}: expected a file in PEM, found {sentence}; {settings.dask} lets in those alone whose "
                "certificate its authority signed, so nothing was started"
            )


def _program(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"distributed.cli.{name}")


def _quiet(settings: Settings) -> tuple[str, ...]:
    """Return the options of both programs: no dashboard, and the certificates where there are some."""
    options = ("--no-dashboard", "--dashboard-address", _NOWHERE_ELSE)
    if not is_encrypted(settings):
        return options
    certificates = (("ca-file", settings.dask_ca), ("cert", settings.dask_cert), ("key", settings.dask_key))
    return (*options, *(word for name, file in certificates for word in (f"--tls-{name}", str(file))))


def main() -> None:
    """Become the scheduler, or the workers of this machine; their files are their owner's alone."""
    words = sys.argv[1:]
    if words[:1] not in (["scheduler"], ["worker"]) or not all(word.isdecimal() for word in words[1:2]) or words[3:]:
        sys.stderr.write(
            "usage: python -m plugins.operations.machines.dask_cluster scheduler | worker [PROCESSES [NAME]]\n"
        )
        sys.exit(_USAGE)
    try:
        settings = read_settings()
        processes, name = int(words[1]) if words[1:] else None, words[2] if words[2:] else None
        command = scheduler_command(settings) if words[0] == "scheduler" else worker_command(settings, processes, name)
        tls_of(settings)
    except ShelfpriceError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    keep_files_private()
    os.execve(command[0], command, {**os.environ, **cluster_environment(settings)})  # noqa: S606 - our own


if __name__ == "__main__":
    main()


_ANSWERS_WITHIN = 4.0  # seconds


def on_cluster(settings: Settings, say: Callable[[str], object]) -> AbstractContextManager[Spread]:
    """Let jobs be done by the workers of a cluster; see `on_dask`."""
    from plugins.operations.machines.on_dask import on_dask  # noqa: PLC0415 - Dask may not be installed

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
    from plugins.operations.machines.on_dask import on_dask  # noqa: PLC0415 - Dask may not be installed

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
