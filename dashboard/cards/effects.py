"""What came of the prices that people set or approved, beside what was predicted when they were asked for."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import UNKNOWN, count, day, euros, store_name
from dashboard.monitor import Monitor

EFFECTS = "desk-effects"

_TABLES = ("price_changes", "interactions", "experiments", "price_draws", "exposures", "stock_movements", "products")
_MOST = 12


def effects_card(monitor: Monitor) -> Component | None:
    """Show the newest prices that shoppers met, with a total; None where there are none."""
    if not monitor.reader.has_warehouse():
        return None
    found = monitor.reader.ask("newest_effects", _TABLES, most=_MOST)
    if not len(found):
        return None
    objective = monitor.catalog.current().store.policies.objective
    worth = "Revenue" if objective == "revenue" else "Profit"
    names = ("Price", "By", "Instead of", "Store days", "Units", "instead", "Waste", "instead", worth, "instead",
             "Difference", "Promised")  # fmt: skip
    rows = [_row(row, objective) for row in found.to_dict(orient="records")]
    total = _total(found.iloc[0].to_dict(), objective)
    return card(
        "What came of it",
        table(names, [*total, *rows], numbers=range(2, len(names)), width=1060),
        caption="Prices that people set or approved, while they stood: what their visits brought, what was thrown away "
        "on their store days, and what was predicted of as many visits at the price instead. The difference, ± two "
        "standard errors, is no proof, for no draw decided the price. *Promised* is the gain that was predicted when "
        "the price was asked for. Between the two prices of an experiment a coin decided: their difference is proof.",
    )


def _total(row: Mapping[Any, Any], objective: str) -> list[list[Component | str]]:
    """Return the row of all prices that people set or approved; none where all rows are of experiments."""
    if not row["prices_in_all"]:
        return []
    wastes = (_known(row[name], euros) for name in ("waste_in_all", "otherwise_waste_in_all"))
    brought, instead = _worth(row, objective, "_in_all")
    worths = (_known(own, euros) for own in (brought, instead, brought - instead, row["promised_in_all"]))
    return [[f"In all ({count(row['prices_in_all'])})", "", "", "", "", "", *wastes, *worths]]


def _row(row: Mapping[Any, Any], objective: str) -> list[Component | str]:
    kind = "approved" if row["kind"] == "price" else row["kind"]
    name = row["sku"] if pd.isna(row["product_name"]) else row["product_name"]
    place = f"{name} in {store_name(row['store_id']) if row['store_id'] else 'every store'}"
    brought, instead = _worth(row, objective, "_eur")
    return [
        f"{place} at {euros(row['price_eur'])}, {kind}",
        f"{row['approved_by']}, {day(row['holds_from'].date())}",
        euros(row["otherwise_price_eur"]),
        *(_known(row[name], count) for name in ("count_store_days", "count_units", "otherwise_units")),
        *(_known(row[name], euros) for name in ("waste_eur", "otherwise_waste_eur")),
        *(_known(own, euros) for own in (brought, instead)),
        _with_error(brought - instead, row["standard_error_eur"]),
        _known(row["promised_eur"], euros),
    ]


def _worth(row: Mapping[Any, Any], objective: str, end: str) -> tuple[float, float]:
    """Return what a price brought and what the one instead would have, EUR, in what the catalog maximises."""
    if objective == "revenue":
        return row[f"revenue{end}"], row[f"otherwise_revenue{end}"]
    sides = ("", "otherwise_")
    is_margin = objective == "margin"  # which forgets what is thrown away
    brought, instead = (row[f"{side}profit{end}"] + is_margin * row[f"{side}waste{end}"] for side in sides)
    return brought, instead


def _known(value: Any, written: Any) -> str:
    return UNKNOWN if pd.isna(value) else str(written(value))


def _with_error(gained: Any, error: Any) -> str:
    """Write a difference with two standard errors, between which it lies 19 times in 20."""
    if pd.isna(gained):
        return UNKNOWN
    return euros(gained) if pd.isna(error) else f"{euros(gained)} ± {euros(2 * error)}"
