"""The command that lets price changes that wait count."""

from typing import Annotated

import typer

from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import OptionalReason, decide_and_show

Names = Annotated[list[str], typer.Argument(help="Ids of price changes, as `shelfprice changes` lists them.")]


def approve(names: Names, reason: OptionalReason = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Approve price changes that wait; the shelf follows at its next tick.

    `shelfprice changes --waiting` lists them. Where store.yaml says `approval: {by_another: true}`, whoever asked
    for a price may not approve it.

    For example:
      shelfprice approve p12.S01.MILK p12.S01.EGGS
    """
    decide_and_show(names, "approved", reason, text_of(catalog), as_json=as_json)
