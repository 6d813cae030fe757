"""The evidence for a price of the desk: demand seen and expected by price, what a week taught, and past prices."""

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.arrays import Floats
from catalog.clocks import WallClock
from dashboard.components import chart
from dashboard.data.desk.rows import Row
from dashboard.figures import desk as figures
from dashboard.figures.prices import demand
from dashboard.formats import count, day, euros
from dashboard.monitor import Monitor
from dashboard.pickers import SOLD
from dashboard.theme import Scheme
from serving.drawn_prices import TABLE as DRAWS

_DEMAND_DAYS, _PRICE_DAYS, _WEEK = 28, 30, 7
_SURE = 1.96  # standard deviations
_ACTS = {"approved": "approved", "rejected": "rejected", "withdrawn": "ended"}


def evidence(monitor: Monitor, row: Row, clock: WallClock, scheme: Scheme) -> list[Component]:
    """Show what is known of a row's demand, what the last week taught, and its prices of the last month."""
    if not monitor.reader.has_warehouse():
        return []
    known = _drawn(monitor, row, scheme) if monitor.reader.dates(DRAWS) else _believed(monitor, row, scheme)
    return [*known, *_openings(monitor, row, clock, scheme)]


def _believed(monitor: Monitor, row: Row, scheme: Scheme) -> list[Component]:
    """Show the chance of sale by price, of all stores, and how what is believed of it moved since a week before."""
    if row.book_date is None:
        return []
    date, through = row.book_date, row.book_date - dt.timedelta(days=_WEEK)
    curve = monitor.reader.ask("product_curve", ("demand_curves",), on=date, date=date, sku=row.sku)
    if not len(curve):
        return []
    figure = figures.marked(demand(curve, _observed(monitor, row.sku, date, _DEMAND_DAYS), scheme), _marks(row), scheme)
    drawn = chart("desk-row-demand", f"Chance of sale of {row.name} by price", figure)
    moved = monitor.reader.ask("belief_moved", ("demand_curves",), date=date, through=through, sku=row.sku)
    dates = moved["business_date"].dt.date
    since = dates.min()
    before, now = moved[dates == since], moved[dates == date]
    if since == date:
        said = f"Believed so far: {buyers(row.proposed, now)}."
    else:
        seen = _observed(monitor, row.sku, date, (date - since).days)
        said = learned(row.proposed, since, before, now, int(seen["n_offered"].sum()))
    return [_headed(f"Demand in all stores, last {_DEMAND_DAYS} days", drawn), dmc.Text(said, size="sm")]


def learned(price: float, since: dt.date, before: pd.DataFrame, now: pd.DataFrame, decisions: int) -> str:
    """Say how what is believed of a price, EUR, moved.

    Parameters
    ----------
    since, before
        A date, and the rows of `belief_moved` of it, ascending in price.
    now
        The rows of the date to price.
    decisions
        How many shoppers decided since.
    """
    was = round(100 * _at(before, "p_sale", price))
    stays = was == round(100 * _at(now, "p_sale", price))
    moved, beside = ("did not move", "") if stays else ("moved", f", it was {was}")
    return (
        f"Since {day(since)} the belief {moved}: {buyers(price, now)}{beside}. {count(decisions)} decisions taught it."
    )


def buyers(price: float, curve: pd.DataFrame) -> str:
    """Say how many of 100 shoppers are believed to buy at a price, EUR, and how sure that is."""
    wide = 50 * (_at(curve, "p_sale_high", price) - _at(curve, "p_sale_low", price))
    sure = "" if np.isnan(wide) else f" (certain to ±{max(wide, 1):.0f})"
    return f"of 100 shoppers {100 * _at(curve, 'p_sale', price):.0f} buy at {euros(price)}{sure}"


def _at(curve: pd.DataFrame, name: str, price: float) -> float:
    return float(np.interp(price, curve["price"], curve[name].astype(float)))


def _observed(monitor: Monitor, sku: str, date: dt.date, n_days: int) -> pd.DataFrame:
    return monitor.reader.ask(
        "observed_demand",
        ("demand_cells", "products"),
        sku=sku,
        first=date - dt.timedelta(days=n_days),
        last=date - dt.timedelta(days=1),
        candidates=monitor.catalog.current().store.ladder_prices,
    )


def _drawn(monitor: Monitor, row: Row, scheme: Scheme) -> list[Component]:
    """Show the units a day by price in a store that sells by itself, and how the believed response moved."""
    span: dict[str, Any] = {
        "first": row.date - dt.timedelta(days=_DEMAND_DAYS),
        "store": row.store,
        "sku": row.sku,
        "last": row.date,
    }
    draws = monitor.reader.ask("draws_of_product", (DRAWS,), **span)
    if not len(draws):
        return []
    seen, newest = monitor.reader.ask("drawn_demand", ("exposures",), **span), draws.iloc[-1]
    own = float(newest["shelf_price"])
    prices: Floats = np.linspace(min([own, row.proposed, *seen["price"]]), max([own, row.proposed, *seen["price"]]), 30)
    a_day = newest["expected_units"] / ((newest["through"] - newest["business_date"]).days + 1)
    figure = figures.units_a_day(seen, prices, a_day * (prices / own) ** newest["response"], scheme)
    marks = _marks(row) | {"your own": own}
    drawn = chart("desk-row-demand", f"Units of {row.name} a day by price", figures.marked(figure, marks, scheme))
    old = draws[draws["business_date"] <= newest["business_date"] - dt.timedelta(days=_WEEK)]
    before = newest if old.empty else old.iloc[-1]
    return [
        _headed(f"Sales in this store, last {_DEMAND_DAYS} days", drawn),
        dmc.Text(answered(before, newest), size="sm"),
    ]


def answered(before: "pd.Series[float]", now: "pd.Series[float]") -> str:
    """Say how sales are believed to answer to a price that is 10 % higher, and what was believed a week before.

    Parameters
    ----------
    before, now
        Rows of `draws_of_product`; the same where there is one.
    """
    was, falls = (round(100 * (1 - 1.1 ** own["response"])) for own in (before, now))
    sure = _SURE * now["response_deviation"] * 100 * np.log(1.1)
    told = f"10 % dearer sells {falls} % less"
    if before is now:
        return f"Believed so far: {told}; certain to ±{sure:.0f}."
    since = pd.Timestamp(before["business_date"]).date()
    moved, beside = ("did not move", "") if was == falls else ("moved", f", it was {was} %")
    return f"Since {day(since)} the belief {moved}: {told}{beside}; certain to ±{sure:.0f}."


def _openings(monitor: Monitor, row: Row, clock: WallClock, scheme: Scheme) -> list[Component]:
    """Show the opening prices of the last month with what people decided; nothing where the store never opened."""
    if not monitor.reader.dates(*SOLD):
        return []
    place: dict[str, Any] = {"store": row.store, "sku": row.sku, "first": row.date - dt.timedelta(days=_PRICE_DAYS)}
    days = monitor.reader.ask("openings_of_product", SOLD, **place, last=row.date)
    if len(days) < 2:  # noqa: PLR2004 - a line wants two points
        return []
    acts = monitor.reader.ask("acts_on_product", ("price_changes",), **place)
    told = [
        f"{kind} {_ACTS[event]} by {by}"
        for event, kind, by in zip(acts["event"], acts["kind"], acts["done_by"], strict=True)
    ]
    dates = [clock.date_of(moment.to_pydatetime()) for moment in acts["effective_at"]]
    last = float(days["price_eur"].iloc[-1])
    shown = pd.DataFrame({"date": dates, "price_eur": acts["price_eur"].fillna(last), "told": told})
    described = f"Opening prices of {row.title} over {_PRICE_DAYS} days"
    drawn = chart("desk-row-prices", described, figures.openings(days, shown, scheme))
    return [_headed(f"Opening prices, last {_PRICE_DAYS} days", drawn)]


def _headed(words: str, drawn: Component) -> Component:
    return html.Div([dmc.Text(words, size="xs", c="dimmed"), drawn])


def _marks(row: Row) -> dict[str, float]:
    """Return the prices that are marked, EUR, by what they are."""
    marks = {"proposed": row.proposed} if row.now is None else {"now": row.now, "proposed": row.proposed}
    return marks if row.stands in marks.values() else marks | {"will stand": row.stands}
