"""What is out of order with the prices of a day, and what stands in for a page while the lake lacks what it shows."""

import datetime as dt

from dash.development.base_component import Component

from dashboard.components import empty, notice
from dashboard.data.notices import Notice, notices
from dashboard.monitor import Monitor
from plugins.desk.price_changes.proposals import waiting_now
from warehouse.checks.whole import books_passed_over
from warehouse.lake import Lake
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG


def notices_of(monitor: Monitor, date: dt.date) -> list[Component]:
    """Show what is out of order with the prices of a date, each with the command that mends it."""
    return [
        notice(notice_.title, notice_.text, command=notice_.command, mood=notice_.mood)
        for notice_ in found_on(monitor, date)
    ]


def found_on(monitor: Monitor, date: dt.date) -> list[Notice]:
    """Return what is out of order with the prices of a date."""
    catalog = monitor.catalog.current()
    alerts = notices(
        monitor.versions(),
        monitor.reader.dates("booked_prices"),
        date,
        now=monitor.situation(),
        kill_switch=catalog.store.guardrails.kill_switch,
        catalog_problem=monitor.catalog.problem,
        passed_over=books_passed_over(Lake(monitor.settings), date),
    )
    return [*monitor.kill_switch.notices(catalog), *alerts, *_of_waiting(monitor)]


def _of_waiting(monitor: Monitor) -> list[Notice]:
    """Say how many prices wait for a person, and what that costs; nothing where waiting costs nothing."""
    waiting, money = waiting_now(monitor.desk.workspace), monitor.catalog.current().store.money
    if waiting is None or not waiting.costs(money):
        return []
    text = "The Desk lists them, those that gain most first; meanwhile each moves within what passes by the rules."
    return [Notice(waiting.in_words(money) or "", text, "warning", "shelfprice changes --waiting")]


def no_data(monitor: Monitor, title: str, text: str) -> Component:
    """Stand in for a page before the first decision, or while the file of views is missing."""
    command = monitor.without_warehouse()
    if monitor.situation().newest_sold is not None:
        return empty("No warehouse", "The lake holds decisions; the views over them have to be made again.", command)
    if command != BEGIN:
        return empty(title, text, command)
    begin = "The command plays three stores for two weeks, trains the models and prices the shelf, in about a minute."
    return empty(title, f"{text} {begin} To begin with your own log, run `{BEGIN_WITH_A_LOG}` instead.", command)
