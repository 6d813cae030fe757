"""Trials on the Policies page: what one policy earned more than the other while both took turns in the stores."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, chart, table
from dashboard.data.comparison import label
from dashboard.figures import trials as figures
from dashboard.formats import UNKNOWN, count, day, euros, share
from dashboard.theme import Scheme

_NAMES = (
    "From",
    "A",
    "B",
    "Turns",
    "Pairs",
    "A earns",
    "B minus A",
    "95 % interval",
    "In %",
    "Could detect",
    "Verdict",
)
_NUMBERS = (4, 5, 6, 7, 8, 9)


def trials(rows: pd.DataFrame, scheme: Scheme) -> list[Component]:
    """Show the newest trials; nothing before the first of them.

    Parameters
    ----------
    rows
        Rows of the query `newest_trials`.
    """
    if rows.empty:
        return []
    listed = [_row(row) for row in rows.to_dict(orient="records")]
    return [
        card(
            "Trials in the stores",
            chart("policies-trials", "What B earned more than A in each trial", figures.effects(rows, scheme)),
            table(_NAMES, listed, numbers=_NUMBERS, width=900),
            caption="Two policies took turns by a seeded coin. Look for intervals that do not touch zero; lines are "
            "95 % intervals. Trials by hours say what whole days gain to first order alone. "
            "`shelfprice trial` begins one.",
        )
    ]


def _row(row: dict[Any, Any]) -> list[Component | str]:
    is_decided = row["verdict"] != "undecided"
    return [
        day(pd.Timestamp(row["start_date"]).date()),
        label(str(row["a"])),
        label(str(row["b"])),
        "whole days" if row["unit"] == "day" else str(row["unit"]),
        count(row["count_pairs"]),
        euros(row["a_eur"]),
        euros(row["effect_eur"]),
        f"{euros(row['low_eur'])} to {euros(row['high_eur'])}",
        share(row["effect_eur"] / row["a_eur"]) if row["a_eur"] > 0 else UNKNOWN,
        share(row["detectable"]),
        f"{label(str(row[row['verdict']]))} earns more" if is_decided else "undecided",
    ]
