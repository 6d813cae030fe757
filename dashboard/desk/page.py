"""The Desk page: tomorrow's proposed prices, and what people decide about them."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from catalog.load import Catalog
from dashboard.address import Kept, kept_values, one_of, text_of, wire_address
from dashboard.components import SCHEME, aria, heading, in_browser
from dashboard.data.desk.people import standing
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.table import DeskQuestion, as_sent, in_order, totals_of
from dashboard.desk.changes import EFFECTS, LOG, PEOPLE, effects_card, log_card, log_list, people_card, people_list
from dashboard.desk.controls import ACT, DONE, FILTERS, SAID, filter_states, keys_list, question, wire_acts
from dashboard.desk.draws import TABLES, draws_card
from dashboard.desk.edit import edit_panel
from dashboard.desk.needs import NEEDS, needs_card, totals_line
from dashboard.desk.panel import wire_panel
from dashboard.desk.prices import (
    APPROVE,
    CHOSEN,
    COUNT,
    EVERY,
    GRID,
    STATES,
    TOTALS,
    UNCHANGED,
    act_button,
    height_of,
    note_of,
    prices_card,
    told_of,
)
from dashboard.desk.row import row_drawer, wire_row
from dashboard.desk.sheet import sheet_panel, wire_sheet
from dashboard.desk.tags import wire_tags
from dashboard.formats import count
from dashboard.monitor import Monitor, Page
from dashboard.pages.overview_cards import no_data
from dashboard.pages.promotions_card import CALENDAR, EARLIER, LATER, promotions_card, promotions_list

PULSE, SEEN, NOTE, MISSING, FULL = "desk-pulse", "desk-seen", "desk-note", "desk-missing", "desk-full"
DRAWS = "desk-draws"

_PULSE_MS = 5_000
_KEPT = tuple(Kept(name, *held, typed=name == "text") for name, held in FILTERS.items())
_USUAL = {name: False if held[1] == "checked" else "" if name == "text" else None for name, held in FILTERS.items()}


def layout(monitor: Monitor, **query: object) -> Component:
    """Build the page with its filters; the callbacks fill it as soon as it stands.

    Parameters
    ----------
    asked
        What the address asks for; what is not on offer is passed over.
    """
    catalog, has_rivals = monitor.catalog.current(), bool(monitor.reader.dates("competitor_prices"))
    stop = act_button("Stop prices…", "stop", look="outline", className="desk-stop")
    return html.Div(
        [
            html.A("Skip to the table", href="#desk-table", className="skip"),
            heading("Desk", "Tomorrow's prices: what needs you, what is proposed and why.", right=stop),
            kept_values("desk", "/desk", _KEPT, _USUAL),
            dcc.Interval(id=PULSE, interval=_PULSE_MS),
            dcc.Store(id=SEEN),
            dcc.Store(id=ACT),
            dcc.Store(id=DONE),
            html.Div(id=NOTE),
            html.Div(id=SAID, role="status", className="desk-said", **aria(live="polite")),
            html.Div(id=NEEDS),
            html.Div(id=DRAWS),
            html.Div(id=MISSING),
            html.Div(
                prices_card(catalog, _question(catalog, query, has_rivals=has_rivals), has_rivals=has_rivals), id=FULL
            ),
            html.Div(promotions_card(), className="grid desk-below"),
            html.Div([people_card(), log_card()], className="grid grid-2 desk-below"),
            html.Div(id=EFFECTS, className="desk-below"),
            row_drawer(),
            edit_panel(),
            sheet_panel(),
            question(catalog),
            keys_list(),
        ],
        id="desk",
    )


def _question(catalog: Catalog, query: Mapping[str, object], *, has_rivals: bool) -> DeskQuestion:
    """Return what an address asks for, as far as there is such a thing."""
    return DeskQuestion(
        text_of(query.get("text")),
        one_of(query.get("store"), catalog.store.stores, None),
        one_of(query.get("category"), (product.category for product in catalog.products), None),
        one_of(query.get("state"), STATES, None),
        query.get("unchanged") == "true",
        query.get("dearer") == "true" and has_rivals,
    )


def wire(app: Dash, monitor: Monitor) -> None:
    """Register the page's callbacks."""
    desk = monitor.desk
    _wire_table(app, desk)
    _wire_look(app, monitor, desk)
    app.callback(Output(EFFECTS, "children"), Input(SEEN, "data"))(lambda _: effects_card(monitor))
    app.callback(
        Output(CALENDAR, "children"), Input(SEEN, "data"), Input(EARLIER, "n_clicks"), Input(LATER, "n_clicks")
    )(lambda _, earlier, later: promotions_list(monitor, desk.sheet(), later - earlier))
    wire_acts(app, desk)
    wire_panel(app, desk)
    wire_sheet(app, desk)
    wire_row(app, monitor, ACT, SCHEME)
    wire_address(app, "desk", _KEPT)
    wire_tags(app.server, desk)


def _wire_table(app: Dash, desk: PriceDesk) -> None:
    """Send the rows that the table asks for; `assets/desk.js` lets it ask again when something has changed."""

    @app.callback(
        output={
            "rows": Output(GRID, "getRowsResponse"),
            "count": Output(COUNT, "children"),
            "height": Output(GRID, "style"),
            "unchanged": Output(UNCHANGED, "label"),
        },
        inputs={"wanted": Input(GRID, "getRowsRequest")},
        state=filter_states(),
    )
    def send(*, wanted: dict[str, Any] | None, **query: Any) -> dict[str, Any]:
        if wanted is None:
            raise PreventUpdate
        rows = desk.sheet().rows
        meant = DeskQuestion(**query)
        matching = meant.found_in(rows)
        part = list(in_order(matching, wanted.get("sortModel") or [])[wanted["startRow"] : wanted["endRow"]])
        return {
            "rows": {"rowData": list(map(as_sent, part, desk.courses(part))), "rowCount": len(matching)},
            "count": told_of(rows, matching),
            "height": height_of(len(matching)),
            "unchanged": f"Show unchanged ({count(int(meant.matching(rows).are_unchanged.sum()))})",
        }

    _wire_chosen(app, desk)
    filters = (Input(*held) for held in FILTERS.values())
    in_browser(app, "desk.again", Output(GRID, "title"), Input(SEEN, "data"), *filters)


def _wire_chosen(app: Dash, desk: PriceDesk) -> None:
    """Tell how many rows are chosen and what they bring in all."""

    @app.callback(
        output=Output(TOTALS, "children"),
        inputs={
            "chosen": Input(GRID, "selectedRows"),
            "every": Input(EVERY, "checked"),
            "_seen": Input(SEEN, "data"),
            **{name: Input(*held) for name, held in FILTERS.items()},
        },
        prevent_initial_call=True,
    )
    def sum_up(*, chosen: list[dict[str, Any]] | None, every: bool, _seen: object, **query: Any) -> list[Component]:
        sheet = desk.sheet()
        ids = [row["id"] for row in chosen or []]
        rows = DeskQuestion(**query).found_in(sheet.rows) if every else sheet.rows.those(ids)
        return totals_line(totals_of(rows)) if len(rows) else []

    shown = Output(CHOSEN, "children"), Output(APPROVE, "variant")
    in_browser(app, "desk.chosen", *shown, Input(GRID, "selectedRows"), Input(EVERY, "checked"))
    in_browser(app, "desk.acted", Output(CHOSEN, "title"), Input(DONE, "data"), prevent_initial_call=True)


def _wire_look(app: Dash, monitor: Monitor, desk: PriceDesk) -> None:
    """Show what changed since the browser looked last."""

    @app.callback(
        Output(NEEDS, "children"),
        Output(DRAWS, "children"),
        Output(NOTE, "children"),
        Output(MISSING, "children"),
        Output(FULL, "hidden"),
        Output(PEOPLE, "children"),
        Output(LOG, "children"),
        Output(SEEN, "data"),
        Input(PULSE, "n_intervals"),
        Input(DONE, "data"),
        State(SEEN, "data"),
    )
    def look(_pulse: int | None, _done: int | None, seen: str | None) -> Any:
        now = repr((desk.stamp(), monitor.next_command(), monitor.reader.stamp(*TABLES)))
        if now == seen:
            raise PreventUpdate
        sheet, draws = desk.sheet(), draws_card(monitor) if monitor.reader.has_warehouse() else None
        if not len(sheet.rows):
            words = "Prices are proposed by a price book, and there is none yet."
            return None, draws, None, no_data(monitor, "No prices proposed yet", words), True, None, None, now
        orders = standing(sheet)
        cards = needs_card(sheet.rows, orders), draws, note_of(sheet), None, False
        return *cards, people_list(orders), log_list(monitor), now


PAGE = Page("desk", "/desk", "Desk", "desk", 3, layout, wire, tuple(FILTERS))
