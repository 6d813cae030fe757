"""The days that a store sells live: which comes next, and how its rows are published and become a batch."""

import datetime as dt
from dataclasses import replace
from functools import reduce

import pyarrow as pa

from catalog.errors import Declined
from catalog.load import Catalog
from etl.calendar import ONE_DAY, next_dates, stores_in
from etl.ledger import in_force_in
from etl.load import DayRows, conform, load_rows
from etl.open_days import LiveDay, Mark, days_with_live_parts
from plugins.desk.live_shelf import clear_away
from warehouse.lake import Lake, Published
from warehouse.workspace import Workspace


def day_to_sell(workspace: Workspace, store: str, date: dt.date | None) -> LiveDay:
    """Return the day to sell: the one asked for, else the one left open, else the day after the store's newest.

    Raises
    ------
    Declined
        When the date has decisions of the store already.
    """
    if date is None:
        return _open_day(workspace.lake, store) or LiveDay(store, _next_date(workspace, store))
    day = LiveDay(store, date)
    if day.is_closed(workspace.lake):
        raise Declined(f"{store} has sold {date} live, and the day is closed; nothing was sold, choose another date")
    if workspace.lake.receipt(day.part("live_interactions")) is None and has_decisions(workspace.lake, day):
        raise Declined(
            f"{store} has decisions of {date} from a simulation; selling the day again would count it twice: nothing "
            f"was sold, choose another date, such as {_next_date(workspace, store)}"
        )
    return day


def _open_day(lake: Lake, store: str) -> LiveDay | None:
    days = [day for day in days_with_live_parts(lake) if day.store == store and not day.is_closed(lake)]
    return days[0] if days else None


def _next_date(workspace: Workspace, store: str) -> dt.date:
    return next_dates(workspace.lake, workspace.catalog, [store])[store]


def dates_to_sell(
    workspace: Workspace, store: str, date: dt.date | None, days: int, left: dt.date | None
) -> tuple[LiveDay, dt.date]:
    """Return the first day and the last date to sell: those asked for, or what a run that was killed has left of them.

    Parameters
    ----------
    left
        Last date that such a run was to sell, None without one. Where it was killed behind its last tick nothing is
        left, and the first day lies after the last date.

    Raises
    ------
    Declined
        As in `day_to_sell`.
    """
    if left is not None and (date is None or date <= left):
        if LiveDay(store, left).is_closed(workspace.lake):
            return LiveDay(store, left + ONE_DAY), left
        day = day_to_sell(workspace, store, None)
        if day.business_date <= left:
            return day, left
    day = day_to_sell(workspace, store, date)
    return day, day.business_date + (days - 1) * ONE_DAY


def publish_tick(lake: Lake, day: LiveDay, rows: DayRows, mark: Mark) -> None:
    """Commit the rows of a live day up to a tick."""
    learned, kept = rows.belief_updates, lake.receipt(day.part("belief_updates"))
    with lake.commit(day.commit, inputs=str(mark), seed=mark.seed, amends=True) as commit:
        if learned is not None and learned.num_rows != (kept.rows if kept else 0):
            commit.publish(day.part("belief_updates"), learned)
        taken, kept = rows.substitutions, lake.receipt(day.part("substitutions"))
        if taken is not None and (kept is None or taken.num_rows != kept.rows):
            commit.publish(day.part("substitutions"), taken)
        commit.publish(day.part("live_repricings"), rows.repricings)
        commit.publish(day.part("live_interactions"), conform(rows.interactions))


def close_day(lake: Lake, catalog: Catalog, day: LiveDay, rows: DayRows, mark: Mark) -> Published:
    """Make an ordinary batch of a day that was sold to the end, and clear away the store's earlier live parts.

    The day's own live part stays until the next day closes, hidden by the views, so that a query that began before
    the batch was there finds what it looked for.
    """
    inputs = mark.priced_by if mark.since == 0 else f"{mark.priced_by}:{mark.since}"
    group = day.part("interactions").group
    ledger = in_force_in(lake, day.business_date, group)
    whole = replace(rows, in_force=ledger)
    published = load_rows(lake, catalog, whole, day.business_date, group, inputs=inputs, seed=mark.seed)[-1]
    clear_away(lake, day)
    return published


def joined(earlier: DayRows, later: DayRows) -> DayRows:
    """Return the rows of two stretches; the same rows give the same bytes, whatever their stretches were."""
    learned, taken = (
        [rows_of_day for rows in (earlier, later) if (rows_of_day := getattr(rows, name)) is not None]
        for name in ("belief_updates", "substitutions")
    )
    return DayRows(
        _stacked(earlier.interactions, later.interactions),
        _stacked(earlier.repricings, later.repricings),
        reduce(_stacked, learned) if learned else None,
        stock_movements=later.stock_movements,
        substitutions=reduce(_stacked, taken) if taken else None,
    )


def _stacked(first: pa.Table, second: pa.Table) -> pa.Table:
    """Stack two tables; text is coded anew in order of appearance, so that the codes depend on the rows alone."""
    both = pa.concat_tables([first, second.cast(first.schema)], promote_options="none")
    columns = []
    for field in both.schema:
        column = both[field.name]
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type).combine_chunks().dictionary_encode()
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=both.schema)


def has_decisions(lake: Lake, day: LiveDay) -> bool:
    """Return whether a store has closed decisions of a date, live or simulated."""
    return any(day.store in stores_in(lake, part) for part in lake.partitions_on("interactions", day.business_date))
