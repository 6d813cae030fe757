"""The digest of a morning: what waits for a decision, what was earned, and what needs a person, as text to read."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing
from textwrap import fill

from catalog.errors import ShelfpriceError
from flows.workspace import now_of
from plugins.desk.alerts.watch import open_alerts
from plugins.desk.next_ticks import next_date, next_tick
from plugins.desk.notify.channels import Message, channels_of
from plugins.desk.notify.outbox import LOCK, is_told, keep, send
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.proposals import waiting_on
from plugins.desk.price_changes.record import changes_by_people, changes_on
from plugins.desk.records import NotifySettings
from warehouse.commits.locks import waited_for
from warehouse.origin import newest_closed
from warehouse.query.connection import queries_beside, workbench_with_marts
from warehouse.workspace import Workspace

_SHOWN = 5
_WIDTH = 76
_query = queries_beside(__file__)


def digest(workspace: Workspace) -> Message:
    """Return the digest of the date that the stores sell next, or are selling."""
    lake, catalog, now = workspace.lake, workspace.catalog, now_of(workspace)
    date = next_date(lake, catalog, now=now)
    sections = (
        ("What waits for you", _waiting(workspace, date, now)),
        ("What was earned", _earned(workspace)),
        (
            "What needs a person",
            [alert.alert.sentence for alert in open_alerts(lake)] or ["Nothing. No alert is open."],
        ),
    )
    lines = [f"Shelfprice, {_day(date)}"]
    for title, sentences in sections:
        lines += ["", title, "-" * len(title), *_listed(sentences)]
    tick = next_tick(lake, catalog, now=now)
    return {"kind": "digest", "subject": date.isoformat(), "sentence": "\n".join(lines), "at": tick.isoformat()}


def send_digest(workspace: Workspace) -> Message:
    """Send the digest to each channel and return it; what a channel does not take now waits for the next look."""
    message, channels = digest(workspace), channels_of(workspace)
    with waited_for(workspace.settings.locks, LOCK):
        keep(workspace.lake, [channel.name for channel in channels], [message])
    send(workspace, channels)
    return message


def after_night(workspace: Workspace) -> list[str]:
    """Send the digest once a morning, where the catalog asks for it; that it could not be made is said."""
    if not workspace.catalog.store.section(NotifySettings).digest or not channels_of(workspace):
        return []
    try:
        date = next_date(workspace.lake, workspace.catalog, now=now_of(workspace)).isoformat()
        if is_told(workspace.lake, "digest", date):
            return []
        send_digest(workspace)
    except ShelfpriceError as error:
        return [f"no digest could be sent: {error}"]
    return [f"the digest of {date} was sent, or waits for a channel that did not take it: see `notifications`"]


def _waiting(workspace: Workspace, date: dt.date, now: dt.datetime) -> list[str]:
    """Say which prices wait, the largest changes first."""
    lake, money = workspace.lake, workspace.catalog.store.money
    by_id = {change.id: change for change in (*changes_on(lake, date), *changes_by_people(lake, now))}
    rows = [row for row in rows_of(workspace, list(by_id.values())) if row["state"] == "proposed"]
    if not rows:
        return ["Nothing. No price waits for approval."]
    rows.sort(key=lambda row: (-abs(_step(row["old_price"], row["new_price"])), row["change"]))
    cost = waiting_on(lake, date).cost
    dear = f" Waiting costs about {money.format_money(cost)} a day." if cost >= money.smallest / 2 else ""
    sentences = [f"{_counted(len(rows), 'price waits', 'prices wait')} for approval at the desk.{dear}"]
    for row in rows[:_SHOWN]:
        old, new = (None if row[name] is None else money.format_money(row[name]) for name in ("old_price", "new_price"))
        prices = (
            f"from {old} to {new} ({_step(row['old_price'], row['new_price']):+.1%})"
            if old and new
            else f"to {new or 'base prices'}"
        )
        where = workspace.catalog.store.names.get(row["store"], row["store"] or "every store")
        sentences.append(f"{row['sku'] or 'Every product'} in {where} {prices}: {row['reason']}")
    return [*sentences, f"And {len(rows) - _SHOWN} more."] if len(rows) > _SHOWN else sentences


def _earned(workspace: Workspace) -> Iterator[str]:
    """Say what the newest day that is over brought, beside the same weekday a week before."""
    money, date = workspace.catalog.store.money, newest_closed(workspace.lake)
    if date is None:
        yield "Nothing was sold yet."
        return
    with closing(workbench_with_marts(workspace.settings)) as connection:
        stores, revenue, profit, waste, before = connection.execute(_query("takings"), {"date": date}).fetchall()[0]
    than = f", {revenue / before - 1:+.1%} against the same day of the week before" if before else ""
    yield f"{_day(date)}: {_counted(stores, 'store', 'stores')} took {money.format_money(revenue)}{than}."
    if profit is not None:
        thrown = f", after {money.format_money(waste)} of waste" if waste else ""
        yield f"Profit: {money.format_money(profit)}{thrown}."


def _step(old: float | None, new: float | None) -> float:
    """Return a change of price as a share; 0 where a price is not known."""
    return new / old - 1 if old and new is not None else 0.0


def _listed(sentences: Sequence[str] | Iterator[str]) -> Iterator[str]:
    return (fill(sentence, _WIDTH, initial_indent="- ", subsequent_indent="  ") for sentence in sentences)


def _counted(count: int, singular: str, many: str) -> str:
    return f"{count:,} {singular if count == 1 else many}"


def _day(date: dt.date) -> str:
    return f"{date:%A}, {date.day} {date:%B %Y}"
