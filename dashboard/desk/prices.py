"""The desk's table: each store's opening price of each product, filtered and sorted where the rows are."""

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from catalog.load import Catalog
from dashboard.components import COLUMNS, TOOLTIPS, aria, card, column, prose, width_of
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import DeskQuestion, Rows
from dashboard.formats import count, day, in_currency_of, shown_currency, store_name, store_options

GRID, TEXT, STORE, CATEGORY, STATE, UNCHANGED, EVERY, COUNT, CHOSEN, APPROVE = (
    "desk-grid", "desk-text", "desk-store", "desk-category", "desk-state", "desk-unchanged", "desk-every", "desk-count",
    "desk-chosen", "desk-approve",
)  # fmt: skip
KEYS_ON, TOTALS, DEARER = "desk-keys-on", "desk-totals", "desk-dearer"

STATES = {
    "waits": "Waits for a person",
    "passes": "Passes by the rules",
    "approved": "Approved",
    "rejected": "Rejected",
    "overridden": "Set by a person",
}

_EUROS = {"function": "params.value == null ? '–' : '€' + d3.format(',.2f')(params.value)"}
_GAIN = {
    "function": "params.value == null ? '–' : d3.format('+,.2f')(params.value).replace('+', '+€').replace('−', '−€')"
}
_PERCENT = {"function": "params.value == null ? '–' : d3.format('+.1f')(100 * params.value) + ' %'"}
_COLUMNS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("name", "Product", "Name and SKU", {"width": 160, "cellRenderer": "DeskProduct"}),
    ("store", "Store", "", {}),
    ("now", "Now", "On a live store's shelf; else the middle price of the day before", {"valueFormatter": _EUROS}),
    (
        "proposed",
        "Proposed",
        "What the store would open with by the price book",
        {"valueFormatter": _EUROS, "width": 104},
    ),
    ("moved", "Change", "Proposed against now", {"valueFormatter": _PERCENT, "width": 96}),
    (
        "gain",
        "Gain a day",
        "What the plan that begins with it earns more until closing than the price now, if that were kept",
        {"valueFormatter": _GAIN, "width": 96},
    ),
    ("rival", "Rival", "Cheapest price of a rival that counts, for as much", {"valueFormatter": _EUROS}),
    (
        "why",
        "Why",
        "A row opens with the whole reason",
        {"minWidth": 250, "flex": 1, "sortable": False, "cellClass": "desk-wrapped"},
    ),
    ("state", "State", "What became of the proposal", {"width": 150, "cellRenderer": "DeskState"}),
    ("stands", "Will stand", "At the next tick, by what was decided so far", {"valueFormatter": _EUROS}),
    ("course", "14 days", "Opening prices", {"width": 142, "cellRenderer": "DeskCourse", "sortable": False}),
)
_NUMBERS = {"now", "proposed", "moved", "gain", "stands", "rival"}
_HEAD, _ROW, _MOST_SHOWN = 50, 66, 8  # pixels, pixels, rows


def prices_card(catalog: Catalog, desk_question: DeskQuestion, *, has_rivals: bool) -> Component:
    """Place the filters as they are asked for, the buttons and the table; callbacks fill it with the rows."""
    return card(
        "Proposed prices",
        html.Div(_filters(catalog, desk_question, has_rivals=has_rivals), className="controls desk-filters"),
        html.Div(_buttons(), className="desk-buttons", role="toolbar", **aria(label="What to do with chosen prices")),
        html.Div(id=TOTALS, className="desk-totals", **aria(live="polite")),
        html.Div(_grid(catalog, has_rivals=has_rivals), id="desk-table"),
        html.Div(
            [html.Span(id=COUNT, **aria(live="polite")), html.Span(id=CHOSEN, **aria(live="polite"))],
            className="desk-counts",
        ),
        caption="A row opens with a click or Enter. Arrow keys move, Space chooses, A approves, R rejects, E edits, "
        "/ searches, ? lists the keys. Gains are those of the plan until closing.",
    )


def told_of(rows: Rows, changed: Rows) -> str:
    """Say how many prices are shown, of how many, and how many of them wait."""
    waiting = int(changed.are_waiting.sum())
    of_all = "" if len(changed) == len(rows) else f" of {count(len(rows))}"
    noun = "price" if len(rows) == 1 else "prices"
    return f"{count(len(changed))}{of_all} {noun}; {count(waiting)} {'waits' if waiting == 1 else 'wait'}"


def height_of(rows: int) -> dict[str, int]:
    """Return the height of the table: that of its rows, of some of them where there are many."""
    return {"height": _HEAD + _ROW * min(max(rows, 1), _MOST_SHOWN)}


def note_of(sheet: Sheet) -> list[Component]:
    """Say for which day the prices are, what waits, and what that means."""
    catalog, rows = sheet.catalog, sheet.rows
    clocks = [rows_of_store.standing.now for rows_of_store in rows.stores]
    dates, live = (
        sorted({moment.date for moment in clocks}),
        sorted(clock.store for clock in clocks if clock.day is not None),
    )
    days = " and ".join(day(date) for date in dates)
    lines = [
        f"Prices for {days}" + (f"; live now: {', '.join(map(store_name, live))}." if live else ", which opens next.")
    ]
    waiting = rows.take(rows.are_waiting)
    if catalog.store.guardrails.kill_switch:
        lines.append("The kill switch of store.yaml is on: every store shows base prices.")
    if not catalog.store.approval.is_asked_for:
        lines.append(
            "Every price passes by itself, since store.yaml has no `approval`. To let large changes wait for a person, "
            "write there `approval: {within_of_yesterday: 0.1}`, a share of the price of the day before."
        )
    elif len(waiting):
        word, verb = ("price", "waits") if len(waiting) == 1 else ("prices", "wait")
        if not waiting.are_recorded.all():  # no night has proposed them yet
            stands = "until somebody decides, the nearest that the rules let pass stands"
        else:
            stands = "the old price stands" if len(waiting) == 1 else "the old prices stand"
        is_open = any(store.standing.now.day is not None for store in waiting.stores)
        lines.append(f"{count(len(waiting))} {word} {verb}: {stands}{'' if is_open else ' when the stores open'}.")
    else:
        lines.append("No price waits for a person.")
    return [dmc.Text(prose(" ".join(lines)), size="sm", className="desk-note")]


def _filters(catalog: Catalog, desk_question: DeskQuestion, *, has_rivals: bool) -> list[Component]:
    categories = sorted({product.category for product in catalog.products})
    states = [{"value": state, "label": words} for state, words in STATES.items()]
    any_of: dict[str, Any] = {"placeholder": "all", "clearable": True}
    style: dict[str, Any] = any_of | {"w": 150, "searchable": True}
    words = {"placeholder": "product, SKU, store", "value": desk_question.text, "w": 230, "debounce": 200}
    dearer = dmc.Switch(id=DEARER, label="Dearer than rivals", checked=desk_question.dearer, size="xs")
    return [
        dmc.TextInput(id=TEXT, label="Search", **words),
        dmc.Select(
            id=STORE, label="Store", data=store_options(catalog.store.stores), value=desk_question.store, **style
        ),
        dmc.Select(id=CATEGORY, label="Category", data=categories, value=desk_question.category, **style),
        dmc.Select(id=STATE, label="State", data=states, value=desk_question.state, w=190, **any_of),
        dmc.Switch(
            id=UNCHANGED, label="Show unchanged", checked=desk_question.unchanged, size="xs", className="desk-every"
        ),
        html.Div(dearer, hidden=not has_rivals, className="desk-every"),
    ]


def _buttons() -> list[Component]:
    return [
        dmc.Checkbox(id=EVERY, label="All that are found", checked=False, size="xs"),
        act_button("Approve", "approve", key="A", id=APPROVE),
        act_button("Reject…", "reject", key="R"),
        act_button("Edit…", "edit", key="E"),
        act_button("Freeze…", "freeze"),
        act_button("Price tags", "tags"),
        act_button("CSV / XLSX…", "sheet"),
        act_button("Keys", "keys", look="subtle", key="?", className="desk-keys"),
        dmc.Switch(id=KEYS_ON, label="Keys on", checked=True, size="xs", persistence=True, className="desk-keys"),
    ]


def act_button(
    label: str, act: str, *, look: str = "default", key: str = "", change: str = "", row: Row | None = None, **more: Any
) -> Component:
    """Return a button that `assets/desk.js` turns into an act, of the chosen rows, of one, or of one price change."""
    data = {"data-act": act, **({"data-change": change} if change else {})}
    if row is not None:
        data |= {"data-price": row.id, "data-seen": str(row.proposed), "aria-label": f"{label} {row.title}"}
    hint = [html.Kbd(key, className="desk-key", **aria(hidden="true"))] if key else []
    return dmc.Button([label, *hint], variant=look, size="xs", **data, **more)


def _grid(catalog: Catalog, *, has_rivals: bool) -> Component:
    money, wide = shown_currency(), width_of(map(store_name, catalog.store.stores), 80, 160)
    of_course = {"cellRendererParams": {"symbol": money.symbol, "digits": money.digits}}
    by_field: dict[str, dict[str, Any]] = {"course": of_course, "rival": {"tooltipField": "rivals"}, "name": {}}
    columns = [
        column(field, name, wide if field == "store" else 84, is_number=field in _NUMBERS)
        | {"headerTooltip": says}
        | by_field.get(field, TOOLTIPS)
        | more
        for field, name, says, more in _COLUMNS
        if has_rivals or field != "rival"
    ]
    return dag.AgGrid(
        id=GRID,
        columnDefs=in_currency_of(columns),
        rowModelType="infinite",
        getRowId="params.data.id",
        defaultColDef=COLUMNS,
        dashGridOptions={
            "cacheBlockSize": 100,
            "maxBlocksInCache": 20,
            "rowHeight": _ROW,
            "rowSelection": {"mode": "multiRow", "headerCheckbox": False},
            "ensureDomOrder": True,
        },
        style=height_of(_MOST_SHOWN),
        className="desk-grid",
    )
