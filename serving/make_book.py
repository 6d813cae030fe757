"""Make a price book: of a business date, or in the middle of a store's day from what it has sold so far.

The twin and a live store do the latter between ticks by themselves. Here it is done from the lake, for whoever asks for
quotes: the belief behind the book in force takes in the store's decisions of the day, and a book for the ticks that are
left is published. From the same book and the same decisions come the same bytes.

The book of a date is made from a model, or again from the demand curves that it was made from.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, replace

import pyarrow as pa

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.names import BOOK_TABLES
from catalog.pricing import Sold
from catalog.spread import HERE, Spread
from etl.live.day import LiveDay, days_with_live_parts, sold_in, sold_so_far
from features.cells import feature_workbench
from features.footfall import expected_visits
from serving.belief.policy import Outlook, morning_of
from serving.belief.table import belief_from_table
from serving.book_store import (
    GROUP,
    BookInForce,
    NewBook,
    StoredBook,
    book_in_force,
    in_force_for,
    new_book,
    publish_book,
)
from serving.book_table import book_from_table, book_to_table
from serving.curves import DemandCurves, curves_from_table, curves_to_table
from serving.day_curves import DatedModel, dates_known_from, known_before, read_for
from serving.kinds_of_stores import morning_in
from serving.price_book import PriceBook
from serving.tabulate import tabulate
from warehouse.books import book_on
from warehouse.lake import Lake, Partition
from warehouse.proof import prove
from warehouse.workspace import Workspace


def make_book(workspace: Workspace, model: DatedModel | None, date: dt.date, spread: Spread = HERE) -> NewBook:
    """Form the belief from a champion, if there is one, and the log, and work the policy out; nothing is published."""
    known = known_before(workspace.lake, model, workspace.catalog, date)
    return new_book(workspace.catalog, known.curves, known.visits, date, known.belief, spread)


def has_curves(lake: Lake, date: dt.date) -> bool:
    """Tell whether the demand curves are there that a date's book was made from."""
    return lake.receipt(Partition("demand_curves", date, GROUP)) is not None


def make_book_again(workspace: Workspace, date: dt.date, spread: Spread = HERE) -> PriceBook:
    """Work a date's book out anew from the demand curves that it was made from, whoever is champion by now."""
    stored = in_force_for(date)
    belief, curves = _belief_beside(workspace.lake, stored), curves_from_table(workspace.lake.read(stored.curves))
    if belief is not None:
        outlook = morning_of(workspace.catalog, *belief_from_table(belief, workspace.catalog)).outlook()
        known, visits = outlook.curves, outlook.morning.footfall.by_tick
        curves = replace(curves, by_tick=known.by_tick, switching=known.switching)
        return publish_book(workspace.lake, workspace.catalog, curves, visits, date, belief, spread)
    prove(workspace.lake, read_for(workspace.lake, None, date))
    through = date - dt.timedelta(days=1)
    with feature_workbench(workspace.settings, within=dates_known_from(workspace.lake, (), through)) as connection:
        visits = expected_visits(connection, workspace.catalog, through)
    return publish_book(workspace.lake, workspace.catalog, curves, visits, date, spread=spread)


def _belief_beside(lake: Lake, stored: StoredBook) -> pa.Table | None:
    """Return the belief that was published with the demand curves of a book, which may itself be lost."""
    own, curves = lake.receipt(stored.belief), lake.receipt(stored.curves)
    is_theirs = own is not None and curves is not None and own.inputs == curves.inputs
    return lake.read(stored.belief) if is_theirs and lake.is_proven(stored.belief) else None


def is_priced(lake: Lake, date: dt.date) -> bool:
    """Tell whether a price book was made for exactly this date."""
    return (book := book_on(lake, date)) is not None and lake.receipt(book) is not None


@dataclass(frozen=True)
class Repriced:
    """A store whose prices were remade: after how many ticks and from how many visits of its day."""

    store: str
    business_date: dt.date
    ticks: int
    visits: int


@dataclass(frozen=True)
class RemadeBook:
    """A book that a store's own sales led to, the curves it stands on, and the SHA-256 of its bytes."""

    book: PriceBook
    curves: DemandCurves
    sha256: str


def reprice(workspace: Workspace, store: str | None = None) -> list[Repriced]:
    """Remake the prices of every store that is being sold live right now, or of one.

    Raises
    ------
    Declined
        When no such store is being sold, or prices are not ours to remake: without a book, or under the kill switch.
    """
    lake = workspace.lake
    if workspace.catalog.store.guardrails.kill_switch:
        raise Declined("guardrails.kill_switch is on: base prices stand and no prices are remade; turn it off first")
    days = open_days(lake, store)
    if not days:
        of_store = f" of {store}" if store else ""
        raise Declined(
            f"expected a day{of_store} that is being sold, found none: nothing was remade; start one with "
            f"`shelfprice live --store {store or 'S01'}`"
        )
    return [_reprice(workspace, day) for day in days]


def open_days(lake: Lake, store: str | None = None) -> list[LiveDay]:
    """Return the days that are being sold live, of one store or of all, in order of date and store."""
    return [day for day in days_with_live_parts(lake) if not day.is_closed(lake) and store in (None, day.store)]


def _reprice(workspace: Workspace, day: LiveDay) -> Repriced:
    lake, catalog = workspace.lake, workspace.catalog
    found, sold = book_in_force(lake, day.business_date), sold_so_far(lake, day)
    if found is None or found.belief is None or sold is None:
        raise Declined(
            f"expected a price book with a belief for {day.store} on {day.business_date}, found none: nothing was "
            "remade; run `shelfprice price`, or let the live store learn by itself"
        )
    ticks = list(sold_in(sold.rows, catalog, sold.mark.tick))
    outlook = outlook_after(catalog, found, tuple(ticks), day.store)
    if outlook.today.ticks < catalog.store.opening.ticks:
        _publish(lake, catalog, day, outlook, f"{found.sha256}:{_seal(tuple(ticks))}")
    return Repriced(day.store, day.business_date, outlook.today.ticks, sum(int(tick.visits.sum()) for tick in ticks))


def outlook_after(catalog: Catalog, found: BookInForce, ticks: tuple[Sold, ...], store: str | None = None) -> Outlook:
    """Return what is believed in a store after some ticks of a day that began with a book."""
    assert found.belief is not None  # noqa: S101 - the caller asked
    morning = morning_in(catalog, *belief_from_table(found.belief, catalog), store).outlook()
    return morning.after(ticks) if ticks else morning


def remade_for(lake: Lake, store: str, date: dt.date) -> Partition | None:
    """Return where the newest book is that a store's own sales of a date led to; None without one."""
    tables = (f"hourly_{table}" for table in BOOK_TABLES)
    own = sorted(
        (part for table in tables for part in lake.partitions_on(table, date) if _store_of(part) == store),
        key=lambda part: part.group,
    )
    for part in reversed(own):
        book, curves = lake.receipt(part), lake.receipt(_curves_beside(part))
        if book is not None and curves is not None and book.inputs == curves.inputs:
            return part
    return None


def remade_book(lake: Lake, place: Partition) -> RemadeBook:
    """Read a remade book with its curves."""
    book, curves = lake.read(place), lake.read(_curves_beside(place))
    return RemadeBook(book_from_table(book), curves_from_table(curves), lake.sha256(place))


def repriced(lake: Lake, store: str, date: dt.date) -> tuple[PriceBook, DemandCurves] | None:
    """Return the newest book that a store's own sales of a date led to, with its curves; None without one."""
    place = remade_for(lake, store, date)
    if place is None:
        return None
    remade = remade_book(lake, place)
    return remade.book, remade.curves


def _publish(lake: Lake, catalog: Catalog, day: LiveDay, outlook: Outlook, inputs: str) -> None:
    made_for = dt.datetime.combine(day.business_date, dt.time(), dt.UTC)
    left = catalog.store.opening.ticks - outlook.today.ticks
    book = tabulate(outlook.policy, catalog, made_for, outlook.curves, n_ticks=left)
    group = f"{day.store}.t{outlook.today.ticks:04d}"
    curves = Partition("hourly_demand_curves", day.business_date, group)
    with lake.commit(f"reprice-{day.business_date}-{group}", inputs=inputs) as commit:
        commit.publish(curves, curves_to_table(outlook.curves))
        commit.publish(Partition("hourly_price_steps", day.business_date, group), book_to_table(book, inputs))


def _curves_beside(book: Partition) -> Partition:
    return Partition("hourly_demand_curves", book.business_date, book.group)


def _store_of(part: Partition) -> str:
    return part.group.rpartition(".")[0]


def _seal(ticks: tuple[Sold, ...]) -> str:
    digest = hashlib.sha256()
    for tick in ticks:
        for values in (tick.prices, tick.visits, tick.met, tick.bought):
            digest.update(values.tobytes())
    return digest.hexdigest()
