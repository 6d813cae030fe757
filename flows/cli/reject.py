"""The command that turns price changes down."""

from typing import Annotated

import typer

from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import OptionalReason, decide_and_show

Names = Annotated[list[str], typer.Argument(help="Ids of price changes, as `shelfprice changes` lists them.")]


def reject(names: Names, reason: OptionalReason = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Reject price changes that wait; the old price stands.

    A rejected price can still be approved later, until its day is over.

    For example:
      shelfprice reject p12.S01.MILK --reason "too dear for a Friday"
    """
    decide_and_show(names, "rejected", reason, text_of(catalog), as_json=as_json)
