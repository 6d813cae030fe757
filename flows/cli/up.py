"""The command that runs all services."""

import os
import signal
from pathlib import Path
from threading import Event

from flows.cli.console import remark, show_table
from flows.cli.options import Catalog, text_of
from flows.environment import api_url_file, prepare
from warehouse.locks import UP


def up(catalog: Catalog = None) -> None:
    """Run Prefect, MLflow, the monitor and a worker with the deployments as one group; Ctrl-C stops them all.

    The deployments are defined in prefect.yaml: nightly/default, transform/hourly-transform, compare/weekly-compare,
    learn/on-drift, backfill/default, health/default and live/live-store. Run one with
    `prefect deployment run 'nightly/default'` and the PREFECT_API_URL that is printed.
    Their addresses are set by SHELFPRICE_PREFECT_ADDRESS, SHELFPRICE_MLFLOW_ADDRESS and SHELFPRICE_MONITOR_ADDRESS.
    """
    from flows.up.services import services_of
    from flows.up.supervisor import refuse_taken_ports, run_group
    from warehouse.files import write_durably
    from warehouse.locks import held

    folder = text_of(catalog)
    settings = prepare()
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with held(settings.locks, UP):
        services = services_of(settings, Path(folder) if folder else None, os.environ.get("PATH", os.defpath))
        refuse_taken_ports(services)
        width = max(len(service.name) for service in services)

        def log(name: str, line: str) -> None:
            remark(f"{name:<{width}} | {line}")

        def all_answer() -> None:
            rows = [[one.name, one.address.url if one.address else "-", one.purpose] for one in services]
            show_table("Everything is up; Ctrl-C stops it", ["service", "address", "what it is for"], rows)

        remark(f"Starting {', '.join(service.name for service in services)} ...")
        write_durably(api_url_file(settings), f"{settings.prefect.url}/api\n")
        run_group(services, log, all_answer, stop)
    remark("stopped; everything that was published is kept")
