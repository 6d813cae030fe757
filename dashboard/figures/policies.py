"""How policies compare: shares of the clairvoyant, shares by size of the log, and money left on the table."""

from math import isfinite

import pandas as pd
import plotly.graph_objects as go

from dashboard.data.comparison import POLICIES, TRUE_DEMAND, StoredComparison, label
from dashboard.formats import in_currency
from dashboard.theme import FAINT, GRID, INK, SERIES, Scheme, colour, styled

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")
_LANE = 0.15  # distance of two policies within a scenario's row
_ROW = 46  # pixels
_MANY_ENOUGH = 30
_SCALES = {
    "light": [[0, "#eef5fa"], [0.5, "#f6c88f"], [1, "#c95a00"]],
    "dark": [[0, "#1c2a38"], [0.5, "#8a5a26"], [1, "#f0883e"]],
}


def shares(found: StoredComparison, scheme: Scheme) -> go.Figure:
    """Share of the clairvoyant by scenario, one mark per policy with its 95 % interval.

    Look for: policies that stay near 100 % when stock is scarce.
    """
    figure = go.Figure()
    rows = {scenario: position for position, scenario in enumerate(reversed(found.scenarios))}
    for lane, policy in enumerate(found.policies):
        own = found.played[found.played["policy"] == policy]
        offset = ((len(found.policies) - 1) / 2 - lane) * _LANE
        drawn = policy_colour(policy, scheme)
        figure.add_scatter(
            x=own["share"],
            y=[rows[scenario] + offset for scenario in own["scenario"]],
            error_x={
                "type": "data", "array": own["high"] - own["share"], "color": drawn, "thickness": 1.5, "width": 0,
            },
            text=own["scenario"],
            mode="markers",
            name=label(policy),
            marker={"color": drawn, "symbol": policy_symbol(policy), "size": 9},
            hovertemplate=f"{label(policy)}, %{{text}}<br>%{{x:.1%}} of the clairvoyant<extra></extra>",
        )  # fmt: skip
    bounds = {"range": [-0.6, len(rows) - 0.4], "showgrid": False}
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": GRID[scheme], "width": 1}}
    limit = {"type": "line", "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1}
    figure.update_layout(
        xaxis={"title": {"text": "share of the clairvoyant"}, "tickformat": ".0%", "nticks": 6},
        yaxis={"tickvals": list(rows.values()), "ticktext": list(rows), **bounds},
        shapes=[
            limit | {"line": {"color": FAINT[scheme], "dash": "dot", "width": 1}},
            *(across | {"y0": row - 0.5, "y1": row - 0.5} for row in range(1, len(rows))),
        ],
    )
    return styled(figure, scheme, height=90 + _ROW * len(rows))


def learning(rows: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Share of the clairvoyant in one scenario over the decisions a policy learned from.

    Look for: how few decisions suffice. The dotted line is what the policy earns when it is told the true demand.

    Parameters
    ----------
    rows
        `policy`, `decisions`, `share`, `low` and `high` of one scenario.
    """
    figure = go.Figure()
    for policy in dict.fromkeys(rows.loc[rows["decisions"] > 0, "policy"].sort_values(key=lambda p: p.map(_position))):
        own = rows[(rows["policy"] == policy) & (rows["decisions"] > 0)].sort_values("decisions")
        drawn = policy_colour(policy, scheme)
        figure.add_scatter(
            x=own["decisions"],
            y=own["share"],
            error_y={
                "type": "data", "array": own["high"] - own["share"], "color": drawn, "thickness": 1.2, "width": 0,
            },
            mode="lines+markers",
            name=label(policy),
            line={"color": drawn, "width": 2},
            marker={"symbol": policy_symbol(policy), "size": 9},
            hovertemplate="%{y:.1%} from %{x:,} decisions<extra></extra>",
        )  # fmt: skip
    for told in rows.loc[rows["policy"] == TRUE_DEMAND, "share"]:
        figure.add_hline(
            y=told, line={"color": FAINT[scheme], "dash": "dot", "width": 1},
            annotation_text="with true demand", annotation_position="bottom right",
            annotation_font={"color": FAINT[scheme], "size": 11},
        )  # fmt: skip
    sizes = sorted(rows.loc[rows["decisions"] > 0, "decisions"].unique())
    figure.update_xaxes(
        title_text="logged decisions learned from",
        type="log",
        tickvals=sizes if len(sizes) < _MANY_ENOUGH else None,
        ticktext=[f"{size:,}" for size in sizes],
    )
    figure.update_yaxes(title_text="share of the clairvoyant", tickformat=".0%")
    return styled(figure, scheme, height=440)


def money_left(found: StoredComparison, scheme: Scheme) -> go.Figure:
    """Money that each policy leaves on the table in each scenario, EUR per store day.

    Look for: columns near zero. Stronger colour means further from the clairvoyant on the same shoppers.
    """
    table = found.played.pivot_table(index="scenario", columns="policy", values="left_eur").reindex(
        index=list(reversed(found.scenarios)), columns=list(found.policies)
    )
    figure = go.Figure(
        go.Heatmap(
            z=table.clip(lower=0) ** 0.5,  # a square root keeps small sums apart beside large ones
            x=[label(policy) for policy in table.columns],
            y=list(table.index),
            customdata=table,
            text=table.map(_amount),
            texttemplate="%{text}",
            textfont={"color": INK[scheme], "size": 12},
            colorscale=_SCALES[scheme],
            showscale=False,
            xgap=3,
            ygap=3,
            hovertemplate=in_currency("%{x}, %{y}<br>€%{customdata:,.2f} left a store day<extra></extra>"),
        )
    )
    figure.update_layout(xaxis={"side": "top", "showgrid": False, "automargin": True}, yaxis={"showgrid": False})
    return styled(figure, scheme, height=110 + 36 * len(table))  # names are slanted on a narrow screen


def policy_colour(policy: str, scheme: Scheme) -> str:
    """Return a policy's colour, the same in every figure."""
    return {"static": FAINT[scheme], "rule": SERIES[scheme][3]}.get(policy, colour(_position(policy), scheme))


def policy_symbol(policy: str) -> str:
    """Return a policy's mark, so that policies can be told apart without colour."""
    return _SYMBOLS[_position(policy) % len(_SYMBOLS)]


def _amount(euros: float) -> str:
    return f"{round(euros) + 0:,}".replace("-", "−") if isfinite(euros) else ""


def _position(policy: str) -> int:
    return POLICIES.index(policy) if policy in POLICIES else len(POLICIES)
