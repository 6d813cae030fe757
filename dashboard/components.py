"""The parts that pages share: figures with captions, numbers with their change, and what to do where data lacks."""

import datetime as dt
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from flask import current_app, has_app_context

from dashboard.cache import Cache
from dashboard.data.notices import Mood
from dashboard.formats import day
from dashboard.monitor import Monitor
from dashboard.theme import Scheme
from warehouse.query.advice import PLACEHOLDER

_COLOURS: dict[Mood, str] = {"info": "ocean", "warning": "yellow", "stopped": "yellow", "problem": "red"}
_A_LETTER, _AROUND = 8, 36  # pixels: of a letter, and around a text with a mark
_GRAPH_CONFIG: Any = {
    "displaylogo": False,
    "responsive": True,
    "plotlyServerURL": "",  # nothing leaves the machine, so there is nowhere to share a chart
    "modeBarButtons": [["toImage", "resetScale2d"]],  # dragging zooms; each button is one more stop of the Tab key
}
SCHEME = "scheme"
"""Id of a store that holds `light` or `dark`; figures take `Input(SCHEME, "data")`, None until the browser says."""
HOME = "SHELFPRICE_HOME"
"""Where the app keeps its home, in its configuration, and the environment variable that names it to a command."""

_COMMAND = re.compile(r"(^|&& *)shelfprice(?= |$)")


def aria(**described: str) -> dict[str, Any]:
    """Return attributes for screen readers, as components take them: `aria(label="Pages")`."""
    return {f"aria-{name}": text for name, text in described.items()}


def scrolls(label: str) -> dict[str, Any]:
    """Return the attributes of a part that scrolls, so that the keyboard reaches it: `scrolls("Who did what")`."""
    return {"tabIndex": "0", "role": "group", **aria(label=label)}


CLOSE: Any = {"closeButtonProps": aria(label="Close")}
"""What a panel takes so that a screen reader can name the button that closes it."""


def icon(name: str) -> Component:
    """Draw `assets/icons/<name>.svg` in the colour of the text around it."""
    return html.Span(className=f"icon icon-{name}", **aria(hidden="true"))


def prose(text: str) -> list[Component | str]:
    """Return a sentence in which what stands between backticks is code."""
    return [dmc.Code(part) if position % 2 else part for position, part in enumerate(text.split("`"))]


def heading(title: str, explanation: str, *, right: Component | None = None) -> Component:
    """Open a page: its title, one sentence on what it answers, and controls at the right."""
    words = html.Div(
        [dmc.Title(title, order=1, className="page-title"), dmc.Text(explanation, c="dimmed", size="sm")],
        className="page-words",
    )
    return html.Div([words, *([right] if right is not None else [])], className="page-heading")


def card(title: str, *children: Component, caption: str | None = None, right: Component | None = None) -> Component:
    """Frame a part of a page; the caption says what to look for."""
    head = html.Div(
        [dmc.Title(title, order=2, className="card-title"), *([right] if right is not None else [])],
        className="card-head",
    )
    foot = [dmc.Text(prose(caption), c="dimmed", size="xs", className="caption")] if caption else []
    return dmc.Paper([head, *children, *foot], withBorder=True, p="md", className="card")


def fold(title: str, finding: str, *children: Component, caption: str | None = None) -> Component:
    """Frame evidence that is folded away until somebody opens it; `finding` is what it says, in a sentence."""
    body = [dmc.Title(title, order=2, className="card-title"), dmc.Text(prose(finding), c="dimmed", size="sm")]
    if not children:  # there is nothing to open
        return dmc.Paper(html.Div(body, className="fold-flat"), withBorder=True, className="fold")
    foot = [dmc.Text(prose(caption), c="dimmed", size="xs", className="caption")] if caption else []
    opened = html.Div([*children, *foot], className="fold-body")
    head = html.Summary(body, className="fold-head")
    return dmc.Paper(html.Details([head, opened]), withBorder=True, className="fold")


def graph(identifier: str, described: str, height: int) -> Component:
    """Place a figure that a callback fills, `height` pixels high; `described` is what a screen reader says."""
    plot = dcc.Graph(id=identifier, config=_GRAPH_CONFIG, style={"height": height})
    return html.Div(plot, role="group", **aria(label=described))


def chart(identifier: str, described: str, figure: go.Figure) -> Component:
    """Place a figure that is drawn already; `described` is what a screen reader says."""
    framed = graph(identifier, described, int(figure.layout.height))
    framed.children.figure = figure
    return framed


def stat(
    label: str, value: str, change: str | None, against: str, *more: Component | None, more_is_better: bool = True
) -> Component:
    """Show a number with its unit, how it moved against something that is named, and `more` below.

    The colour says whether that is good. Where more is not better in itself, it says nothing.
    """
    moved: list[Component | str] = []
    if change is not None:
        falling = change.startswith("−")
        arrow = "▼" if falling else "▲"
        look = ("falling" if falling else "rising") if more_is_better else "moved"
        moved = [html.Span(f"{arrow} {change}", className=look), " "]
    return dmc.Paper(
        [
            dmc.Text(label, className="stat-label"),
            dmc.Text(value, className="stat-value"),
            html.Div([*moved, html.Span(against)], className="stat-change"),
            *more,
        ],
        withBorder=True,
        p="md",
        className="stat",
    )


PRICE_AND_STOCK = "A price rises when stock is short for the time left, and falls when stock is ample."
"""What all pages say of how prices follow stock and time."""


def notice(title: str, text: str, *, command: str | None = None, mood: Mood = "info") -> Component:
    """Say what is missing or wrong and, ready to copy, the command that mends it."""
    return dmc.Alert(
        [dmc.Text(prose(text), size="sm"), *_mend(command)],
        title=title,
        color=_COLOURS[mood],
        variant="light",
        className="notice",
        icon=icon("problem" if mood != "info" else "info"),
    )


def drawer(identifier: str, title: str, parts: Sequence[Component], *, size: str) -> Component:
    """Place a panel that opens at the right."""
    inner = html.Div(list(parts), className="desk-edit")
    return dmc.Drawer(inner, id=identifier, title=title, position="right", size=size, **CLOSE)


def confirmation(identifier: str, title: str, *parts: Component, no: str, yes: Component) -> Component:
    """Place a question that a callback opens: its parts, and two buttons; `no` is the id of the one that cancels."""
    buttons = html.Div([dmc.Button("Cancel", id=no, variant="default"), yes], className="ask-buttons")
    return dmc.Modal([*parts, buttons], id=identifier, title=title, centered=True, **CLOSE)


TOOLTIPS: Any = {"tooltipValueGetter": {"function": "params.valueFormatted || params.value"}}
"""What a column of a grid takes so that a cell that is cut can be read whole."""


def column(field: str, name: str, width: int, *, is_number: bool) -> dict[str, Any]:
    """Return a column of a grid; numbers stand right."""
    return {"field": field, "headerName": name, "type": "rightAligned" if is_number else None, "width": width}


COLUMNS: Any = {"sortable": True, "resizable": True, "wrapHeaderText": True, "autoHeaderHeight": True}
"""What the columns of a large grid have in common."""


def width_of(texts: Iterable[str], least: int, most: int) -> int:
    """Return the width of a column, pixels, that shows most of its texts whole."""
    return min(max([least, *(_A_LETTER * len(text) + _AROUND for text in texts)]), most)


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int] = (), width: int) -> Component:
    """List rows under their columns' names; `numbers` are positions of columns set right, `width` is in pixels."""
    kinds = ["number" if position in numbers else "" for position in range(len(names))]
    head = [dmc.TableTh(name, className=kind) for name, kind in zip(names, kinds, strict=True)]
    body = [[dmc.TableTd(cell, className=kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows]
    return framed_table(head, body, width)


def framed_table(head: Sequence[Component], rows: Sequence[Sequence[Component]], width: int) -> Component:
    """Frame cells as a table that scrolls sideways where less than `width` pixels are free."""
    inner = [dmc.TableThead(dmc.TableTr(list(head))), dmc.TableTbody([dmc.TableTr(list(row)) for row in rows])]
    drawn = dmc.Table(inner, verticalSpacing=6, className="figures-table", miw=width)
    hint = scrolls("Table, scrolls sideways where it is wider than the screen")
    return html.Div(drawn, className="table-scroll", **hint)


def empty(title: str, text: str, command: str | None) -> Component:
    """Stand in for a part that has no data yet; `command` fills it, None where no command does."""
    return dmc.Paper(
        [
            html.Div(icon("empty"), className="empty-icon"),
            dmc.Title(title, order=3, className="card-title"),
            dmc.Text(prose(text), c="dimmed", size="sm"),
            *_mend(command),
        ],
        withBorder=True,
        p="xl",
        className="empty",
    )


def _mend(command: str | None) -> list[Component]:
    """Show a command, ready to copy unless a name has to be put into it."""
    if command is None:
        return []
    copy = [] if PLACEHOLDER in command.split() else [_copy(command)]
    return [html.Div([dmc.Code(command), *copy], className="mend")]


def _copy(command: str) -> Component:
    return dcc.Clipboard(content=as_pasted(command), title=f"copy {command}", className="copy")


def in_browser(app: Dash, function: str, *parts: Any, **more: Any) -> None:
    """Let a function of the browser's scripts answer a callback: `csv.save` is `save` of `assets/csv.js`."""
    app.clientside_callback(ClientsideFunction(*function.split(".")), *parts, **more)  # type: ignore[no-untyped-call]


def wire_saving(app: Dash, grid: str, button: str) -> None:
    """Let a button save a grid as CSV, in `assets/csv.js`: a cell that a spreadsheet would run stays text."""
    states = State(grid, "id"), State(grid, "csvExportParams")
    pressed = Input(button, "n_clicks")
    in_browser(app, "csv.save", Output(grid, "exportDataAsCsv"), pressed, *states, prevent_initial_call=True)


def as_pasted(command: str) -> str:
    """Return a command for the clipboard, as it works in any folder and any shell, on the home that the monitor shows.

    The terminal that it is pasted into knows neither our virtual environment nor our settings. A command that is not
    `shelfprice` stays as it is.
    """
    home = current_app.config.get(HOME) if has_app_context() else None
    setting = f"{HOME}={shlex.quote(str(home))} " if home else ""
    return _COMMAND.sub(lambda match: f"{match[1]}{setting}{_program()}", command)


def _program() -> str:
    """Return the program beside this interpreter, or this interpreter with our module where there is none."""
    program = Path(sys.executable).parent / "shelfprice"
    return shlex.quote(str(program)) if program.exists() else f"{shlex.quote(sys.executable)} -m flows"


SOLD = ("interactions", "substitutions", "repricings", "live_interactions", "live_repricings")
"""Tables of a store day, closed or still being sold."""

NEWEST = "newest"
"""Picked instead of a date, it follows a live store into its next day."""

_LOOKED_BACK = 30  # dates, the newest first, among which a store's newest is looked for


def shown_date(monitor: Monitor, chosen: str, store: str | None = None) -> dt.date | None:
    """Return the business date that was picked; None when no day was sold yet.

    Parameters
    ----------
    chosen
        A date, or `NEWEST`.
    store
        Of this store, the newest date is the newest on which it sold; one that has not sold lately has that of all.
    """
    if chosen != NEWEST:
        return dt.date.fromisoformat(chosen)
    dates = monitor.reader.dates(*SOLD)
    if store is not None:
        newest = (date for date in islice(reversed(dates), _LOOKED_BACK) if store in _sellers(monitor, date))
        return next(newest, max(dates, default=None))
    return max(dates, default=None)


def book_date(monitor: Monitor, date: dt.date | None) -> dt.date | None:
    """Return the date of the price book in force on a date; None when none had been made."""
    return max((date_ for date_ in monitor.reader.dates("booked_prices") if date and date_ <= date), default=None)


def days(monitor: Monitor) -> list[dict[str, str]]:
    """Offer the business dates, the newest first."""
    dates = reversed(monitor.reader.dates(*SOLD))
    return [{"value": NEWEST, "label": "Newest day"}, *({"value": str(date), "label": day(date)} for date in dates)]


def days_and_next(monitor: Monitor) -> list[dict[str, str]]:
    """Offer the business dates, and before them the one that is priced next, if it has a price book."""
    sold = monitor.reader.dates(*SOLD)
    ahead = [date for date in monitor.reader.dates("booked_prices") if sold and date > sold[-1]]
    offered = [{"value": str(date), "label": f"{day(date)}, opens next"} for date in ahead[-1:]]
    newest, *before = days(monitor)
    return [newest, *offered, *before]


def all_stores(monitor: Monitor) -> list[str]:
    """Return every store: those of the catalog, and those that sold on the newest date; none before the first day."""
    date = shown_date(monitor, NEWEST)
    if date is None:
        return []
    named = monitor.catalog.current().store.stores
    return [*named, *(store for store in _sellers(monitor, date) if store not in named)]


def categories(monitor: Monitor) -> list[str]:
    """Return the categories of the products, in order of their names; none before the first day."""
    if not monitor.reader.dates(*SOLD):
        return []
    return sorted({str(category) for category in monitor.reader.ask("shelf", ("products",))["category"]})


def picker(identifier: str, label: str, offered: list[Any], width: int, value: str | None) -> Component:
    """Offer some values, one of which is always chosen; typing narrows the list."""
    return _offer(identifier, label, offered, value, w=width, allowDeselect=False)


def narrowing(identifier: str, label: str, offered: list[str], width: int, value: str | None) -> Component:
    """Offer some values, of which none may be chosen."""
    return _offer(identifier, label, offered, value, w=width, clearable=True, placeholder="all")


def _offer(identifier: str, label: str, offered: list[Any], value: str | None, **more: Any) -> Component:
    searched = {"searchable": True, "nothingFoundMessage": "nothing like it"}
    return dmc.Select(id=identifier, label=label, data=offered, value=value, **searched, **more)


def _sellers(monitor: Monitor, date: dt.date) -> list[str]:
    """Return the stores that sold something on a date."""
    stores: list[str] = monitor.reader.ask("stores_of_day", SOLD, on=date, date=date)["store_id"].tolist()
    return stores


_LOOK_AGAIN = 5_000  # milliseconds
_KEPT = 4  # light and dark, and two on their way out


def frame(name: str, title: str, says: str) -> Component:
    """Build the frame of the page `name`; `says` is the sentence under its title."""
    return html.Div(
        [
            heading(title, says),
            dcc.Interval(id=f"{name}-clock", interval=_LOOK_AGAIN),
            dcc.Store(id=f"{name}-seen"),
            html.Div(dmc.Skeleton(height=420, radius="md"), id=f"{name}-content"),
        ]
    )


def wire_content(app: Dash, name: str, stamp: Callable[[], str], draw: Callable[[Scheme], Component]) -> None:
    """Fill the frame whenever `stamp` says that something changed; it is drawn once for all browsers."""
    drawn = Cache[Component](_KEPT)

    @app.callback(
        Output(f"{name}-content", "children"),
        Output(f"{name}-seen", "data"),
        Input(f"{name}-clock", "n_intervals"),
        Input(SCHEME, "data"),
        State(f"{name}-seen", "data"),
    )
    def fill(_n: int | None, scheme: str | None, seen: str | None) -> Any:
        now = f"{scheme} {stamp()}"
        return (no_update, no_update) if now == seen else (drawn.get(now, lambda: draw(scheme_of(scheme))), now)


def scheme_of(scheme: str | None) -> Scheme:
    """Return the browser's scheme, light until it has said so."""
    return cast("Scheme", scheme or "light")
