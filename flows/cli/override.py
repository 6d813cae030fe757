"""The command by which a person sets a price."""

from typing import Annotated

import typer

from catalog.limits import HIGHEST_PRICE, LOWEST_PRICE
from flows.cli.completion import known_skus
from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import Anyway, BelowCost, From, OneStore, Reason, Until, ask_and_show

Sku = Annotated[str, typer.Argument(help="Product, for example MILK.", autocompletion=known_skus)]
Price = Annotated[float, typer.Argument(min=LOWEST_PRICE, max=HIGHEST_PRICE, help="Price in the shelf's currency.")]
Announce = Annotated[
    bool,
    typer.Option(
        "--announce", help="Announce it as a reduction; the price that it has to name by law is worked out and kept."
    ),
]


def override(
    sku: Sku,
    price: Price,
    reason: Reason,
    store: OneStore = None,
    from_: From = None,
    until: Until = None,
    announce: Announce = False,
    anyway: Anyway = False,
    below_cost: BelowCost = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Set a price yourself, for a product, a store and a time; the shelf follows at its next tick.

    What speaks against it (frozen, below its floor, another override) is named first. A price below cost plus the
    minimum margin needs --below-cost, and floor and ceiling bind every price. It says what the price is expected to
    cost against the policy's, and how to undo it.

    For example:
      shelfprice override MILK 1.29 --store S01 --until 18:00 --reason "a competitor is cheaper"
    """
    from desk.price_changes.desk import Wish

    wish = Wish(
        "override", reason, sku=sku, store=store, price=price, announced=announce, anyway=anyway, below_cost=below_cost
    )
    ask_and_show(wish, from_, until, text_of(catalog), as_json=as_json)
