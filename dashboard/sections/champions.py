"""What the Models page shows of champions: each change, who made it and why, and what came of it."""

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card
from dashboard.theme import day, euros

_NOTHING = "–"
_WORDS = {
    "promoted_by_gate": ("promoted", "ocean"),
    "promoted_by_hand": ("by hand", "grape"),
    "rolled_back": ("rolled back", "orange"),
    "found": ("found", "gray"),
}


def changes(rows: pd.DataFrame) -> list[Component]:
    """List the changes of champion, the newest first; nothing before the first of them.

    Parameters
    ----------
    rows
        Rows of the query `champion_history`.
    """
    if rows.empty:
        return []
    names = ("Prices from", "Version", "What happened", "Decided by", "Earned a store day", "Why")
    table = dmc.Table(
        [
            dmc.TableThead(dmc.TableTr([dmc.TableTh(name) for name in names])),
            dmc.TableTbody([_row(row) for row in rows.to_dict(orient="records")]),
        ],
        verticalSpacing=6,
        className="figures-table",
    )
    return [
        card(
            "Changes of champion",
            dmc.TableScrollContainer(table, minWidth=760, type="native"),
            caption="A version that was rolled back comes back only when someone promotes it by hand; what is trained "
            "next is judged on days sold since. shelfprice rollback goes one champion back.",
        )
    ]


def _row(row: dict[Any, Any]) -> Component:
    what, colour = _WORDS.get(row["action"], (str(row["action"]), "gray"))
    store_days = int(row["count_store_days"])
    earned = euros(row["revenue_eur"] / store_days) if store_days else _NOTHING
    decided = html.Span(str(row["decided_by"]), title=f"{row['decided_at']:%Y-%m-%d %H:%M} UTC")
    cells = [
        day(pd.Timestamp(row["prices_from"]).date()),
        str(row["version"]),
        dmc.Badge(what, color=colour, variant="light", size="sm", tt="none"),
        decided,
        earned,
        dmc.Text(str(row["reason"]), size="sm", lineClamp=3),
    ]
    return dmc.TableTr([dmc.TableTd(cell) for cell in cells])
