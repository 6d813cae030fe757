"""Pricing policies: a policy says which prices it wants, as a pure function of the shelf, and nothing else.

`static` wants base prices, `rule` raises base prices when stock runs
low, `greedy` takes what earns most per visit, `stock_aware` weighs that against what a unit kept is worth.
`serving.store.storefront` makes prices of what they want: exploration and guardrails are steps there. A price
book tabulates a policy.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from serving.optimise.curves import DemandCurves
from serving.optimise.days_ahead import Evenings, Keeps, SolvedOverDays, evenings_of
from serving.optimise.recursion import days_of, solve
from serving.optimise.substitution import sales_with_substitutes

_NOBODY = 1e-12  # visits


@dataclass(frozen=True)
class Asked:
    """What a policy wants. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    prices
        Prices asked for, EUR.
    rule
        Index into the policy's `rules`: which of them decided the price.
    p_sale
        Chance of sale at these prices; NaN where the policy does not know it.
    unit_value
        Value of one unit kept, EUR; NaN where the policy does not value stock.
    sticker
        Prices for the stickers of last-day units, EUR, NaN for none; None where the policy sticks none.
    saving
        What each sticker that is asked for now is expected to bring more than none, EUR; None where none is.
    """

    prices: Floats
    rule: Ints
    p_sale: Floats
    unit_value: Floats
    sticker: Floats | None = None
    saving: Floats | None = None


class PricingPolicy(Protocol):
    """Anything that can say which prices it wants.

    Attributes
    ----------
    name
        The policy's name in the tables.
    model_version
        Registered model version behind the prices, or None.
    rules
        Names, all in `catalog.decisions.rules.RULES`, of what can decide a price; `Asked.rule` points into it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def model_version(self) -> str | None: ...  # noqa: D102

    @property
    def rules(self) -> tuple[str, ...]: ...  # noqa: D102

    def ask(self, shelf: Shelf) -> Asked:
        """Say which price every product of every store should have for one tick."""
        ...


def asked_without_model(prices: Floats, rule: Ints) -> Asked:
    """Return prices that come without a chance of sale and without a value of stock."""
    unknown = np.full(prices.shape, np.nan)
    return Asked(prices, rule, unknown, unknown)


@dataclass(frozen=True)
class ShelfPrices:
    """The last regular prices of a retailer's stores, as the log before a date shows them.

    Attributes
    ----------
    stores
        The stores of the catalog.
    prices
        EUR, shape (n_stores, n_products); NaN where the log of half a year does not show one.
    """

    stores: tuple[str, ...]
    prices: Floats

    def of(self, stores: Sequence[str] | None, n_stores: int) -> Floats:
        """Return the prices of some shelves, EUR, shape (n_stores, n_products); NaN for nobody's shelf in particular.

        Parameters
        ----------
        n_stores
            How many shelves are asked about.
        """
        with_unknown = np.vstack([self.prices, np.full(self.prices.shape[1], np.nan)])
        rows = {store: row for row, store in enumerate(self.stores)}
        return with_unknown[[rows.get(store, -1) for store in stores or ("",) * n_stores]]

    def only(self, position: int) -> "ShelfPrices":
        """Return those of one product, for a shelf that holds it alone."""
        return replace(self, prices=self.prices[:, position : position + 1])


@dataclass(frozen=True)
class StaticPolicy:
    """Base prices, always."""

    base_prices: Floats
    name: str = "static"
    model_version: str | None = None
    rules: tuple[str, ...] = ("base_price",)

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for the base price of every product."""
        prices = np.broadcast_to(self.base_prices, shelf.stock.shape).copy()
        return asked_without_model(prices, np.zeros(prices.shape, dtype=np.int64))


@dataclass(frozen=True)
class RulePolicy:
    """Base prices, raised by a fixed share when fewer than `low_stock` units are left."""

    base_prices: Floats
    ceilings: Floats
    low_stock: int
    raise_by: float
    name: str = "rule"
    model_version: str | None = None
    rules: tuple[str, ...] = ("base_price", "low_stock")
    digits: int = 2

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for the base price, or the raised one where stock is low, never above the ceiling."""
        low = shelf.stock < self.low_stock
        raised = np.minimum(np.round(self.base_prices * (1 + self.raise_by), self.digits), self.ceilings)
        return asked_without_model(np.where(low, raised, self.base_prices), low.astype(np.int64))


class GreedyPolicy:
    """The candidate with the highest gain x chance of sale, whatever stock is left.

    Right while stock is plentiful; where it is scarce, it gives away units that would have sold for more later.
    """

    name = "greedy"
    rules = ("greedy",)

    def __init__(self, curves: DemandCurves, unit_costs: Floats | float = 0.0) -> None:
        """Choose once, by product and tick; `unit_costs` (EUR, shape (n_products,)) make the margin the objective."""
        self.model_version: str | None = curves.model_version
        chances = curves.p_sale[None] if curves.by_tick is None else curves.by_tick
        worth = _gains(curves, unit_costs) * chances
        best = np.where(curves.choosable, worth, -np.inf).argmax(axis=2)
        products = np.arange(best.shape[1])
        self._prices = curves.prices[products, best]
        self._p_sale = np.take_along_axis(chances, best[:, :, None], axis=2)[:, :, 0]

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for each product's best candidate."""
        shape, tick = shelf.stock.shape, -shelf.ticks_left if len(self._prices) > 1 else 0
        prices, p_sale = (np.tile(of_ticks[tick], (shape[0], 1)) for of_ticks in (self._prices, self._p_sale))
        return Asked(prices, np.zeros(shape, dtype=np.int64), p_sale, np.full(shape, np.nan))


class StockAwarePolicy:
    """The candidate that earns most until closing, given what is left to sell and who is still to come."""

    rules = ("stock_value",)

    def __init__(
        self,
        curves: DemandCurves,
        visits: Floats,
        n_levels: int,
        unit_costs: Floats | float = 0.0,
        name: str = "stock_aware",
        ahead: Sequence[Evenings] | None = None,
        sales: tuple[Floats, Floats] | None = None,
    ) -> None:
        """Solve the recursion once for every product; with `ahead`, when it is asked for the first time.

        Parameters
        ----------
        visits
            Expected visits, shape (n_products, n_ticks).
        n_levels
            Stock levels, 0 included.
        unit_costs
            Cost of a unit, EUR, shape (n_products,): with it margin is the objective, and units are valued in margin.
        name
            Name in the tables; on true demand, the same policy is the clairvoyant.
        ahead
            Values what is left at closing; None where that does not count.
        sales
            Gains and chances that know of substitutes; None is those of the curves.
        """
        self.name = name
        self.model_version: str | None = curves.model_version
        gains, chances = sales or (_gains(curves, unit_costs), curves.at_ticks)
        self._curves, self._visits = curves, visits
        self._days = list(days_of(gains, chances, curves.choosable, visits))
        self._over_days = None if ahead is None else SolvedOverDays(self._days, ahead)
        if ahead is None:
            self._solved = solve(self._days, n_levels)

    def ask(self, shelf: Shelf) -> Asked:
        """Look the best candidate up; `unit_value` is what one unit more would be worth in the ticks after this one."""
        product, sticker, saving = np.broadcast_to(np.arange(len(self._curves.prices)), shelf.stock.shape), None, None
        if self._over_days is not None:
            candidate, unit_value, sticker, saving = self._over_days.on(shelf)
        else:
            best, values = (solved[shelf.ticks_left - 1] for solved in self._solved)
            state = product, np.clip(shelf.stock, 1, best.shape[1] - 1)
            candidate, unit_value = best[state], values[state].astype(float)
        prices, p_sale = self._curves.prices, self._curves.at(shelf.ticks_left).p_sale
        rule = np.zeros(shelf.stock.shape, dtype=np.int64)
        return Asked(prices[product, candidate], rule, p_sale[product, candidate], unit_value, sticker, saving)

    def worths(self, shelf: Shelf, product: int) -> Floats:
        """Return what it maximises: what a visit brings at each candidate, now and by what is left after it.

        EUR more than all units kept, shape (n_prices,), NaN for a candidate that may not be chosen. `shelf` is one
        store's.
        """
        day, left, worths = self._days[product], shelf.ticks_left, np.full(self._curves.prices.shape[1], np.nan)
        if self._over_days is None:
            later = np.cumsum(self._solved[1][left - 1, product])[None]
            stock = min(max(int(shelf.stock[0, product]), 1), later.shape[1] - 1)
            brings = day.worth_of_each(later, left, (0, stock)) - later[0, stock]
        else:
            brings = self._over_days.worths(shelf, product)
        worths[day.among] = brings
        return worths / max(float(self._visits[product, -left]), _NOBODY)

    def day_over(self, product: int, date: dt.date, keeps: Keeps) -> Ints | None:
        """Return a product's best candidates by stock and ticks left, shape (n_levels, n_ticks), by what keeps of it.

        None where what is left at closing does not count: the answer is then the same for all shelves.
        """
        return None if self._over_days is None else self._over_days.solution(product, date, keeps)[0].T


def policy_without_model(catalog: Catalog, name: str | None = None) -> StaticPolicy | RulePolicy:
    """Return `static` or `rule`; by default the catalog's policy without a price book, and `static` for a belief."""
    if (name or catalog.store.policies.before_champion) != "rule":
        return StaticPolicy(catalog.base_prices)
    rule = catalog.store.policies.rule
    ceilings = np.array([product.ceiling for product in catalog.products])
    return RulePolicy(catalog.base_prices, ceilings, rule.low_stock, rule.raise_by, digits=catalog.store.money.digits)


def policy_with_model(
    catalog: Catalog,
    curves: DemandCurves,
    visits: Floats,
    ahead: Sequence[Evenings] | None = None,
    sales: tuple[Floats, Floats] | None = None,
) -> PricingPolicy:
    """Return the policy a price book is made from, as the catalog's `policies.with_champion` says.

    Parameters
    ----------
    visits
        Visits expected per store day, or in the ticks that are left of one, shape (n_products, n_ticks).
    ahead
        Values what is left at closing; by default made from the same curves and visits, which are then of a whole day.
    sales
        As from `sales_of`; None is worked out.
    """
    if catalog.store.policies.with_champion == "greedy":
        return GreedyPolicy(curves, costs_that_count(catalog))
    return stock_aware(catalog, curves, visits, ahead=ahead, sales=sales)


def stock_aware(
    catalog: Catalog,
    curves: DemandCurves,
    visits: Floats,
    name: str = "stock_aware",
    ahead: Sequence[Evenings] | None = None,
    sales: tuple[Floats, Floats] | None = None,
) -> StockAwarePolicy:
    """Return the recursion's policy for what the catalog's prices are to earn; arguments as in `policy_with_model`."""
    unit_costs, levels = costs_that_count(catalog), int(catalog.most_stock.max()) + 1
    sales = sales or sales_of(catalog, curves, visits)
    ahead = ahead or evenings_of(catalog, curves, visits, sales)
    return StockAwarePolicy(curves, visits, levels, unit_costs, name, ahead, sales)


def ahead_of(catalog: Catalog, curves: DemandCurves, visits: Floats) -> tuple[Evenings, ...] | None:
    """Return what values the stock left at closing, as in `evenings_of`; it knows of substitutes."""
    return evenings_of(catalog, curves, visits, sales_of(catalog, curves, visits))


def sales_of(catalog: Catalog, curves: DemandCurves, visits: Floats) -> tuple[Floats, Floats]:
    """Return what one sale brings at each candidate, EUR, and its chance; both know of substitutes where any are taken.

    Shapes are those of `serving.optimise.recursion.days_of`.
    """
    gains = _gains(curves, costs_that_count(catalog))
    joint = sales_with_substitutes(catalog, curves, visits, gains)
    return (gains, curves.at_ticks) if joint is None else (joint.gains, joint.chances)


def costs_that_count(catalog: Catalog) -> Floats:
    """Return unit costs, or zeros where revenue is the objective, EUR, shape (n_products,)."""
    return catalog.unit_costs * (catalog.store.policies.objective != "revenue")


def _gains(curves: DemandCurves, unit_costs: Floats | float) -> Floats:
    """Return what one sale brings at each candidate, EUR, shape (n_products, n_prices)."""
    return curves.prices - np.atleast_1d(unit_costs)[:, None]
