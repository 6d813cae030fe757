"""The command that remakes prices in the middle of a day."""

from typing import Annotated

import typer

from flows.cli.console import emit, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.environment import orchestrated, prepare

Store = Annotated[str | None, typer.Option(help="One store; by default every store that is being sold live.")]


def reprice(store: Store = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Remake prices for the rest of a day from what was sold so far. A live store does this by itself every hour.

    The prices are for who asks: `shelfprice quote --store S01` answers from them.

    For example:
      shelfprice reprice --store S01
    """
    folder = text_of(catalog)
    prepare()
    with orchestrated("flows.reprice"):
        from flows.reprice import reprice as flow

        done = flow(store, folder)
    rows = [{**vars(one), "business_date": str(one.business_date)} for one in done]
    if as_json:
        emit({"repriced": rows})
        return
    columns = ["store", "day", "ticks sold", "visits taken in"]
    show_table("Prices remade for the rest of the day", columns, [list(row.values()) for row in rows])
