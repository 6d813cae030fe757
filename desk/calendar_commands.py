"""The command that lists promotions: what is planned, runs, and what the past ones brought."""

from flows.cli.command import command
from flows.cli.console import emit, say, show_table
from flows.cli.options import Catalog, Json, text_of

_NAMES = ("id", "state", "what", "from", "until", "price", "prior", "less", "units", "profit", "by")


@command("desk")
def promotions(catalog: Catalog = None, as_json: Json = False) -> None:
    """List promotions, prices announced as a reduction: waiting, planned, running and past, and what they brought.

    `shelfprice override --announce` plans one, and `shelfprice withdraw` takes it back. Times are UTC, to the first
    moment after it. In SQL it is `promotion_calendar`.

    For example:
      shelfprice promotions
    """
    from flows.workspace import open_workspace
    from warehouse.history import promotions as promotions_in

    workspace = open_workspace(text_of(catalog))
    found = promotions_in(workspace.settings)
    if as_json:
        emit({"promotions": found})
    elif not found:
        say("No promotion is planned: `shelfprice override SKU PRICE --announce` plans one.")
    else:
        money = workspace.catalog.store.money.format_amount
        title = "1 promotion" if len(found) == 1 else f"{len(found)} promotions"
        rows = [
            [
                row["change"],
                row["state"],
                f"{row['sku']}, {row['store_id'] or 'every store'}",
                *("" if row[name] is None else f"{row[name]:%Y-%m-%d %H:%M}" for name in ("starts_at", "ends_at")),
                *("" if row[name] is None else money(row[name]) for name in ("price_eur", "prior_price_eur")),
                "" if row["share_reduced"] is None else f"{row['share_reduced']:.0%}",
                "" if not row["count_store_days"] else f"{row['count_units']:.0f}",
                "" if not row["count_store_days"] else money(row["profit_eur"]),
                row["planned_by"],
            ]
            for row in found
        ]
        show_table(title, list(_NAMES), rows)


COMMANDS = (promotions,)
