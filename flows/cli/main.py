"""The command line. It starts quickly: what a command needs is imported when the command runs.

The core lists its commands here. A plugin registers its commands by an entry point of the group
`shelfprice.commands`, which leads to a tuple of them.
"""

import os
import sys
from typing import Annotated

import typer

from catalog import hooks
from flows.cli import loop, models, quote, sql
from flows.cli.command import Command, Commands, help_of, show_version
from flows.cli.console import remark
from flows.cli.failures import failure_line
from flows.progress import hearing
from warehouse.files import keep_files_private

Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version)
]
OF_THE_CORE: tuple[Command, ...] = (
    *(loop.demo, loop.pipeline, quote.quote, sql.sql, loop.transform, models.train, loop.price),
    *(loop.simulate, loop.nightly, loop.backfill, loop.reset),
    models.champions,
)
COMMANDS = (*OF_THE_CORE, *(command for of_wing in hooks.COMMANDS.all() for command in of_wing))

app = typer.Typer(
    name="shelfprice",
    cls=Commands,
    help="An end-to-end dynamic-pricing engine: simulate, learn, price, sell, and query all of it in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command(command.name, help=help_of(command.run), rich_help_panel=command.group)(command.callback)


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
