"""The cards of Prices: the price now and its course, and opening prices beside those of rivals."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from catalog.clocks import WallClock
from catalog.decisions.rules import RULES
from dashboard.components import (
    COLUMNS,
    PRICE_AND_STOCK,
    SOLD,
    TOOLTIPS,
    aria,
    card,
    column,
    graph,
    notice,
    stat,
    table,
)
from dashboard.data.prices import BookLine, line_at, marks_of
from dashboard.figures import prices as figures
from dashboard.formats import UNKNOWN, change, count, day, euros, in_currency_of, share, store_name
from dashboard.formats import day as day_name
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import no_data, trend
from dashboard.theme import Scheme
from serving.optimise.policies import costs_that_count

READ = ("competitor_prices", "repricings", "live_repricings", "exposures", "products")
CARD = "rivals"
_DAYS, _WEEK = 14, 7
_TO_CARD = dcc.Link("By rival and category", href=f"/prices#{CARD}", className="stat-change")
_NAMES = ("Rival", "Category", "Index", "Products", "Stale")


def rivals_card(monitor: Monitor, date: dt.date | None) -> list[Component]:
    """Show the price index of a date; nothing where no price of a rival was known on it."""
    if date is None or not monitor.reader.dates("competitor_prices"):
        return []
    prices = monitor.reader.ask("price_index", READ, date=date)
    if prices.empty:
        return []
    shown = card(
        "Our prices beside rivals'",
        table(_NAMES, [_row(row) for row in prices.to_dict(orient="records")], numbers=(2, 3, 4), width=480),
        caption=f"{day(date)}: 100 is the rival's price of as much, and 105 is 5 % dearer; a geometric mean over the "
        "products. Prices that are stale are left out. `shelfprice take-in FILE` takes newer ones in.",
    )
    return [html.Div(shown, id=CARD, className="grid")]


def price_level_stat(monitor: Monitor, date: dt.date) -> list[Component]:
    """Show how our prices stand beside rivals' on a date; nothing where no price of a rival was ever taken in."""
    if not monitor.reader.dates("competitor_prices"):
        return []
    level_rows = monitor.reader.ask("price_level", READ, first=date - dt.timedelta(days=_DAYS - 1), last=date)
    dates, level, n = (level_rows[name].tolist() for name in ("business_date", "price_level", "count_products"))
    levels = dict(zip((on.date() for on in dates), zip(level, n, strict=True), strict=True))
    title, shelf = "Prices beside rivals'", count(len(monitor.catalog.current().products))
    if (now := levels.get(date)) is None:
        sentence = f"no fresh price of a rival for the {shelf} products"
        return [stat(title, UNKNOWN, None, sentence, _TO_CARD)]
    before = [earlier for on, (earlier, _) in levels.items() if 0 < (date - on).days <= _WEEK]
    mean = sum(before) / len(before) if before else now[0]
    is_moved = share(abs(now[0] / mean - 1)) != share(0)
    compared = f"{count(now[1])} of {shelf} products compared"
    week = f"{'vs' if is_moved else 'as'} the mean of the 7 days before; " if before else ""
    sentence = f"price level on the last {len(level)} dates, between {told_of(min(level))} and {told_of(max(level))}"
    moved = change(now[0], mean) if is_moved else None
    line = trend(level, sentence)
    return [stat(title, told_of(now[0]), moved, f"{week}{compared}", line, _TO_CARD, more_is_better=False)]


def told_of(level: float) -> str:
    """Say how far our price level is from rivals': `4.0 % below`."""
    apart = share(abs(level - 1))
    return "the same" if apart == share(0) else f"{apart} {'above' if level > 1 else 'below'}"


def _row(row: dict[Any, Any]) -> list[str]:
    index = UNKNOWN if pd.isna(row["price_index"]) else f"{100 * row['price_index']:.1f}"
    category = "all" if pd.isna(row["category"]) else str(row["category"])
    return [str(row["rival"]), category, index, count(row["count_products"]), count(row["count_stale"])]


NOW, COURSE = "prices-now", "prices-course"


def now_card() -> Component:
    """Place what callbacks fill."""
    return card(
        "What is the price, and how did it get there?",
        html.Div(id=NOW),
        graph(COURSE, f"Price over the last {DAYS} days", figures.COURSE_HEIGHT),
        caption=f"The {DAYS} days up to the day chosen above, in the store's time. A dotted line is what a person did.",
    )


def price_now(
    monitor: Monitor, decisions: pd.DataFrame, sku: str, store: str, date: dt.date, scheme: Scheme
) -> tuple[Component, Any]:
    """Say the price that stands, and draw how it came to it.

    Parameters
    ----------
    decisions
        The rows of `decision_trail` up to a date, the newest first.
    """
    shelf = monitor.reader.ask("shelf", ("products",))
    product = next(iter(shelf[shelf["sku"] == sku].to_dict("records")), None)
    if not len(decisions) or product is None:
        return dmc.Text(f"No price was decided in the {DAYS} days up to {day_name(date)}.", c="dimmed", size="sm"), {}
    clock = monitor.catalog.current().store.clock_of(store)
    local = decisions.assign(
        decided_at=[clock.local(decision).replace(tzinfo=None) for decision in decisions["decided_at"]]
    )
    newest, base = dict[Any, Any](local.iloc[0]), product["base_price"]
    price, since = newest["new_price"], newest["decided_at"]
    sentence = "" if price == base else f" It is {change(price, base)} on the base price of {euros(base)}."
    place = f"{product['product_name']} in {store_name(store)} since {day_name(since.date())}, {since:%H:%M}"
    why = html.Div([html.Strong(place), html.Div(f"{newest['reason']}.{sentence}")])
    marks = marks_of(monitor.reader, clock, store, sku, date - dt.timedelta(days=DAYS - 1), date)
    words = html.Div([html.Span(euros(price), className="price-now"), why], className="quote")
    return words, figures.course(local, base, marks, scheme)


STOCK, TIME, QUOTE = "prices-stock", "prices-time", "prices-quote"
DEMAND, REVENUE, GUARDED = "prices-demand", "prices-revenue", "prices-guarded"

_DAYS_BACK = 28  # of observed demand


def book_cards(monitor: Monitor) -> list[Component]:
    """Place the sliders and the figures that callbacks fill."""
    return [
        card(
            "What if so many were left?",
            _sliders(monitor),
            html.Div(id=QUOTE, **aria(live="polite")),
            caption=f"Read from the price book in force on the day chosen above. {PRICE_AND_STOCK}",
        ),
        html.Div([_revenue_card(), _guarded_card()], className="grid grid-2"),
        card(
            "Do shoppers buy as predicted?",
            graph(DEMAND, "Chance of sale by price", figures.HEIGHT),
            caption=f"Dots: share of shoppers who bought in the {_DAYS_BACK} days before; larger with more decisions. "
            "Look for a line that runs through their intervals.",
        ),
    ]


def answer(monitor: Monitor, sku: str, date: dt.date, state: tuple[int, int], scheme: Scheme) -> tuple[Any, Any, Any]:
    """Look up a product in the price book of a date.

    Parameters
    ----------
    state
        Stock in units and ticks until closing.

    Returns
    -------
    tuple
        The price in words, and the figures of what each price earns and of the price by stock.
    """
    book = monitor.reader.ask("product_book", ("booked_prices",), on=date, date=date, sku=sku)
    if not len(book):
        return dmc.Text("The price book does not hold this product; its base price stands.", c="dimmed"), {}, {}
    catalog = monitor.catalog.current()
    store, costs = catalog.store, dict(zip(catalog.skus, costs_that_count(catalog).tolist(), strict=True))
    line = line_at(book, *state, costs.get(sku, 0.0))
    is_opening = (line.stock, line.ticks_left) == (book["inventory_level"].max(), book["ticks_left"].max())
    name, minutes = products_of(monitor, None).get(sku, sku), line.ticks_left * store.opening.tick_minutes
    words = in_words(name, line, minutes, is_opening=is_opening)
    if store.guardrails.kill_switch:
        words = html.Div([dmc.Text("The kill switch is on, so the base price is shown. The book would say:"), words])
    return words, figures.revenue(_curve(monitor, sku, date), line, scheme), figures.guarded(book, line, scheme)


def demand(monitor: Monitor, sku: str, book: dt.date | None, date: dt.date, scheme: Scheme) -> Any:
    """Draw predicted demand over what was observed before a date; nothing without a price book."""
    if book is None:
        return {}
    observed = monitor.reader.ask(
        "observed_demand",
        ("demand_cells", "products"),
        sku=sku,
        first=date - dt.timedelta(days=_DAYS_BACK),
        last=date - dt.timedelta(days=1),
        candidates=monitor.catalog.current().store.ladder_prices,
    )
    return figures.demand(_curve(monitor, sku, book), observed, scheme)


def in_words(name: str, line: BookLine, minutes_left: int, *, is_opening: bool = False) -> Component:
    """Say one line of the price book as people would; it may never come, so it is no headline."""
    wanted = f"; the policy asked for {euros(line.unconstrained_price)}"
    moved = wanted if line.price != line.unconstrained_price else ""
    if_so = f"with {line.stock:,} left and {_duration(minutes_left)} to go"
    state = f"when the store opens with {line.stock:,} on the shelf" if is_opening else if_so
    sentence = (
        f"{name}, {state}: chance of sale {share(line.p_sale)}, a unit kept is worth {euros(line.unit_value)}. "
        f"Why: {RULES[line.binding_rule]}{moved}."
    )
    return html.Div([html.Span(euros(line.price), className="quote-price"), html.Span(sentence)], className="quote")


def products_of(monitor: Monitor, category: str | None) -> dict[str, str]:
    """Return the names by sku of the products of a category, or of all, in the order of the shelf."""
    shelf = monitor.reader.ask("shelf", ("products",))
    shown = shelf[shelf["category"] == category] if category else shelf
    return dict(zip(shown["sku"], shown["product_name"], strict=True))


def no_prices_yet(monitor: Monitor) -> Component:
    """Stand in for the page before the first day."""
    return no_data(monitor, "No prices yet", "Prices are decided when a store sells, and none has sold yet.")


def no_book(monitor: Monitor, date: dt.date) -> Component:
    """Say in a line that a day has no book; once a later day has one, no command makes it."""
    title, now = "No price book for this day", monitor.situation()
    command = monitor.next_command() if now.newest_book is None else None
    policies = monitor.reader.ask("policies_of_day", SOLD, on=date, date=date)
    if policies["is_own"].any():
        sentence = "The prices of this day are the retailer's own, as the ingested file has them."
        return notice(title, sentence, command=command)
    return notice(title, "No champion had made a price book for it: the store sold at base prices.", command=command)


def _curve(monitor: Monitor, sku: str, date: dt.date) -> pd.DataFrame:
    return monitor.reader.ask("product_curve", ("demand_curves",), on=date, date=date, sku=sku)


def _revenue_card() -> Component:
    return card(
        "Which price earns most?",
        graph(REVENUE, "Expected revenue by candidate price", figures.HEIGHT),
        caption="The chosen price is the top of the solid line, which subtracts the value of the unit sold, or a "
        "little above it: a second sale before the price can change gives up more. Hollow candidates lie outside the "
        "prices observed and are never chosen.",
    )


def _guarded_card() -> Component:
    return card(
        "How does the price follow stock?",
        graph(GUARDED, "Price by stock", figures.HEIGHT),
        caption="For the time left chosen above. Where the lines part, a limit holds the price.",
    )


def _sliders(monitor: Monitor) -> Component:
    catalog = monitor.catalog.current()
    minutes, ticks = catalog.store.opening.tick_minutes, catalog.store.opening.ticks
    par = max(product.par_stock for product in catalog.products)
    stock = _slider(STOCK, "Stock, units", par, lambda units: f"{units} unit{'s' if units > 1 else ''}")
    time = _slider(TIME, f"Time left, ticks of {minutes} min", ticks, lambda left: _duration(left * minutes))
    return html.Div([stock, time], className="grid grid-2 sliders")


def _slider(identifier: str, label: str, most: int, words: Callable[[int], str]) -> Component:
    """Place a slider at its end, whose name and marks say the unit."""
    marks = [{"value": place, "label": words(place)} for place in sorted({1, max(1, most // 2), most})]
    span = {"min": 1, "max": most, "value": most, "step": 1}
    slider = dmc.Slider(id=identifier, **span, marks=marks, updatemode="drag", thumbLabel=label)
    return html.Div([dmc.Text(label, size="sm", fw=500), slider], className="slider")


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


TRAIL, SAVE = "prices-trail", "prices-save"

DAYS = 14
"""Days that are looked back."""
_MOST_DECISIONS = 1_000
_BARS, _ROW, _MOST_SHOWN = 150, 55, 7  # pixels, pixels, rows

_EUROS = {"function": "params.value == null ? '' : '€' + d3.format(',.2f')(params.value)"}
_PER_VISIT = {"function": "params.value == null ? '' : ('€' + d3.format(',.3f')(params.value)).replace('€−', '−€')"}
_PERCENT = {"function": "params.value == null ? '' : d3.format('.1f')(100 * params.value) + ' %'"}
_COLUMNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("decided_at", "Local time", {"width": 155, "pinned": "left"}),
    ("reason", "Reason", {"width": 520, "wrapText": True, "autoHeight": True, "cellClass": "wrapped"}),
    ("old_price", "From", {"valueFormatter": _EUROS}),
    ("new_price", "To", {"valueFormatter": _EUROS}),
    ("unconstrained_price", "Policy wanted", {"valueFormatter": _EUROS}),
    ("limits", "Limits", {"width": 150}),
    ("clamp_cost", "Limits cost, a visit", {"valueFormatter": _PER_VISIT, "width": 130}),
    ("inventory_level", "Stock", {"width": 100}),
    ("p_sale", "Chance of sale", {"valueFormatter": _PERCENT, "width": 140}),
    ("unit_value", "A unit kept is worth", {"valueFormatter": _EUROS}),
    ("binding_rule", "Because", {"width": 240}),
    ("explored", "A try", {"width": 90}),
    ("policy", "Policy", {"width": 130}),
    ("model_version", "Model", {"width": 100}),
)
_NUMBERS = {"old_price", "new_price", "unconstrained_price", "clamp_cost", "inventory_level", "p_sale", "unit_value"}


def trail_card() -> Component:
    """Place the grid that a callback fills with price decisions, and a button that saves them."""
    return card(
        "Every decision",
        _grid(),
        caption=f"The price decisions of the {DAYS} days up to the day chosen above, the newest first. Type below a "
        "column's name to filter; click the name to sort.",
        right=dmc.Button("Save as CSV", id=SAVE, variant="default", size="xs"),
    )


def trail(monitor: Monitor, sku: str, store: str, date: dt.date) -> pd.DataFrame:
    """Return the decisions of the days up to a date, the newest first."""
    first = date - dt.timedelta(days=DAYS - 1)
    return monitor.reader.ask(
        "decision_trail", SOLD, first=first, last=date, store=store, sku=sku, most=_MOST_DECISIONS
    )


def trail_height(rows: Sequence[object]) -> dict[str, int]:
    """Return the height of the grid: that of its rows, of some of them where there are many."""
    return {"height": _BARS + _ROW * min(max(len(rows), 1), _MOST_SHOWN)}


def _grid() -> Component:
    columns = [
        column(field, name, 120, is_number=field in _NUMBERS)
        | {"filter": "agNumberColumnFilter" if field in _NUMBERS else "agTextColumnFilter"}
        | more
        for field, name, more in _COLUMNS
    ]
    return dag.AgGrid(
        id=TRAIL,
        columnDefs=in_currency_of(columns),
        rowData=[],
        defaultColDef=TOOLTIPS | COLUMNS | {"floatingFilter": True, "suppressFloatingFilterButton": True},
        dashGridOptions={"pagination": True, "paginationPageSize": 20, "enableCellTextSelection": True},
        csvExportParams={"fileName": "price_decisions.csv"},
        style=trail_height([]),
        className="trail",
    )


def trail_rows(decisions: pd.DataFrame, clock: WallClock) -> list[dict[Any, Any]]:
    """Return the rows of the grid, in the store's time."""
    decided = decisions.assign(
        decided_at=[f"{clock.local(moment):%Y-%m-%d %H:%M}" for moment in decisions["decided_at"]],
        explored=decisions["explored"].map({True: "yes", False: "no"}),
        binding_rule=decisions["binding_rule"].map(RULES),
    )
    return [dict(row) for row in decided.astype(object).where(decided.notna(), None).to_dict("records")]
