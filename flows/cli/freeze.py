"""The command that keeps a price as it is."""

from typing import Annotated

import typer

from flows.cli.completion import known_skus
from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import Anyway, BelowCost, From, OneStore, Reason, Until, ask_and_show

Sku = Annotated[str, typer.Argument(help="Product, for example MILK.", autocompletion=known_skus)]


def freeze(
    sku: Sku,
    reason: Reason,
    store: OneStore = None,
    from_: From = None,
    until: Until = None,
    anyway: Anyway = False,
    below_cost: BelowCost = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Keep the price that a product shows now, in one store or in every store, until a time or until it is withdrawn.

    For example:
      shelfprice freeze EGGS --store S01 --reason "the label printer is broken"
    """
    from desk.price_changes.desk import Wish

    wish = Wish("freeze", reason, sku=sku, store=store, anyway=anyway, below_cost=below_cost)
    ask_and_show(wish, from_, until, text_of(catalog), as_json=as_json)
