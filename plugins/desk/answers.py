"""What the commands of the price desk do with an order, what they say became of it, and what they list."""

import csv
import datetime as dt
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalog.currency import Currency, currency_of
from catalog.hooks import SELLERS
from flows.cli.console import emit, remark, say, show_table

DESIGN = "drawn_prices"
"""What people approve by this name: see `plugins.own_store.draws.approved_designs`."""

if TYPE_CHECKING:
    from catalog.clocks import WallClock
    from catalog.load import Catalog
    from plugins.desk.price_changes.change import PriceChange
    from plugins.desk.price_changes.request import DeskAnswer, PriceRequest
    from warehouse.workspace import Workspace

_PROMOTION = ("id", "state", "what", "from", "until", "price", "prior", "less", "units", "profit", "by")
_NO_YEAR = 1900  # of a time of day without a date


def moment_of(given: dt.datetime | None, today: dt.date, clock: "WallClock") -> dt.datetime | None:
    """Return a local time as a moment, UTC; a time of day alone is one of the business date that is priced now."""
    if given is None:
        return None
    return clock.moment_of_person(dt.datetime.combine(today if given.year == _NO_YEAR else given.date(), given.time()))


def ask_and_show(
    request: "PriceRequest", start: dt.datetime | None, end: dt.datetime | None, folder: str | None, *, as_json: bool
) -> None:
    """Record what is asked for, and say what became of it."""
    from dataclasses import replace

    from flows.workspace import now_of, open_workspace
    from plugins.desk.next_ticks import next_date
    from plugins.desk.price_changes.request import ask

    workspace = open_workspace(folder)
    today = next_date(workspace.lake, workspace.catalog, request.store, now_of(workspace))
    clock = workspace.catalog.store.clock_of(request.store)
    request = replace(request, valid_from=moment_of(start, today, clock), valid_until=moment_of(end, today, clock))
    _show_answer(workspace, ask(workspace, request, workspace.settings.user), as_json=as_json)


def decide_and_show(names: Sequence[str], event: Any, reason: str | None, folder: str | None, *, as_json: bool) -> None:
    """Decide about price changes, and say what became of each."""
    from flows.workspace import open_workspace
    from plugins.desk.price_changes.decision import decide

    workspace = open_workspace(folder)
    changed = decide(workspace, names, event, workspace.settings.user, reason)
    show_changes(workspace, changed, as_json=as_json, title=f"{len(changed)} {event}")


def decide_design_and_show(reason: str | None, folder: str | None, *, is_approved: bool, as_json: bool) -> None:
    """Approve the design of drawn prices, or take that back, and say what follows."""
    from flows.workspace import open_workspace

    outcome = SELLERS.needed(DESIGN).decide_design(open_workspace(folder), reason, is_approved=is_approved)
    if as_json:
        emit({"design": DESIGN, "approved": is_approved, "said": outcome})
    else:
        say(outcome)


def show_changes(workspace: "Workspace", changes: Sequence["PriceChange"], *, as_json: bool, title: str) -> None:
    """Print price changes with their state at the next tick."""
    from plugins.desk.price_changes.listing import rows_of

    rows = rows_of(workspace, changes)
    if as_json:
        emit({"changes": rows})
        return
    last = ("when", "by", "reason")
    shown = [
        [row["change"], row["state"].replace("_", " "), row["what"], *_prices(row), *(row[name] for name in last)]
        for row in rows
    ]
    code = workspace.catalog.store.currency
    show_table(title, ["id", "state", "what", f"old, {code}", f"new, {code}", *last], shown)


def show_promotions(workspace: "Workspace", sku: str | None, store: str | None, *, as_json: bool) -> None:
    """Print promotions, and what the past ones brought. Times are UTC, to the first moment after it."""
    from warehouse.query.questions import promotions

    listed = [
        row
        for row in promotions(workspace.settings)
        if sku in {None, row["sku"]} and (store is None or row["store_id"] in {None, store})
    ]
    if as_json:
        emit({"promotions": listed})
    elif not listed:
        say("No promotion is planned: `shelfprice override SKU PRICE --announce` plans one.")
    else:
        money = workspace.catalog.store.money.format_amount
        rows = [
            [
                row["change"],
                row["state"],
                f"{row['sku']}, {row['store_id'] or 'every store'}",
                *("" if row[name] is None else f"{row[name]:%Y-%m-%d %H:%M}" for name in ("starts_at", "ends_at")),
                *("" if row[name] is None else money(row[name]) for name in ("price_eur", "prior_price_eur")),
                "" if row["share_reduced"] is None else f"{row['share_reduced']:.0%}",
                "" if not row["count_store_days"] else f"{row['count_units']:.0f}",
                "" if not row["count_store_days"] else money(row["profit_eur"]),
                row["planned_by"],
            ]
            for row in listed
        ]
        show_table(f"{len(listed)} promotion{'' if len(listed) == 1 else 's'}", list(_PROMOTION), rows)


def show_stickers(
    workspace: "Workspace", sku: str | None, store: str | None, date: dt.date | None, *, as_csv: bool, as_json: bool
) -> None:
    """Print the stickers of a date, by default of the next one on which each store opens, as on its price tags."""
    import pyarrow as pa

    from etl.calendar import stores_now
    from flows.workspace import now_of
    from plugins.desk.stickers import markdowns_of

    shelf, lake = workspace.catalog, workspace.lake
    stores = shelf.store.stores if store is None else (store,)
    mornings = dict.fromkeys(stores, date)
    if date is None:
        clocks = stores_now(lake, shelf, stores, now_of(workspace))
        mornings = {name: _first_open(shelf, now.date) for name, now in clocks.items()}
    dates, parts = sorted({on for on in mornings.values() if on is not None}), list[pa.Table]()
    for on in dates:
        part = markdowns_of(lake, shelf, on, [name for name in stores if mornings[name] == on])
        parts.append(part.add_column(0, "business_date", pa.array([on.isoformat()] * len(part), pa.string())))
    rows, days = pa.concat_tables(parts), " and ".join(map(str, dates))
    found = [row | {"product_name": shelf.product(row["sku"]).name} for row in rows.to_pylist()]
    found = [row for row in found if sku in {None, row["sku"]}]
    money = shelf.store.money
    if as_json:
        emit({"business_date": dates[0].isoformat(), "currency": money.code, "stickers": found})
    elif as_csv:
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerow(rows.column_names)
        lines.writerows(
            [
                round(row[name], money.digits) if isinstance(row[name], float) else row[name]
                for name in rows.column_names
            ]
            for row in found
        )
    elif not found:
        why = "" if shelf.uses_stickers else "; the catalog sticks none, see policies.stickers in docs/stock.md"
        say(f"No sticker to print for {days}{why}.")
    else:
        columns = [f"{name}, {money.code}" for name in ("label", "sticker", "expected saving")]
        names = ("store_id", "product_name", "units", "price", "sticker_eur", "expected_saving_eur")
        table = [[row[name] for name in names] for row in found]
        caption = "Stick them before opening, on units whose last day this is; they stay until closing."
        show_table(
            f"Stickers for {days}", ["store", "product", "units", *columns], table, caption, columns, money.digits
        )


def _first_open(catalog: "Catalog", date: dt.date) -> dt.date:
    while not catalog.store.is_open_on(date):
        date += dt.timedelta(days=1)
    return date


def _prices(row: dict[str, Any]) -> list[str]:
    written = currency_of(row["currency"]).format_amount
    return ["" if row[name] is None else written(row[name]) for name in ("old_price", "new_price")]


def _show_answer(workspace: "Workspace", answer: "DeskAnswer", *, as_json: bool) -> None:
    from plugins.desk.price_changes.listing import rows_of

    rows, consequence, money = rows_of(workspace, answer.changes), answer.consequence, workspace.catalog.store.money
    if as_json:
        emit(
            {
                "changes": rows,
                "conflicts": list(answer.conflicts),
                "consequence": vars(consequence) if consequence else None,
            }
        )
        return
    names = " ".join(row["change"] for row in rows)
    for conflict in answer.conflicts:
        remark(conflict)
    for row in rows:
        say(f"{row['change']}: {row['what']}, {row['when']}: {row['state'].replace('_', ' ')}")
        if row["prior_price"] is not None and row["new_price"] < row["prior_price"]:
            less = 1 - row["new_price"] / row["prior_price"]
            say(
                f"Announce it from {money.format_money(row['prior_price'])}, the price that the law asks for: "
                f"{less:.0%} less."
            )
    if consequence is not None:
        say(_consequence(consequence, money))
    if answer.is_waiting:
        say(f"Somebody else has to approve it: `shelfprice decide approve {names}`.")
    else:
        say(f"The shelf follows at its next tick. To undo it: `shelfprice decide withdraw {names}`.")


def _consequence(consequence: Any, money: Currency) -> str:
    euros = money.format_money
    policy = f"the plan opens at {euros(consequence.policy_price)}"
    if consequence.known_from is not None:
        sentence = f"demand is known from {euros(consequence.known_from)} to {euros(consequence.known_to)}"
        return f"What it brings is not known: {sentence}, and not beyond ({policy})."
    if consequence.cost is None:
        return f"What it brings is not known: no model and belief know this product ({policy})."
    less_or_more = "less" if consequence.cost >= 0 else "more"
    return (
        f"Expected a store day: chance of sale {consequence.p_sale:.0%}, {consequence.units:.0f} units, revenue "
        f"{euros(consequence.revenue)}, profit {euros(consequence.profit)}; "
        f"it earns {euros(abs(consequence.cost))} {less_or_more} "
        f"than the plan ({policy})."
    )
