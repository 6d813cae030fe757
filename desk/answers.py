"""What the price desk's commands do with an order, and what they say became of it."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalog.currency import Currency, currency_of
from flows.cli.console import emit, remark, say, show_table

DESIGN = "drawn_prices"
"""What people approve by this name: see `training.approved_designs`."""

if TYPE_CHECKING:
    from catalog.wall_clock import WallClock
    from desk.price_changes.change import PriceChange
    from desk.price_changes.request import DeskAnswer, PriceRequest
    from warehouse.workspace import Workspace

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

    from desk.price_changes.request import ask
    from etl.live.store_now import next_date
    from flows.clock import now_of
    from flows.workspace import open_workspace

    workspace = open_workspace(folder)
    today = next_date(workspace.lake, workspace.catalog, request.store, now_of(workspace))
    clock = workspace.catalog.store.clock_of(request.store)
    request = replace(request, valid_from=moment_of(start, today, clock), valid_until=moment_of(end, today, clock))
    _show_answer(workspace, ask(workspace, request, workspace.settings.user), as_json=as_json)


def decide_and_show(names: Sequence[str], event: Any, reason: str | None, folder: str | None, *, as_json: bool) -> None:
    """Decide about price changes, and say what became of each."""
    from desk.price_changes.decision import decide
    from flows.workspace import open_workspace

    workspace = open_workspace(folder)
    changed = decide(workspace, names, event, workspace.settings.user, reason)
    show_changes(workspace, changed, as_json=as_json, title=f"{len(changed)} {event}")


def decide_design_and_show(reason: str | None, folder: str | None, *, is_approved: bool, as_json: bool) -> None:
    """Approve the design of drawn prices, or take that back, and say what follows."""
    from flows.workspace import open_workspace
    from training.approved_designs import decide

    said = decide(open_workspace(folder), reason, is_approved=is_approved)
    if as_json:
        emit({"design": DESIGN, "approved": is_approved, "said": said})
    else:
        say(said)


def show_changes(workspace: "Workspace", changes: Sequence["PriceChange"], *, as_json: bool, title: str) -> None:
    """Print price changes with their state at the next tick."""
    from desk.price_changes.listing import rows_of

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


def _prices(row: dict[str, Any]) -> list[str]:
    written = currency_of(row["currency"]).format_amount
    return ["" if row[name] is None else written(row[name]) for name in ("old_price", "new_price")]


def _show_answer(workspace: "Workspace", answer: "DeskAnswer", *, as_json: bool) -> None:
    from desk.price_changes.listing import rows_of

    rows, found, money = rows_of(workspace, answer.changes), answer.consequence, workspace.catalog.store.money
    if as_json:
        emit({"changes": rows, "conflicts": list(answer.conflicts), "consequence": vars(found) if found else None})
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
    if found is not None:
        say(_consequence(found, money))
    if answer.is_waiting:
        say(f"Somebody else has to approve it: `shelfprice approve {names}`.")
    else:
        say(f"The shelf follows at its next tick. To undo it: `shelfprice withdraw {names}`.")


def _consequence(found: Any, money: Currency) -> str:
    told = money.format_money
    policy = f"the plan opens at {told(found.policy_price)}"
    if found.known_from is not None:
        known = f"demand is known from {told(found.known_from)} to {told(found.known_to)}"
        return f"What it brings is not known: {known}, and not beyond ({policy})."
    if found.cost is None:
        return f"What it brings is not known: no model and belief know this product ({policy})."
    less_or_more = "less" if found.cost >= 0 else "more"
    return (
        f"Expected a store day: chance of sale {found.p_sale:.0%}, {found.units:.0f} units, revenue "
        f"{told(found.revenue)}, profit {told(found.profit)}; it earns {told(abs(found.cost))} {less_or_more} than the "
        f"plan ({policy})."
    )
