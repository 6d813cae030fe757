"""What came of the prices that people set or approved, beside what was predicted when they were asked for."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, table
from dashboard.formats import UNKNOWN, count, euros, store_name
from dashboard.monitor import Monitor

EFFECTS = "desk-effects"

_TABLES = ("price_changes", "interactions", "experiments", "price_draws", "exposures")
_NAMES = ("Price", "Instead of", "Store days", "Visits", "Units", "predicted", "instead", "Profit", "predicted",
          "instead", "Difference")  # fmt: skip
_MOST = 12


def effects_card(monitor: Monitor) -> Component | None:
    """Show the newest prices that somebody met; None where there are none."""
    if not monitor.reader.has_warehouse():
        return None
    found = monitor.reader.ask("newest_effects", _TABLES, most=_MOST)
    if not len(found):
        return None
    rows = [_row(row) for row in found.to_dict(orient="records")]
    return card(
        "What came of it",
        table(_NAMES, rows, numbers=range(2, len(_NAMES)), width=980),
        caption="Prices that people set or approved, while they stood: what their visits brought, and what was "
        "predicted of as many visits when they were asked for, at this price and at the one instead. The difference to "
        "the one instead, ± two standard errors, is no proof, for no draw decided the price. Of an experiment, store "
        "days take the place of visits, and between its two prices a coin decided: their difference is proof.",
    )


def _row(row: dict[Any, Any]) -> list[Component | str]:
    kind = "approved" if row["kind"] == "price" else row["kind"]
    where = store_name(row["store_id"]) if row["store_id"] else "every store"
    return [
        f"{row['sku']} in {where} at {euros(row['price_eur'])}, {kind}",
        euros(row["otherwise_price_eur"]),
        *(_known(row[name], count) for name in ("count_store_days", "count_visits", "count_units")),
        *(_known(row[name], count) for name in ("expected_units", "otherwise_units")),
        euros(row["profit_eur"]),
        *(_known(row[name], euros) for name in ("expected_profit_eur", "otherwise_profit_eur")),
        _with_error(row["gained_eur"], row["standard_error_eur"]),
    ]


def _known(value: Any, written: Any) -> str:
    return UNKNOWN if pd.isna(value) else str(written(value))


def _with_error(gained: Any, error: Any) -> str:
    """Write a difference with two standard errors, between which it lies 19 times in 20."""
    if pd.isna(gained):
        return UNKNOWN
    return euros(gained) if pd.isna(error) else f"{euros(gained)} ± {euros(2 * error)}"
