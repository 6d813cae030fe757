"""What the shipped policy earns, in one sentence: more than fixed prices, and less than perfect knowledge could."""

import math

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash.development.base_component import Component

from catalog.metrics import half_width
from dashboard.components import card
from dashboard.monitor import Monitor


def earnings_card(monitor: Monitor) -> list[Component]:
    """Say it of the newest lived days; nothing where no days were lived."""
    rows = monitor.reader.ask("policies_earned", ("regret_by_day",))
    if rows.empty:
        return []
    seeds = rows.groupby("seed")[["own_share", "fixed_share"]].mean()
    more = _with_interval(seeds["own_share"] / seeds["fixed_share"] - 1, "more", "less")
    less = _with_interval(1 - seeds["own_share"], "less", "more")
    told = f"The shipped policy earned {more} than fixed prices, and {less} than perfect knowledge of demand."
    return [
        card(
            "What the shipped policy earns",
            dmc.Text(told, className="verdict-first"),
            dmc.Text(_basis(rows), className="verdict-line", c="dimmed"),
        )
    ]


def _with_interval(shares: "pd.Series[float]", above: str, below: str) -> str:
    """Write the mean over seeds in percent, with its 95 % interval where there is more than one seed."""
    mean, spread = 100 * shares.mean(), 100 * shares.std(ddof=1)
    half = float(half_width(np.array([spread]), np.array([float(len(shares))]))[0])
    interval = f" (± {half:.1f})" if math.isfinite(half) else ""
    return f"{abs(mean):.1f} %{interval} {below if mean < 0 else above}"


def _basis(rows: pd.DataFrame) -> str:
    """Say on what the sentence rests."""
    worlds, seeds, days = rows["scenario"].nunique(), rows["seed"].nunique(), int(rows["days"].max())
    interval = "± is the 95 % interval over seeds" if seeds > 1 else "one seed, so there is no interval"
    noun = "world" if worlds == 1 else "worlds"
    return f"Simulated: the first {days} days in {worlds} {noun}, with gate and nights, from no data; {interval}."
