"""What learners lose while they learn, day by day: rows -> Figure."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.traces import scatter
from dashboard.formats import in_currency
from dashboard.theme import FAINT, GRID, Scheme, colour, styled

PRODUCT = "as_shipped"
NAMES = {
    PRODUCT: "the product, as shipped",
    "belief_alone": "the product's belief alone",
    "certainty_equivalence": "certainty equivalence",
    "thompson_inventory": "Thompson sampling with inventory",
    "thompson_logit": "Thompson sampling on a logit",
    "pybandits_beta": "pybandits, Beta arms",
    "bayesianbandits_glm": "bayesianbandits, logistic regression",
    "static": "owner's price",
}
_MOST_DAYS_NAMED = 10  # on the axis
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "hexagon", "pentagon")


def regret(rows: pd.DataFrame, scheme: Scheme) -> go.Figure:
    """Draw the share of the clairvoyant's gain that each learner lost on each day of one world.

    Look for: how soon a line is down, and which one stays lowest.

    Parameters
    ----------
    rows
        `learner`, `day`, `lost_share`, `lost_eur` and `priced_by` of one world.
    """
    figure = go.Figure()
    others = sorted(set(rows["learner"]) - set(NAMES))
    for position, learner in enumerate([*NAMES, *others]):
        curve = rows[rows["learner"] == learner]
        if curve.empty:
            continue
        is_product = learner == PRODUCT
        drawn = FAINT[scheme] if learner == "static" else colour(position, scheme)
        scatter(
            figure,
            curve["day"],
            curve["lost_share"],
            drawn,
            in_currency("day %{x}: %{y:.1%} lost, €%{customdata:,.2f} a store%{text}"),
            customdata=curve["lost_eur"],
            text=curve["priced_by"].map(lambda source: f"<br>priced by {source}" if isinstance(source, str) else ""),
            name=NAMES.get(learner, learner.replace("_", " ")),
            line={"width": 3 if is_product else 1.5},
            marker={"symbol": _SYMBOLS[position % len(_SYMBOLS)], "size": 7 if is_product else 5},
        )
    figure.add_hline(y=0, line={"color": GRID[scheme], "width": 1})
    figure.update_xaxes(
        title_text="day since the store opened", tick0=1, dtick=max(1, int(rows["day"].max()) // _MOST_DAYS_NAMED)
    )
    figure.update_yaxes(title_text="lost to the clairvoyant, % of its gain", tickformat=".0%")
    return styled(figure, scheme, height=440)
