"""What models predict, what was observed, and which version was champion when."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.data.versions import Status, Version
from dashboard.figures.traces import reach, scatter
from dashboard.formats import in_currency
from dashboard.theme import FAINT, Scheme, colour, styled

_MARKS: dict[Status, str] = {
    "champion": "star-diamond",
    "was champion": "diamond",
    "waits": "circle-open",
    "refused": "x-thin",
}
_CHANCE = {"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.25}
_NO_LEGEND: dict[str, Any] = {"showlegend": False, "margin": {"l": 8, "r": 8, "t": 16, "b": 8}}
_LABELS = 8  # versions named on an axis
_SHOWN_BEFORE = 3  # earlier curves drawn behind the newest


def reliability(table: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Observed over predicted share of purchases. Look for: points on the diagonal, or intervals that reach it.

    Parameters
    ----------
    table
        `predicted`, `observed`, `low`, `high` and `decisions`, as `dashboard.data.versions.reliability` returns it.
    """
    figure = go.Figure()
    scatter(figure, [0, 1], [0, 1], FAINT[scheme], line={"dash": "dot", "width": 1})
    hover = "predicted %{x:.1%}<br>observed %{y:.1%}<br>%{customdata:,} decisions<extra></extra>"
    _draw_observed(figure, table["predicted"], table, colour(0, scheme), hover, {"size": 9})
    figure.update_layout(
        xaxis={"title": {"text": "predicted chance of sale"}, **_CHANCE},
        yaxis={"title": {"text": "observed share bought"}, **_CHANCE},
        **_NO_LEGEND,
    )
    return styled(figure, scheme, height=320)


def demand(curves: pd.DataFrame, seen: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Chance of sale of one product over price, newest curve in front. Look for: a line within the intervals.

    Parameters
    ----------
    curves
        `business_date`, `model_version`, `price` (EUR, rising) and `p_sale` of one product.
    seen
        `price` (EUR), `observed`, `low`, `high` and `decisions` of the product, as
        `dashboard.data.versions.by_price` returns it.
    """
    figure = go.Figure()
    dates = sorted(curves["business_date"].unique())[-1 - _SHOWN_BEFORE :]
    for date, curve in curves[curves["business_date"].isin(dates)].groupby("business_date"):
        is_newest = date == dates[-1]
        label = f"version {curve['model_version'].iloc[0]}, for {pd.Timestamp(str(date)):%d %b}"
        ink, look = (colour(0, scheme), {"width": 2.5}) if is_newest else (FAINT[scheme], {"width": 1})
        hover = in_currency(f"%{{y:.1%}} at €%{{x:.2f}}<extra>{label}</extra>")
        scatter(figure, curve["price"], curve["p_sale"], ink, hover, line=look, opacity=1.0 if is_newest else 0.55)
    hover = in_currency("observed %{y:.1%} at €%{x:.2f}<br>%{customdata:,} decisions<extra></extra>")
    _draw_observed(figure, seen["price"], seen, colour(1, scheme), hover, {"size": 6, "symbol": "square"})
    figure.update_layout(
        xaxis={"title": {"text": in_currency("price, EUR")}, "tickformat": in_currency(".2f")},
        yaxis={"title": {"text": "chance of sale"}, **_CHANCE},
        **_NO_LEGEND,
    )
    return styled(figure, scheme, height=240)


def history(versions: Sequence[Version], scheme: Scheme) -> go.Figure:
    """Held-out log loss of every judged version in the order they were judged, and the champion in force as a step.

    Look for: a step that does not climb; read the reasons of a version below the step that was not promoted.

    Parameters
    ----------
    versions
        The newest first.
    """
    oldest_first = list(reversed(versions))
    places = {version.number: place for place, version in enumerate(oldest_first)}
    ends = [(places[v.number], v.metrics.get("log_loss")) for v in oldest_first if v.promoted]
    if ends:
        ends.append((len(oldest_first) - 1, ends[-1][1]))  # the champion is in force until now
    figure = go.Figure()
    index, losses = [place for place, _ in ends], [loss for _, loss in ends]
    scatter(figure, index, losses, colour(0, scheme), name="in force", line={"shape": "hv", "width": 1.5})
    for status in _MARKS:
        _draw_versions(figure, [(places[v.number], v) for v in oldest_first if v.status == status], status, scheme)
    every = -(-len(oldest_first) // _LABELS) or 1
    labelled = oldest_first[::-every]
    figure.update_xaxes(
        title_text="version, and the last day it was judged on",
        tickvals=[places[version.number] for version in labelled],
        ticktext=[f"v{version.number}<br>{version.judged_through:%d %b}" for version in labelled],
    )
    figure.update_yaxes(title_text="log loss, nats a decision", tickformat=".3f")
    return styled(figure, scheme, height=320)


def _draw_versions(figure: go.Figure, versions: list[tuple[int, Version]], status: Status, scheme: Scheme) -> None:
    drawn = {"champion": colour(1, scheme), "was champion": colour(0, scheme)}.get(status, FAINT[scheme])
    edge = {"color": drawn, "width": 2 if status in {"waits", "refused"} else 0}
    hover = (
        "version %{customdata[0]}, %{customdata[1]}<br>log loss %{y:.4f} nats, judged through "
        f"%{{customdata[2]}}<extra>{status}</extra>"
    )
    scatter(
        figure,
        [place for place, _ in versions],
        [version.metrics.get("log_loss") for _, version in versions],
        drawn,
        hover,
        customdata=[
            (version.number, version.candidate, f"{version.judged_through:%d %b %Y}") for _, version in versions
        ],
        name=status,
        marker={"symbol": _MARKS[status], "size": 15 if status == "champion" else 10, "line": edge},
    )


def _draw_observed(figure: go.Figure, x: Any, seen: pd.DataFrame, ink: str, hover: str, look: dict[str, Any]) -> None:
    """Draw observed shares with their intervals."""
    around = reach(seen["low"].to_numpy(), seen["observed"].to_numpy(), seen["high"].to_numpy(), ink)
    scatter(figure, x, seen["observed"], ink, hover, error_y=around, customdata=seen["decisions"], marker=look)
