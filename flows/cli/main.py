"""The command line. It starts quickly: what a command needs is imported when the command runs."""

import os
import sys
from typing import Annotated

import typer

from flows.cli.alerts import alerts
from flows.cli.approve import approve
from flows.cli.backfill import backfill
from flows.cli.champions import champions
from flows.cli.changes import changes
from flows.cli.compare import compare
from flows.cli.console import remark
from flows.cli.demo import demo
from flows.cli.doctor import doctor
from flows.cli.drift import drift
from flows.cli.export import export
from flows.cli.failures import failure_line
from flows.cli.freeze import freeze
from flows.cli.health import health
from flows.cli.history import history
from flows.cli.ingest import ingest
from flows.cli.kill_switch import kill_switch
from flows.cli.live import live
from flows.cli.mirror import mirror
from flows.cli.monitor import monitor
from flows.cli.nightly import nightly
from flows.cli.override import override
from flows.cli.pipeline import pipeline
from flows.cli.price import price
from flows.cli.promote import promote
from flows.cli.quote import quote
from flows.cli.reject import reject
from flows.cli.replay import replay
from flows.cli.reprice import reprice
from flows.cli.reset import reset
from flows.cli.rollback import rollback
from flows.cli.serve import serve
from flows.cli.shocks import shocks
from flows.cli.simulate import simulate
from flows.cli.sql import sql
from flows.cli.token import token
from flows.cli.train import train
from flows.cli.transform import transform
from flows.cli.trial import trial
from flows.cli.up import up
from flows.cli.usage import Commands, help_of, show_version
from flows.cli.vacuum import vacuum
from flows.cli.verify import verify
from flows.cli.withdraw import withdraw
from flows.progress import hearing
from warehouse.private import keep_files_private

Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version)
]

app = typer.Typer(
    name="shelfprice",
    cls=Commands,
    help="An end-to-end dynamic-pricing engine: simulate, learn, price, sell, and query all of it in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo,
    simulate,
    ingest,
    transform,
    train,
    price,
    reprice,
    override,
    freeze,
    kill_switch,
    changes,
    approve,
    reject,
    withdraw,
    alerts,
    export,
    pipeline,
    nightly,
    backfill,
    health,
    promote,
    rollback,
    champions,
    history,
    replay,
    live,
    up,
    compare,
    trial,
    drift,
    shocks,
    monitor,
    quote,
    serve,
    token,
    sql,
    verify,
    vacuum,
    mirror,
    doctor,
    reset,
):
    app.command(help=help_of(command))(command)


@app.callback()
def _shelfprice(_version: Version = False) -> None:
    pass


def main() -> None:
    """Run a command; exit 0 when done, 1 with one line when it failed, 2 on wrong usage."""
    keep_files_private()
    try:
        with hearing(remark):
            app()
    except BrokenPipeError:  # the reader of our output left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whatever it is, people get one line
        remark(failure_line(error))
        sys.exit(1)
