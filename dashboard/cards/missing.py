"""What stands in for a page while the lake lacks what it shows, with the command that is right for the lake."""

from dash.development.base_component import Component

from dashboard.components import empty
from dashboard.monitor import Monitor
from warehouse.advice import BEGIN, BEGIN_WITH_A_LOG


def no_data(monitor: Monitor, title: str, text: str) -> Component:
    """Stand in for a page before the first decision, or while the file of views is missing."""
    command = monitor.without_warehouse()
    if monitor.situation().newest_sold is not None:
        return empty("No warehouse", "The lake holds decisions; the views over them have to be made again.", command)
    if command != BEGIN:
        return empty(title, text, command)
    begin = "The command plays three stores for two weeks, trains the models and prices the shelf, in about a minute."
    return empty(title, f"{text} {begin} To begin with your own log, run `{BEGIN_WITH_A_LOG}` instead.", command)
