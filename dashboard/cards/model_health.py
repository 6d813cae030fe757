"""Four numbers on the models: the champion, its age, the newest verdict and how well its predictions hold."""

import datetime as dt
import math
from collections.abc import Sequence

import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.metrics import calibration_error
from dashboard.components import stat
from dashboard.data.versions import Version, champion_of
from dashboard.formats import UNKNOWN, day, days, points


def model_health(versions: Sequence[Version], newest_date: dt.date | None, seen: pd.DataFrame) -> Component:
    """Show the champion, its age, the newest verdict and how well its chances hold.

    Parameters
    ----------
    versions
        The newest first, at least one.
    newest_date
        Newest business date in the lake.
    seen
        What shoppers did on the days the curves were made for, as `dashboard.data.calibration.predicted` returns it.
    """
    champion, newest = champion_of(versions), versions[0]
    met = sum(condition.met for condition in newest.conditions)
    told = f"version {newest.number}: {met} of {len(newest.conditions)} conditions met"
    gate = stat("Newest verdict", newest.outcome, None, told)
    if champion is None:
        return html.Div([stat("Champion", "none", None, "base prices stand"), gate], className="grid grid-4")
    age = days((newest_date - champion.trained_through).days) if newest_date else UNKNOWN
    family = f"{champion.candidate.replace('_', ' ')}, since {day(champion.decided_at)}"
    return html.Div(
        [
            stat("Champion", f"Version {champion.number}", None, family),
            stat("Model age", age, None, f"trained through {day(champion.trained_through)}"),
            gate,
            _calibration(champion, seen),
        ],
        className="grid grid-4",
    )


def _calibration(champion: Version, seen: pd.DataFrame) -> Component:
    own = seen[seen["model_version"].astype(str) == champion.number]
    error = calibration_error(own["p_sale"].to_numpy(dtype=float), own)
    since = f"{points(error)} on the days it priced" if math.isfinite(error) else "its first day is not over"
    judged = points(champion.metrics.get("calibration_error", float("nan")))
    return stat("Predicted chances are off by", judged, None, f"on held-out days; {since}")
