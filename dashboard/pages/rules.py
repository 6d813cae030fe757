"""The Rules page: which rules prices keep, what each costs, and where two of them disagree. It is read, not edited."""

from dash import Dash, html
from dash.development.base_component import Component

from dashboard.cards.notices import no_data
from dashboard.cards.rules import rules_shown
from dashboard.monitor import Monitor, Page
from dashboard.page_frame import frame, wire_content
from desk.rules.effects import rules_now


def layout(_monitor: Monitor) -> Component:
    """Build the frame of the page; what it shows comes with the first callback."""
    return frame("rules", "Rules", "Which rules your prices keep, what each costs, and where two of them disagree.")


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    wire_content(app, "rules", lambda: repr((monitor.desk.stamp(), monitor.next_command())), lambda _: content(monitor))


def content(monitor: Monitor) -> Component:
    """Draw what the page shows now."""
    if not monitor.reader.has_warehouse():
        return no_data(monitor, "No prices yet", "Rules are counted on the prices of the date that opens next.")
    sheet = monitor.desk.sheet()
    found = rules_now(sheet.catalog, sheet.standings, sheet.outlooks)
    return html.Div(rules_shown(sheet.catalog, found), className="stack")


PAGE = Page("rules", "/rules", "Rules", "rules", 3, layout, wire)
