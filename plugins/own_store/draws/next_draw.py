"""The night of an outside store: learn from what sold at the prices that were drawn, and draw the next ones.

Of what sold at other prices, only sales at the owner's before the first draw are learned from. A slot that was drawn is
never drawn again, whatever came late: its prices stand on the shelf. The draw itself, its chances and its dice are in
`plugins.own_store.learning`.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.own_store.draws.approved_designs import refuse_unapproved
from plugins.own_store.draws.drawn_prices import BACK, TABLE, PriceDraw, draw_on, newest_draw, own_prices_on, room_of
from plugins.own_store.draws.drawn_sales import DAYS, SAME_PRICE, DrawnSales, drawn_sales
from plugins.own_store.draws.experiments import experiment_on, experiments_in
from plugins.own_store.learning.belief_from_units import UnitsBelief, believed_of_units
from plugins.own_store.learning.belief_priors import ToldPrior
from plugins.own_store.learning.draws_of_prices import DrawnPrices, drawn_prices
from plugins.own_store.learning.fair_coin import FairCoin
from plugins.own_store.learning.price_room import PriceRoom
from plugins.own_store.learning.slope_draws import Objective, SlopeDraws
from plugins.own_store.learning.told_against_own import own_draws
from warehouse.commits.commit import Commit
from warehouse.lake import Lake, Partition

_WORTH_SAYING = 0.05  # share of what a low price sells
_RECENT = 4  # slots whose effects are expected to last


@dataclass(frozen=True)
class NextDraw:
    """A slot's draw: its partition and rows, what it was drawn from, and what is told about it."""

    partition: Partition
    rows: pa.Table
    said: str

    def stage(self, _lake: Lake, commit: Commit) -> None:
        """Publish the draw in a commit."""
        commit.publish(self.partition, self.rows)


@dataclass(frozen=True)
class _Wanted:
    """What a draw has rows for, arrays of shape (n_stores, n_products).

    Attributes
    ----------
    is_drawn, goes_back
        What is drawn, and what goes back to the store's own price, by steps as prices always move.
    own
        The stores' own prices, EUR.
    sides
        The two prices of a coin, EUR; NaN where none is thrown.
    held_share
        Chance that a product was held in a store.
    """

    is_drawn: Flags
    goes_back: Flags
    own: Floats
    sides: tuple[Floats, Floats]
    held_share: float


@dataclass(frozen=True)
class _Expected:
    """What a draw expects: units of a slot at the owner's price, shape (n_stores, n_products), NaN before any sale.

    `responses` and `deviations` are of the change of log units with the log price, shape (n_products,).
    """

    units: Floats
    responses: Floats
    deviations: Floats

    @classmethod
    def of(cls, belief: UnitsBelief, own: Floats, sold: DrawnSales) -> "_Expected":
        """Return what a belief expects at the owner's prices of now, EUR, shape (n_stores, n_products)."""
        if not sold.slots:
            return cls(np.full(own.shape, np.nan), belief.slopes, belief.slopes_deviation)
        since = np.log(own / sold.first_owner)  # levels are those at the owner's price of the first draw
        units = np.exp(belief.levels.T + belief.effects[-_RECENT:].mean() + belief.slopes * since)
        return cls(units, belief.slopes, belief.slopes_deviation)


@dataclass(frozen=True)
class _Planned:
    """A planned experiment for its products, and what is best by belief for the others. See `DrawRule`."""

    coin: FairCoin
    usual: SlopeDraws
    families: Ints | None = None

    @property
    def name(self) -> str:
        """Name of the design of the experiment."""
        return self.coin.name

    def chances(self, room: PriceRoom) -> Floats:
        """See `DrawRule`."""
        return np.where(self.coin.products[:, None, None], self.coin.chances(room), self.usual.chances(room))

    def sides(self, room: PriceRoom) -> tuple[Floats, Floats]:
        """Return the lower and the higher price of the coin, EUR, shape (n_stores, n_products); NaN without one."""
        is_thrown = self.coin.takes_part(room)
        low, high = (
            np.where(is_thrown, np.take_along_axis(room.prices, place[:, :, None], axis=2)[:, :, 0], np.nan).T
            for place in self.coin.sides(room)
        )
        return low, high

    def designs(self) -> list[str]:
        """Return the name of each product's design."""
        return [self.coin.name if planned else self.usual.name for planned in self.coin.products]


def next_draw(
    lake: Lake, catalog: Catalog, date: dt.date, seed: int, told: Callable[[], ToldPrior | None] = lambda: None
) -> NextDraw | None:
    """Draw the prices from a business date on; None while an earlier draw is for that date, or nothing can be drawn.

    Of an earlier draw all prices stand, but for those of an experiment that was withdrawn: they go back. A product of a
    planned experiment is drawn by its coin, the others by what is best under a drawn slope. One that is drawn no more
    goes back to the store's own price. Where that price is outside floor and ceiling, the product is left alone: it
    could not be held.

    Parameters
    ----------
    told
        Returns what the owner's log tells of slopes, in the order of the catalog, None where there is none; asked only
        where a draw is due, for it reads the whole log.

    Raises
    ------
    Declined
        When prices wait for a person, and nobody approved the design of drawn prices.
    """
    rules, standing = catalog.store.drawn_prices, draw_on(lake, catalog, date)
    if standing is not None and standing.through >= date:
        return _without_withdrawn(lake, catalog, date, standing)
    planned = experiment_on(lake, date)
    coin = FairCoin(rules.step, np.zeros(len(catalog.skus), dtype=bool)) if planned is None else planned.coin(catalog)
    own = own_prices_on(lake, catalog, date, standing).prices
    released = np.array([rules.includes(sku) for sku in catalog.skus])
    if catalog.store.approval.is_asked_for:  # an experiment with others was not approved
        coin = replace(coin, products=coin.products & released)
    wanted = np.isfinite(own) & (coin.products | released)
    is_outside = wanted & ((own < _ends(catalog, "floor")) | (own > _ends(catalog, "ceiling")))
    wanted &= ~is_outside
    goes_back = np.zeros_like(wanted) if standing is None else standing.is_elsewhere & ~wanted
    if standing is None and not wanted.any():
        return None
    refuse_unapproved(lake, catalog)
    sold = drawn_sales(lake, catalog, date - dt.timedelta(days=1), np.where(wanted, own, np.nan))
    belief, withdrawn = _believed(sold, told(), catalog)
    families = np.array(rules.numbers_of_families(catalog.skus))
    rule = _Planned(replace(coin, families=families), SlopeDraws.of(belief, _objective(catalog)), families)
    room = room_of(catalog, own, wanted | goes_back, standing)
    first = slot_of(date, rules.changes)
    numbers = np.array([_number_of(store) for store in catalog.store.stores])
    held_share = rules.held_share_after((first - slot_of(min(lake.dates(TABLE), default=first), rules.changes)).days)
    drawn = drawn_prices(room, rule, seed, first.toordinal() // DAYS[rules.changes], numbers, held_share)
    through = first + dt.timedelta(days=DAYS[rules.changes] - 1)
    known = _Expected.of(belief, own, sold)
    asked = _Wanted(wanted, goes_back, own, rule.sides(room), held_share)
    rows = _rows(catalog, (drawn, room, known), rule.designs(), asked, through)
    said = _told(belief, wanted, sold.n_draws, withdrawn) + _left_alone(catalog, is_outside)
    return NextDraw(Partition(TABLE, date, "all"), rows, said)


def _without_withdrawn(lake: Lake, catalog: Catalog, date: dt.date, standing: PriceDraw) -> NextDraw | None:
    """Return what stands with the products of withdrawn experiments on their way back; None without any."""
    ended = [one for one in experiments_in(lake) if one.was_withdrawn_from(standing.first, date)]
    partition, skus = newest_draw(lake, date), {sku for one in ended for sku in one.products}
    if not skus or partition is None:
        return None
    goes_back = np.isfinite(standing.prices) & np.array([sku in skus for sku in catalog.skus])
    own = own_prices_on(lake, catalog, date, standing).prices
    room = room_of(catalog, own, goes_back, standing)
    home = np.round(room.homeward.T, catalog.store.money.digits)
    column_of = catalog.positions
    row_of = {store: place for place, store in enumerate(catalog.store.stores)}
    rows = lake.read(partition).to_pylist()
    for row in rows:
        if row["sku"] in skus and row["sku"] in column_of and row["store_id"] in row_of:
            place = row_of[row["store_id"]], column_of[row["sku"]]
            is_home = bool(standing.is_held[place] or abs(home[place] - own[place]) < SAME_PRICE)
            price = float(own[place] if is_home else home[place])
            row.update(
                shelf_price=float(own[place]),
                price=price,
                step_from=price,
                design=BACK,
                propensity=1.0,
                low_price=None,
                high_price=None,
            )
            row.update(is_on_the_way=not is_home, is_held=False, held_share=0.0)
    numbers = ", ".join(str(one.number) for one in ended)
    said = f"experiment {numbers} was withdrawn, and its products go back to their own prices"
    return NextDraw(Partition(TABLE, date, "all"), pa.Table.from_pylist(rows, schema=TABLES[TABLE].schema), said)


def _objective(catalog: Catalog) -> Objective:
    return "revenue" if catalog.store.policies.objective == "revenue" else "profit"


def _believed(sold: DrawnSales, told: ToldPrior | None, catalog: Catalog) -> tuple[UnitsBelief, tuple[str, ...]]:
    """Return what is believed, and the products whose told response the own draws contradict: those are withdrawn."""
    if told is None or not sold.n_draws:
        return believed_of_units(sold.rows, told), ()
    contradicted = own_draws(sold.rows, told).contradict
    names = tuple(sku for sku, is_wrong in zip(catalog.skus, contradicted, strict=True) if is_wrong)
    return believed_of_units(sold.rows, told.without(contradicted)), names


def _told(belief: UnitsBelief, wanted: Flags, n_draws: int, withdrawn: tuple[str, ...]) -> str:
    """Say in a sentence or two what the draw rests on."""
    drawn = wanted.any(axis=0)
    if not drawn.any():
        return "no product is drawn any more: all go back to the stores' own prices"
    slopes, widths = belief.slopes[drawn], belief.slopes_deviation[drawn]
    said = (
        f"prices of {drawn.sum()} products were drawn from {n_draws} earlier draws: sales answer to the price by "
        f"{slopes.mean():.1f} on average, known to +-{1.96 * widths.mean():.1f} for a product"
    )
    missing = 1 - belief.stocking_up.lasting
    if missing >= _WORTH_SAYING:
        said += f"; people stock up, so {missing:.0%} of what a low price sells is missing in the weeks after it"
    if not withdrawn:
        return said
    return f"{said}; what the log told of {', '.join(withdrawn)} is withdrawn, for their own draws contradict it"


def _ends(catalog: Catalog, name: Literal["floor", "ceiling"]) -> Floats:
    return np.array([getattr(product, name) for product in catalog.products])


def _left_alone(catalog: Catalog, is_outside: Flags) -> str:
    """Say which products keep their own price because it is outside floor and ceiling; nothing where none is."""
    if not is_outside.any():
        return ""
    stores = ", ".join(catalog.store.stores[place] for place in np.unique(np.nonzero(is_outside)[0]))
    skus = ", ".join(catalog.skus[place] for place in np.unique(np.nonzero(is_outside)[1]))
    return f"; left alone, for their own prices lie outside floor and ceiling: {skus} in {stores}"


def _rows(
    catalog: Catalog,
    made: tuple[DrawnPrices, PriceRoom, _Expected],
    designs: list[str],
    wanted: _Wanted,
    through: dt.date,
) -> pa.Table:
    """Return the rows of `price_draws`."""
    drawn, room, known = made
    store, sku = np.nonzero(wanted.is_drawn | wanted.goes_back)
    back, own = wanted.goes_back[store, sku], wanted.own[store, sku]
    stores = [catalog.store.stores[place] for place in store]
    digits, families = catalog.store.money.digits, catalog.store.drawn_prices.numbers_of_families(catalog.skus)
    prices = np.round(np.where(back, room.homeward[sku, store], drawn.prices[sku, store]), digits)
    is_home = np.abs(prices - own) < SAME_PRICE
    prices = np.where(is_home, own, prices)
    is_held = drawn.is_held[sku, store] & ~back
    left_at = np.where(is_held, np.round(drawn.asked[sku, store], digits), prices)
    is_thrown = np.isfinite(wanted.sides[0][store, sku]) & ~back  # the next throw is around the same price
    columns = {
        "store_id": stores,
        "sku": [catalog.skus[place] for place in sku],
        "through": [through] * len(sku),
        "price": prices,
        "shelf_price": own,
        "step_from": np.where(is_thrown, room.around[sku, store], left_at),
        "propensity": np.where(back, 1.0, drawn.propensity[sku, store]),
        **{
            name: np.where(back, np.nan, side[store, sku])
            for name, side in zip(("low_price", "high_price"), wanted.sides, strict=True)
        },
        "is_held": is_held,
        "is_on_the_way": back & ~is_home,
        "held_share": np.where(back, 0.0, wanted.held_share),
        "expected_units": known.units[store, sku],
        "response": known.responses[sku],
        "response_deviation": known.deviations[sku],
        "design": [BACK if goes else designs[place] for goes, place in zip(back, sku, strict=True)],
        "block": [f"{name}/{catalog.skus[families[place]]}" for name, place in zip(stores, sku, strict=True)],
        "seed": [drawn.seed] * len(sku),
    }
    schema = TABLES[TABLE].schema
    arrays = [pa.array(columns[own.name], own.type, from_pandas=True) for own in schema]
    return pa.table(arrays, schema=schema)


def slot_of(date: dt.date, changes: str) -> dt.date:
    """Return the first date of the slot that a date is in: its Monday, or itself."""
    return date - dt.timedelta(days=date.weekday()) if changes == "weekly" else date


def _number_of(store: str) -> int:
    """Return the number of a store in the dice: the same for the same name, whatever other stores there are."""
    return int.from_bytes(hashlib.sha256(store.encode()).digest()[:4], "big")
