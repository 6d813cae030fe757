"""Champions on the Models page: how each judged version did over time, and every change of champion."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, chart, fold, table
from dashboard.data.versions import Version
from dashboard.figures import models as figures
from dashboard.formats import UNKNOWN, day, euros
from dashboard.theme import Scheme

_WORDS = {
    "promoted_by_gate": ("promoted", "ocean"),
    "promoted_by_hand": ("by hand", "grape"),
    "rolled_back": ("rolled back", "orange"),
    "found": ("found", "gray"),
}


def timeline(versions: Sequence[Version], scheme: Scheme) -> Component:
    """Show which version was champion when."""
    return card(
        "Champions over time",
        chart("models-history", "Log loss of every judged version over time", figures.history(versions, scheme)),
        caption="Look for a line that does not climb. Each version is judged on the days before its date, so days that "
        "are harder to predict raise every version of that time.",
    )


def changes(rows: pd.DataFrame) -> list[Component]:
    """List the changes of champion, the newest first; nothing before the first of them.

    Parameters
    ----------
    rows
        Rows of the query `champion_history`.
    """
    if rows.empty:
        return []
    names = ("Prices from", "Version", "Change", "Decided by", "Revenue a store day", "Reason")
    return [
        fold(
            "Changes of champion",
            f"{len(rows)} so far, the newest on {day(pd.Timestamp(rows['decided_at'].iloc[0]).date())}.",
            table(names, [_row(row) for row in rows.to_dict(orient="records")], width=760),
            caption="A version that was rolled back returns only when someone promotes it by hand; the next model is "
            "judged on days sold since. The command `shelfprice rollback --reason WHY` goes one champion back.",
        )
    ]


def _row(row: dict[Any, Any]) -> list[Component | str]:
    what, colour = _WORDS.get(row["action"], (str(row["action"]), "gray"))
    store_days = int(row["count_store_days"])
    return [
        day(pd.Timestamp(row["prices_from"]).date()),
        str(row["version"]),
        dmc.Badge(what, color=colour, variant="light", size="sm", tt="none"),
        html.Span(str(row["decided_by"]), title=f"{row['decided_at']:%Y-%m-%d %H:%M} UTC"),
        euros(row["revenue_eur"] / store_days) if store_days else UNKNOWN,
        dmc.Text(str(row["reason"]), size="sm", lineClamp=3),
    ]
