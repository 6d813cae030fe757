"""The command that runs all services."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from catalog.errors import Declined
from catalog.settings import Settings
from flows.cli.command import RUN_AGAIN, Catalog, command, text_of
from flows.cli.console import remark, show_table
from flows.cli.program import leave_the_end_to_the_command
from plugins.operations.up.states import ServiceState, forget_service_states, running_services, write_service_states
from warehouse.commits.locks import UP, held
from warehouse.databases import trainings_page
from warehouse.files import login_file

if TYPE_CHECKING:
    from plugins.operations.up.supervisor import Stop

_SIGNALED = 128  # what is added to a signal's number for the exit code


@command(when_stopped=RUN_AGAIN)
def up(catalog: Catalog = None) -> None:
    """Run Prefect, MLflow, a worker with the deployments, the monitor and the quote API; Ctrl-C stops them all.

    A service that exits is started again; after five failures within a minute all are stopped. The monitor's
    Pipeline page shows how each is. Stopped by Ctrl-C the exit code is 130, by SIGTERM 143, by SIGHUP 129.
    The deployments are defined in prefect.yaml: nightly/nightly-close-and-price, transform/hourly-transform,
    reprice/hourly-reprice, compare/weekly-compare, learn/learn-on-drift, backfill/backfill-when-asked,
    health/daily-health and live/live-store.
    Run one with `prefect deployment run 'nightly/nightly-close-and-price'`, as docs/schedules.md says.
    Their addresses are set by SHELFPRICE_PREFECT_ADDRESS, SHELFPRICE_MLFLOW_ADDRESS, SHELFPRICE_MONITOR_ADDRESS and
    SHELFPRICE_API_ADDRESS.
    """
    from plugins.operations.up.supervisor import SIGNALS, Stop

    stop = Stop()
    leave_the_end_to_the_command()
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # `nohup`: outlive the terminal
            signal.signal(number, stop.hear)
    _run(text_of(catalog), stop)
    if stop.number is not None:
        _tell("stopped; everything that was published is kept")
        raise typer.Exit(_SIGNALED + stop.number)


def _run(catalog: str | None, stop: "Stop") -> None:
    from flows.environment import api_url_file, prepare
    from plugins.operations.machines.database import keep_database_up_to_date
    from plugins.operations.machines.postgresql import watched
    from plugins.operations.up.services import services_of
    from plugins.operations.up.supervisor import refuse_taken_ports, run_group
    from warehouse.files import write_durably

    settings = prepare()
    with _alone(settings):
        write_durably(api_url_file(settings), f"{settings.prefect.url}/api\n")
        services = services_of(settings, Path(catalog) if catalog else None, os.environ.get("PATH", os.defpath))
        refuse_taken_ports(services)
        keep_database_up_to_date(settings, remark, lambda: stop.is_asked)
        width = max(len(service.name) for service in services)

        def log(name: str, line: str) -> None:
            _tell(f"{name:<{width}} | {line}")

        def all_answer() -> None:
            rows = [
                [service.name, service.address.url if service.address else "-", service.purpose] for service in services
            ]
            show_table("Everything is up; Ctrl-C stops it", ["service", "address", "what it is for"], rows)
            if page := trainings_page(settings):
                _tell(f"Every training in MLflow: {page}")
            if settings.prefect_login is None:
                _tell(f"Prefect and MLflow ask for the credential in {login_file(settings)}")

        remark(f"Starting {', '.join(service.name for service in services)} ...")
        with watched(settings.database, log):
            run_group(services, log, all_answer, stop, _Record(settings))


def _tell(text: str) -> None:
    """Print a message; the services go on when its reader has left, where rich would end the program."""
    with suppress(OSError, SystemExit):
        remark(text)


class _Record:
    """Writes how the services are, and goes on where that cannot be written."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_told = False

    def __call__(self, states: Sequence[ServiceState]) -> None:
        try:
            write_service_states(self._settings, os.getpid(), states)
        except OSError as error:
            if not self._is_told:
                _tell(f"how the services are cannot be written ({error.strerror}): the monitor does not show it")
            self._is_told = True


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the lock of all services, or say who does."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(settings.locks, UP))
        except Declined as error:
            raise Declined(_is_up_already(settings)) from error
        forget_service_states(settings)
        yield


def _is_up_already(settings: Settings) -> str:
    running = running_services(settings)
    if running is None:
        return (
            f"the services of {settings.home} are being started by another `shelfprice up`; nothing was started: look "
            "again in a moment"
        )
    addresses = {service.name: service.address for service in running.services if service.address}
    monitor = addresses.pop("monitor", settings.monitor.url)
    others = "".join(f", {name} at {address}" for name, address in addresses.items())
    return (
        f"the services of {settings.home} are running already, as process {running.process}, with the monitor at "
        f"{monitor}{others}; nothing was started: open it, or stop them with Ctrl-C where they were started or with "
        f"`kill {running.process}`"
    )


COMMANDS = (up,)
