"""The command that takes price changes back."""

from typing import Annotated

import typer

from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import OptionalReason, decide_and_show

Names = Annotated[list[str], typer.Argument(help="Ids of price changes, as `shelfprice changes` lists them.")]


def withdraw(names: Names, reason: OptionalReason = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Take back an override, a freeze, a kill switch, or an approval; the shelf follows at its next tick.

    What stood before holds again: the policy's price, an earlier override, or for an approval the old price.

    For example:
      shelfprice withdraw h7 --reason "they are dearer again"
    """
    decide_and_show(names, "withdrawn", reason, text_of(catalog), as_json=as_json)
