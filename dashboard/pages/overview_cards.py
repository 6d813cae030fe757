"""The cards of Overview: notices, prices on labels, the stores of a day and their trends."""

import datetime as dt
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import COLUMNS, TOOLTIPS, aria, card, column, empty, notice, stat, table, width_of
from dashboard.data.notices import Notice, notices
from dashboard.data.overview import Earned, StoreRow
from dashboard.formats import UNKNOWN, change, count, day, days, euros, in_currency_of, share, store_name
from dashboard.monitor import Monitor
from plugins.connect.labels.status import PATIENCE, StoreStatus
from plugins.desk.price_changes.proposals import waiting_now
from warehouse.checks.whole import books_passed_over
from warehouse.lake import Lake
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG

_WIDTH, _HEIGHT, _EDGE = 120.0, 32.0, 3.0


def sparkline(values: Sequence[float], n_ticks: int, line: str) -> str:
    """Draw a step line of values over a day of `n_ticks` in the colour `line`; empty for fewer than two values."""
    if len(values) < 2:  # noqa: PLR2004 - a line wants two points
        return ""
    heights, step = _heights(values), _WIDTH / max(n_ticks, len(values))
    path = f"M0 {heights[0]}" + "".join(f"V{height}H{index * step:.1f}" for index, height in enumerate(heights, 1))
    return _address(path, line)


def trend_line(values: Sequence[float]) -> str:
    """Draw a line from value to value, for a mask that gives it a colour; empty for fewer than two values."""
    if len(values) < 2:  # noqa: PLR2004
        return ""
    step = (_WIDTH - 2) / (len(values) - 1)
    places = [f"{1 + index * step:.1f} {height}" for index, height in enumerate(_heights(values))]
    return _address("M" + "L".join(places), "black")


def _heights(values: Sequence[float]) -> list[str]:
    lowest = min(values)
    spread = max(values) - lowest or 1.0
    return [f"{_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (value - lowest) / spread:.1f}" for value in values]


def _address(path: str, line: str) -> str:
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none">'
        f'<path d="{path}" fill="none" stroke="{line}" stroke-width="1.6" vector-effect="non-scaling-stroke"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}"


def trend(values: Sequence[float], label: str) -> Component | None:
    """Draw how a number went, in the colour of the text around it; `said` is what a screen reader says."""
    drawn = trend_line(values)
    style = {"--line": f'url("{drawn}")'}
    return html.Span(className="trend", style=style, role="img", title=label, **aria(label=label)) if drawn else None


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


READ = ("export_batches", "label_states")
_STORES, _PRODUCTS = 10, 3
_CAPTION = (
    f"Late: {PATIENCE} ticks after a price was sent, a till or a label has not said that it shows it. Where till and "
    "label differ, the customer pays the lower price. `shelfprice export --status` names every product."
)


def label_cards(statuses: Sequence[StoreStatus]) -> list[Component]:
    """Return a card of the stores that were sent prices, those with a label that lags first; none where none was."""
    if not statuses:
        return []
    behind = [status for status in statuses if status.late or status.different]
    behind = sorted(behind, key=lambda status: (-status.late - status.different, status.store))[:_STORES]
    parts: list[Component] = [dmc.Text(told_of(statuses), size="sm")]
    if behind:
        numbers = [(status.sent, status.acknowledged, status.late, status.different) for status in behind]
        cells = [[*map(count, number)] for number in numbers]
        rows = [
            [store_name(status.store), *cell, _products(status)] for status, cell in zip(behind, cells, strict=True)
        ]
        names = ("Store", "Sent", "Shown", "Late", "Differ", "Products")
        parts.append(table(names, rows, numbers=(1, 2, 3, 4), width=620))
    return [card("Tills and labels", *parts, caption=_CAPTION)]


def told_of(statuses: Sequence[StoreStatus]) -> str:
    """Say in a sentence how the labels are."""
    sent, shown = sum(status.sent for status in statuses), sum(status.acknowledged for status in statuses)
    late = [status.late for status in statuses if status.late]
    stores = "1 store" if len(statuses) == 1 else f"{len(statuses)} stores"
    sentence = f"{count(shown)} of {count(sent)} prices in {stores} are shown by till and label"
    if not late:
        return f"{sentence}; none is late."
    return f"{sentence}; {count(sum(late))} {'is' if sum(late) == 1 else 'are'} late, in {len(late)} of {stores}."


def _products(status: StoreStatus) -> str:
    """Name the first products that lag, with what is shown and what should be."""
    odd = status.odd
    shown = ["nothing known" if row["label"] is None else euros(row["label"]) for row in odd[:_PRODUCTS]]
    named = [f"{row['sku']} shows {label}, sent {euros(row['price'])}" for row, label in zip(odd, shown, strict=False)]
    more = [f"and {count(len(odd) - _PRODUCTS)} more"] if len(odd) > _PRODUCTS else []
    return "; ".join([*named, *more])


GRID = "overview-stores"

_EUROS = {"function": "params.value == null ? '–' : '€' + d3.format(',.2f')(params.value)"}
_PERCENT = {"function": "params.value == null ? '–' : d3.format('+.1f')(params.value) + ' %'"}
_COUNT = {"function": "params.value == null ? '–' : d3.format(',')(params.value)"}
_PER_CENT = 100
_NAMED = 5  # products with drift
_ALERTS = 10
_ALL_SHOWN = 12  # stores
_ALERT_TITLES = {
    "below_cost": "Below cost",
    "late_night": "The night is late",
    "nights_refused": "Old prices stand",
    "override_days": "An old override",
    "waste_above": "Stock was left",
    "silent_days": "No sales come in",
    "other_prices": "Other prices are charged",
    "labels": "Labels have not followed",
}
_COLUMNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("store", "Store", {"field": "name", "colId": "store", "pinned": "left", "cellRenderer": "StoreLink"}),
    ("revenue", "Revenue", {"valueFormatter": _EUROS}),
    ("revenue_change", "vs week before", {"valueFormatter": _PERCENT, "width": 92}),
    ("trend", "Revenue, 14 days", {"width": 116, "cellRenderer": "Trend", "sortable": False}),
    (
        "needs",
        "Needs a person",
        {"minWidth": 250, "flex": 2, "wrapText": True, "autoHeight": True, "cellRenderer": "Concerns"},
    ),
    ("margin", "Margin", {"valueFormatter": _EUROS}),
    ("margin_change", "vs week before", {"valueFormatter": _PERCENT, "width": 92}),
    ("profit", "Profit", {"valueFormatter": _EUROS}),
    ("waste", "Waste", {"valueFormatter": _EUROS}),
    ("sold_out", "Products sold out", {"valueFormatter": _COUNT, "width": 84}),
    ("lost", "Lost to empty shelves", {"valueFormatter": _EUROS}),
    ("day", "Day", {"width": 160}),
)
_TEXTS = {"store", "trend", "needs", "day"}
_OF_LIVING_STOCK = {"profit", "waste"}


def grid(stores: Sequence[str], *, stock_lives: bool) -> Component:
    """Place the grid that a callback fills; of many stores, only rows that are seen are drawn."""
    is_short, wide = len(stores) <= _ALL_SHOWN, width_of(map(store_name, stores), 84, 220)
    columns = [
        column(field, name, wide if field == "store" else 100, is_number=field not in _TEXTS)
        | (TOOLTIPS if field != "trend" else {})
        | more
        for field, name, more in _COLUMNS
        if stock_lives or field not in _OF_LIVING_STOCK
    ]
    options = {"enableCellTextSelection": True, "animateRows": False, "quickFilterText": ""}
    return dag.AgGrid(
        id=GRID,
        columnDefs=in_currency_of(columns),
        rowData=[],
        defaultColDef=COLUMNS,
        dashGridOptions=options | ({"domLayout": "autoHeight"} if is_short else {}),
        getRowId="params.data.store",
        csvExportParams={"fileName": "stores.csv"},
        style={"height": None if is_short else 620},
        className="overview-grid",
    )


def drift_alarm(monitor: Monitor) -> list[Component]:
    """Name the products that drifted on the newest day that was checked; nothing where none did."""
    checked = monitor.reader.ask("drift_by_day", ("drift_checks", "products"), n_days=1)
    drifting = sorted(checked.loc[checked["detected"].astype(bool), "product_name"]) if len(checked) else []
    if not drifting:
        return []
    more = f" and {count(len(drifting) - _NAMED)} more" if len(drifting) > _NAMED else ""
    text = (
        f"{', '.join(drifting[:_NAMED])}{more}: bought otherwise than the champion predicts. The Models page shows it."
    )
    return [notice("Demand has drifted", text, mood="warning")]


def alert_notices(monitor: Monitor) -> list[Component]:
    """Show the alerts that are open, as `shelfprice alerts` lists them; nothing where none is."""
    alerts = monitor.reader.ask("open_alerts", ("alerts",), most=_ALERTS).to_dict("records")
    titles = [_ALERT_TITLES.get(row["kind"], "Something needs a person") for row in alerts]
    rows = zip(titles, alerts, strict=True)
    return [notice(f"{title}: {row['subject']}", row["sentence"], mood="warning") for title, row in rows]


def grid_rows(rows: Sequence[StoreRow], chosen: dt.date | None) -> list[dict[str, Any]]:
    """Return the rows of the grid in their order; a number that is not known is None."""
    return [_grid_row(row, chosen) for row in rows]


def chain_stats(rows: Sequence[StoreRow]) -> list[Component]:
    """Show what the chain earned, how many stores need a person, and what ran out."""
    needing, n_out = sum(row.level != "fine" for row in rows), sum(row.sold_out > 0 for row in rows)
    urgent = sum(row.level == "act" for row in rows)
    sentence, missed = f"{count(urgent)} of them urgent" if urgent else "none urgent", sum(row.missed for row in rows)
    where, line = f"in {count(n_out)} store{'' if n_out == 1 else 's'}", _trend(rows, "missed")
    return [
        _money("Revenue", rows, "revenue"),
        _money("Margin", rows, "margin"),
        *_stock_stats(rows),
        stat("Stores that need a person", f"{count(needing)} of {count(len(rows))}", None, sentence),
        stat("Visits that met an empty shelf", count(missed), None, where, line),
    ]


def _stock_stats(rows: Sequence[StoreRow]) -> list[Component]:
    """Show profit and waste of the stores that have closed; nothing where no stock lives over days."""
    closed = [row.earned for row in rows if row.earned and row.earned.profit is not None]
    if not closed:
        return []
    thrown, sold = sum(day_closed.spoiled or 0 for day_closed in closed), sum(day_closed.units for day_closed in closed)
    sentence = f"{count(round(thrown))} units, {share(thrown / max(thrown + sold, 1))} of what left the shelf"
    waste = euros(sum(day_closed.waste or 0.0 for day_closed in closed))
    return [_money("Profit", rows, "profit"), stat("Thrown away", waste, None, sentence, _trend(rows, "waste"))]


def _money(label: str, rows: Sequence[StoreRow], part: str) -> Component:
    """Show what all stores earned; those that have closed are compared, each with its own week before."""
    amounts = [amount for row in rows if (amount := _part(row.earned, part)) is not None]
    both = [(_part(row.earned, part), _part(row.before, part)) for row in rows if not row.is_open]
    pairs = [(now, old) for now, old in both if now is not None and old is not None]
    moved = change(sum(now for now, _ in pairs), sum(old for _, old in pairs))
    against = "no days before to compare with"
    if moved is not None:
        against = f"{'below' if moved.startswith('−') else 'above'} a mean day of the week before"
    return stat(label, euros(sum(amounts)) if amounts else UNKNOWN, moved, against, _trend(rows, part))


def _trend(rows: Sequence[StoreRow], part: str) -> Component | None:
    """Draw what the stores that sold had on average on each date, so that one which did not bends no line."""
    by_date: dict[dt.date, list[float]] = {}
    for row in rows:
        for date, earned in row.days.items():
            if (amount := _part(earned, part)) is not None:
                by_date.setdefault(date, []).append(amount)
    means = [sum(revenues) / len(revenues) for _, revenues in sorted(by_date.items())]
    return trend(means, f"a store on average, the last {days(len(means))}")


def _grid_row(row: StoreRow, chosen: dt.date | None) -> dict[str, Any]:
    query = {"store": row.store} | ({"day": str(chosen)} if chosen else {})
    label = f"{day(row.date)}{', open' if row.is_open else ''}" if row.date else UNKNOWN
    return {
        "store": row.store,
        "name": store_name(row.store),
        "link": f"/store?{urlencode(query)}",
        "level": row.level,
        "trend": [sold_day.revenue for sold_day in row.days.values()],
        "needs": "; ".join(concern.text for concern in row.concerns),
        "concerns": [[concern.level, concern.text] for concern in row.concerns],
        "day": label,
        **_compared("revenue", row),
        **_compared("margin", row),
        "profit": _part(row.earned, "profit"),
        "waste": _part(row.earned, "waste"),
        "sold_out": row.sold_out if row.earned else None,
        "lost": row.lost if row.earned else None,
    }


def _compared(part: str, row: StoreRow) -> dict[str, float | None]:
    """Return an amount, the one before, and the change in percent; a day that is open is not compared."""
    amount: float | None = _part(row.earned, part)
    before: float | None = _part(row.before, part)
    is_comparable = amount is not None and before and not row.is_open
    moved = _PER_CENT * (amount / before - 1) if is_comparable else None  # type: ignore[operator]
    return {part: amount, f"{part}_change": moved}


def _part(earned: Earned | None, part: str) -> float | None:
    amount = None if earned is None else getattr(earned, part)
    return None if amount is None else float(amount)
