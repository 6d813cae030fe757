"""What weekday, hour, store and events tell beyond prices, as a card of the Models page."""

from dash import html
from dash.development.base_component import Component

from dashboard.components import chart, fold
from dashboard.data.versions import Version
from dashboard.figures import models as figures
from dashboard.theme import Scheme


def context_fold(version: Version, scheme: Scheme) -> list[Component]:
    """Show what the newest training found about the context; nothing where no candidate looked at it."""
    found = version.context
    if found is None:
        return []
    title, said = "Weekdays, hours, stores and events", f"Version {version.number}: {found['said']}."
    if not found["importance"]:
        return [fold(title, said)]
    charts = [
        chart(
            "models-importance",
            "What the log loss grows by without each part of the features",
            figures.importance(found["importance"], scheme),
        ),
        chart(
            "models-dependence",
            "Mean chance of sale at the base price by weekday and hour",
            figures.dependence(found["dependence"], scheme),
        ),
    ]
    return [
        fold(
            title,
            said,
            html.Div(charts, className="grid grid-2"),
            caption="Left: look for price first; a bar at zero tells nothing. Right: the chance of sale at the base "
            "price, by weekday and by hour, all else as it was.",
        )
    ]
