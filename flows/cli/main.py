"""The command line. It starts quickly: what a command needs is imported when the command runs."""

import os
import sys

import typer

from catalog.errors import Declined, ShelfpriceError
from flows.cli import compare, drift, look, loop, monitor, nights, time_travel, way_back
from flows.cli.console import remark
from flows.cli.ingest import ingest
from flows.cli.live import live
from flows.cli.up import up

app = typer.Typer(
    name="shelfprice",
    help="An end-to-end dynamic-pricing engine: simulate, learn, price, sell, and look at all of it in SQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    loop.demo,
    loop.simulate,
    ingest,
    loop.transform,
    loop.train,
    loop.price,
    loop.pipeline,
    nights.nightly,
    nights.backfill,
    nights.health,
    way_back.promote,
    way_back.rollback,
    way_back.champions,
    time_travel.history,
    time_travel.replay,
    live,
    up,
    compare.compare,
    drift.drift,
    drift.shocks,
    monitor.monitor,
    look.quote,
    look.sql,
    look.verify,
    look.reset,
):
    app.command()(command)


def main() -> None:
    """Run a command; exit 0 when done, 1 with one line when it failed, 2 on wrong usage."""
    try:
        app()
    except Declined as declined:
        remark(f"declined: {declined}")
        sys.exit(1)
    except ShelfpriceError as error:
        remark(f"error: {error}")
        sys.exit(1)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of our output left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        remark(f"error: {error.filename or 'the system'}: {error.strerror or error}; nothing more was done")
        sys.exit(1)
    except KeyboardInterrupt:
        remark("stopped; what was published stands, run the same command again to go on")
        sys.exit(130)


if __name__ == "__main__":
    main()
