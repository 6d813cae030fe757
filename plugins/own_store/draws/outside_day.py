"""The day of an outside store that changes hourly: prices are remade from what was taken in of it so far.

It is a live day like any other, whose rows come from the store instead of the twin: so whoever asks what a store shows
finds it where it finds the twin's. What was decided for a tick is on record and stands, whatever comes late: late sales
change what is believed, and so the ticks that follow. Nothing else is remembered, so a kill costs one hour at most.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Policy, Shelf, Sold
from catalog.decisions.store_day import Repriced
from catalog.errors import Declined
from catalog.hooks import Hook
from catalog.load import Catalog
from catalog.names import OWNER
from catalog.tables.contracts import TABLES
from etl.load import DayRows, conform
from etl.open_days import LiveDay, Mark, newest_prices, prices_lately, sold_in
from etl.stock import opens_with
from etl.twin.draws import stream_of
from plugins.desk.live_shelf import changes_in
from plugins.own_store.draws.hourly_prices import decided_so_far, released_in, with_decision
from serving.limits.orders import at_once_now
from serving.store.in_force import pricing_on
from serving.store.storefront import LearningStorefront, Storefront
from warehouse.workspace import Workspace

SEED = 7
"""Of the dice by which prices are tried."""


@dataclass(frozen=True)
class SoFar:
    """What was taken in of an outside store's day. Arrays have shape (n_products,).

    Attributes
    ----------
    decisions
        Rows of `interactions`, up to the moment through which visits are said.
    ticks
        Whole ticks through which they are said for every product that is priced.
    unsaid
        Products that are priced and of which nobody has said any visits lately.
    opening_stock, stock
        Units at opening and now; NaN where nobody counted, or told of stock that lives over days.
    units
        Units sold so far.
    opened_with
        Units that there were to sell, at opening or since, by the days on which they may be sold, shape (n_products,
        n_lives); None where the whole shelf is simply full at each opening.
    """

    decisions: pa.Table
    ticks: int
    unsaid: tuple[str, ...]
    opening_stock: Floats
    stock: Floats
    units: Floats
    opened_with: Ints | None = None


class OutsideSales(Protocol):
    """What was taken in of stores' own sales; registered for `shelfprice.outside_sales`."""

    @staticmethod
    def close_days(workspace: Workspace, now: dt.datetime) -> None:
        """Make the tables of the dates that are over at a moment, UTC, and not current."""
        ...

    def so_far(self, workspace: Workspace, store: str, date: dt.date, now: dt.datetime) -> SoFar:
        """Return what is known of a store's date at a moment, UTC."""
        ...


OUTSIDE_SALES: Hook[type[OutsideSales]] = Hook("outside_sales")
"""The sales of stores that sell by themselves, as far as they have been received."""


def close_days(workspace: Workspace, now: dt.datetime) -> None:
    """Make what stores sold by themselves on the dates that are over at a moment, UTC."""
    if workspace.catalog.store.sales == "outside":
        for sales in OUTSIDE_SALES.all():
            sales.close_days(workspace, now)


def reprice(workspace: Workspace, store: str | None, now: dt.datetime) -> list[Repriced]:
    """Remake the prices of every outside store that is being sold right now, or of one.

    Parameters
    ----------
    now
        The time, UTC, by which the stores are open.

    Raises
    ------
    Declined
        When no such store is being sold, or prices are not ours to remake.
    """
    if workspace.catalog.store.sales != "outside":
        raise Declined("the twin's stores change their prices by themselves while they sell; nothing was remade")
    return reprice_outside(workspace, now, store)


def reprice_outside(
    workspace: Workspace,
    now: dt.datetime,
    store: str | None = None,
    sales: OutsideSales | None = None,
    seed: int = SEED,
) -> list[Repriced]:
    """Remake the prices of every outside store that is open at a moment, or of one.

    Parameters
    ----------
    sales
        Tells what was sold; by default the wing that takes sales in.
    seed
        Of the dice by which prices are tried.

    Raises
    ------
    Declined
        When no such store is open, nothing is released yet, or visits are not said.
    """
    catalog, lake = workspace.catalog, workspace.lake
    if catalog.store.guardrails.kill_switch:
        raise Declined(
            "guardrails.kill_switch is on: the owner's prices stand and no prices are remade; turn it off first"
        )
    if not catalog.store.is_priced_hourly:
        raise Declined(
            "expected `changes: hourly` with some products in drawn_prices of store.yaml, found other prices; nothing "
            "was remade: those stand until the night makes the next ones"
        )
    sales = sales or OUTSIDE_SALES.needed("drawn_prices.changes: hourly")()
    stores = catalog.store.stores if store is None else (store,)
    places = {name: catalog.store.clock_of(name).tick_of(now) for name in stores}
    is_open = {name: date for name, (date, tick) in places.items() if 0 <= tick < catalog.store.opening.ticks}
    if not is_open:
        raise Declined(
            f"expected a store that is open at {now:%Y-%m-%d %H:%M} UTC, found none; nothing was remade: the prices of "
            "the next opening are sent by `shelfprice export`"
        )
    lake.finish_interrupted()
    dice = {name: dice_of(catalog, name, date, seed) for name, date in is_open.items()}
    return [_remade(workspace, name, places[name], (now, sales), dice[name]) for name in is_open]


def _remade(
    workspace: Workspace, store: str, place: tuple[dt.date, int], told: tuple[dt.datetime, OutsideSales], dice: Floats
) -> Repriced:
    lake, catalog, (date, tick) = workspace.lake, workspace.catalog, place
    day = LiveDay(store, date)
    if not released_in(lake, catalog, store, date).any():
        raise Declined(
            f"drawn_prices.changes: hourly: expected products of {store} whose visits are known by {date}, found none; "
            "nothing was remade, and the owner's prices stand: send visits to /v1/traffic, and the next `shelfprice "
            "nightly` begins with them, or choose weekly"
        )
    now, sales = told
    so_far = sales.so_far(workspace, store, date, now)
    if so_far.unsaid:
        raise Declined(
            f"drawn_prices.changes: hourly: expected visits of {', '.join(so_far.unsaid[:5])} in {store} by {date}, "
            "found none lately; nothing was remade, and the prices that stand go on: send them to /v1/traffic, take "
            "these products out of drawn_prices.products, or choose weekly"
        )
    at_once = at_once_now(lake, {store: catalog.store.clock_of(store).moment_of(date, tick)})
    priced = pricing_on(lake, catalog, date, stores=(store,), at_once=at_once)
    before = decided_so_far(lake, day)
    rows, drawn = before
    known = tick if so_far.ticks > tick else so_far.ticks
    if not rows.num_rows and tick:  # nobody asked at opening: what stood was sent without exploration
        sent = priced.policy
        assert isinstance(sent, Storefront)  # noqa: S101 - every policy in force is one
        plain = replace(sent, exploration=None)
        rows, drawn = with_decision(workspace, day, 0, plain, _opening_shelf(workspace, store, date), before)
    if not rows.num_rows or pc.max(drawn["tick"]).as_py() < tick:
        policy = taught_by(priced.policy, so_far, catalog, known)
        shelf = _shelf(catalog, day, tick, so_far, (rows, dice))
        rows, drawn = with_decision(workspace, day, tick, policy, shelf, (rows, drawn))
    decisions = so_far.decisions.filter(pc.less(so_far.decisions["tick"], tick))
    mark = Mark(priced.fingerprint, 0, tick, 0)
    with lake.commit(day.commit, inputs=str(mark), amends=True) as commit:
        commit.publish(day.part("hourly_draws"), drawn)
        commit.publish(day.part("live_repricings"), rows)
        commit.publish(day.part("live_interactions"), conform(decisions))
    return Repriced(store, date, tick, decisions.num_rows)


def taught_by(policy: Policy, so_far: SoFar, catalog: Catalog, ticks: int) -> Policy:
    """Return a policy after the ticks through which visits are said; only prices of ours teach it about demand."""
    if not isinstance(policy, LearningStorefront):
        return policy
    return policy.learned_all(_ticks_of(so_far.decisions, catalog, ticks))


def _ticks_of(decisions: pa.Table, catalog: Catalog, ticks: int) -> Iterator[Sold]:
    """Yield each tick: all visits, and of those at a price of ours, the most frequent one where two stood."""
    names = ["tick", "sku", "price_offered", "policy"]
    frame = decisions.select(names).to_pandas().astype({"sku": str, "policy": str}).reset_index(drop=True)
    ours = frame[frame["policy"] != OWNER]
    counts = ours.groupby(["tick", "sku", "price_offered"]).size().reset_index(name="n")
    usual = counts.sort_values("n").drop_duplicates(["tick", "sku"], keep="last").drop(columns="n")
    chosen = ours.reset_index().merge(usual, on=["tick", "sku", "price_offered"])["index"].to_numpy()
    teaches = decisions.take(pa.array(np.sort(chosen), pa.int64()))
    nothing = TABLES["repricings"].schema.empty_table()
    both = (DayRows(_within(rows, ticks), nothing) for rows in (decisions, teaches))
    for of_all, own in zip(*(sold_in(rows, catalog, ticks) for rows in both), strict=True):
        yield replace(own, visits=of_all.visits)


def _within(decisions: pa.Table, ticks: int) -> pa.Table:
    return decisions.filter(pc.less(decisions["tick"], ticks))


def _opening_shelf(workspace: Workspace, store: str, date: dt.date) -> Shelf:
    catalog = workspace.catalog
    opened = opens_with(workspace.lake, catalog, (store,), date)
    nothing = np.full(opened.stock.shape, np.nan)
    at = (opened.stock, nothing, catalog.store.opening.ticks, np.zeros(opened.stock.shape))
    return Shelf(*at, stores=(store,), opened_with=opened.opened_with, business_date=date)


def _shelf(catalog: Catalog, day: LiveDay, tick: int, so_far: SoFar, decided: tuple[pa.Table, Floats]) -> Shelf:
    """Return the shelf of a store at the start of a tick; what nobody counted was full when the store opened."""
    rows, dice = decided
    opening = np.where(np.isnan(so_far.opening_stock), catalog.par_stock, so_far.opening_stock)
    stock = np.where(np.isnan(so_far.stock), opening - so_far.units, so_far.stock)
    return Shelf(
        np.maximum(np.floor(stock), 0).astype(np.int64)[None],
        newest_prices(rows, catalog, tick)[None],
        catalog.store.opening.ticks - tick,
        dice[tick - tick % catalog.store.trial_ticks][None],
        newest_prices(rows, catalog, 0)[None],
        (day.store,),
        changes_in(rows, catalog)[None],
        None if so_far.opened_with is None else so_far.opened_with[None],
        day.business_date,
        lately=prices_lately(rows, catalog, tick),
    )


def dice_of(catalog: Catalog, store: str, date: dt.date, seed: int) -> Floats:
    """Return the dice by which prices are tried, as the twin throws them, shape (n_ticks, n_products)."""
    hold, ticks = catalog.store.exploration.hold_ticks, np.arange(catalog.store.opening.ticks)
    dice = stream_of(seed, store, date).random((-(-len(ticks) // hold), len(catalog.skus)))
    return np.asarray(dice[ticks // hold])
