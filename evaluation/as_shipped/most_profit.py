"""The most profit that anybody could earn on average where stock lives over days: a bound that no seller passes.

It is the value of the fluid problem, as in Gallego and van Ryzin, "Optimal dynamic pricing of inventories with
stochastic demand over finite horizons" (Management Science 40(8), 1994): as many come and buy as is expected, prices
may be mixed, and a buyer takes the unit that the seller would rather sell. Where stickers are used, any may stand
beside any label, in the middle of a day, too. What any seller does on average is one way to do that, so its
expected profit is at most the problem's. Where demand is uncertain, nobody reaches it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.stock_rules import StockRules
from simulation.stock import delivered_share, opening_stock
from simulation.truth import chance_on
from simulation.visits import expected_visits_on, stores_alike


def most_profit(catalog: Catalog, dates: Sequence[dt.date]) -> float:
    """Return an upper bound on the expected profit of a store over consecutive dates, EUR, on average over the stores.

    It opens the first one with a full shelf of new units. Units that are left in the end are neither gain nor loss.

    Raises
    ------
    ValueError
        When the whole shelf is simply full at each opening.
    """
    if catalog.stock_rules is None:
        raise ValueError("expected a catalog whose stock lives over days, found one whose shelf is full each morning")
    examples, group = stores_alike(catalog, catalog.store.stores)
    bounds = [_of_store(catalog, catalog.stock_rules, dates, store) for store in examples]
    return float(np.mean(np.array(bounds)[group]))


def _of_store(catalog: Catalog, rules: StockRules, dates: Sequence[dt.date], store: str) -> float:
    ladder, rates = price_ladder(catalog), list[Floats]()
    for date in dates:
        chances = chance_on(catalog, date, ladder / catalog.base_prices[:, None], store)
        visits = expected_visits_on(catalog, date, store).T
        if chances.ndim == 2:  # noqa: PLR2004 - products x prices: ticks are alike, so they count as one
            chances, visits = chances[None], visits.sum(axis=0, keepdims=True)
        rates.append(visits[:, :, None] * chances)
    products = range(len(catalog.skus))
    return sum(_of_product(catalog, rules, own, dates, [day[:, own] for day in rates], ladder[own]) for own in products)


def _of_product(
    catalog: Catalog, rules: StockRules, product: int, dates: Sequence[dt.date], rates: Sequence[Floats], prices: Floats
) -> float:
    """Return the bound of one product; `rates` are units that would sell on a day, shape (n_ticks, n_prices)."""
    own, lives_on = rules.products[product], bool(rules.lives_on[product])
    ages, grows_old = own.shelf_life_days or 1, int(own.shelf_life_days is not None)
    nights = np.full(ages, rules.holding_costs[product])
    nights[: ages * grows_old][:1] = rules.lost_with_a_unit[product]  # what has no day left is thrown away
    problem, left = _Problem(), list[list[int]]()
    fresh = catalog.store.freshest_share if catalog.uses_stickers and ages > 1 else None
    for day, date in enumerate(dates):
        sold = problem.variables(np.zeros(ages))
        left.append(problem.variables(nights * lives_on))
        bought, of_last_day = dict.fromkeys(sold, -1.0), {sold[0]: -1.0}
        for tick in rates[day]:
            gain, units, marked = _ways_to_price(tick, prices - own.unit_cost, fresh)
            at = problem.variables(-gain)
            problem.at_most(1.0, dict.fromkeys(at, 1.0))  # shares of a tick at each price
            bought |= zip(at, units.tolist(), strict=True)
            of_last_day |= zip(at, marked.tolist(), strict=True)
        problem.exactly(0.0, bought)
        problem.at_most(0.0, of_last_day)
        for age in range(ages):
            gone, came = {left[day][age]: 1.0, sold[age]: 1.0}, 0.0
            if day and lives_on and age + grows_old < ages:
                gone[left[day - 1][age + grows_old]] = -1.0
            if age == ages - 1:  # new units
                came, ordered = _delivered(catalog, rules, product, date, left if lives_on else left[:1])
                gone |= {at: gone.get(at, 0.0) + share for at, share in ordered.items()}
            problem.exactly(came, gone)
    return problem.most()


def _ways_to_price(units: Floats, gains: Floats, fresh: float | None) -> tuple[Floats, Floats, Floats]:
    """Return what each way to price a tick brings, EUR, the units that it sells, and those of them with a sticker.

    First each price alone, then each label with each lower sticker: who takes the freshest and can pay the label takes
    a young unit, and all others who can pay the sticker take one with it. `units` would sell at each price, which
    ascend, and `gains` is what one brings, shape (n_prices,); `fresh` is the share who take the freshest, None for no
    stickers.
    """
    if fresh is None:
        return units * gains, units, np.zeros(len(units))
    sticker, label = np.triu_indices(len(units), 1)
    young = fresh * units[label]
    marked = units[sticker] - young
    with_sticker = young * gains[label] + marked * gains[sticker]
    none = np.zeros(len(units))
    return np.append(units * gains, with_sticker), np.append(units, units[sticker]), np.append(none, marked)


def _delivered(
    catalog: Catalog, rules: StockRules, product: int, date: dt.date, left: Sequence[Sequence[int]]
) -> tuple[float, dict[int, float]]:
    """Return the units that come before an opening, and what an order up to par leaves out of them: what was kept then.

    `left` has the variables of the units left at each closing since the first day, and at that of the date itself.
    """
    own, share = rules.products[product], float(delivered_share(catalog, date)[product])
    if len(left) == 1:
        return float(opening_stock(catalog, date)[product]), {}
    if not rules.is_delivered_on(date)[product]:
        return 0.0, {}
    if own.delivered.quantity is not None:
        return share * own.delivered.quantity, {}
    ordered_at = len(left) - 1 - own.delivered.lead_time_days
    if ordered_at < 0:
        return 0.0, {}
    kept = left[ordered_at][int(own.shelf_life_days is not None) :]
    return share * own.par_stock, dict.fromkeys(kept, share)


@dataclass
class _Problem:
    """A linear program, written down row by row: its variables are not negative, and cost as little as can be."""

    _costs: list[float] = field(default_factory=list)
    _rows: list[tuple[float, float, dict[int, float]]] = field(default_factory=list)

    def variables(self, costs: Floats) -> list[int]:
        """Add variables by what each unit of them costs, EUR; return their positions."""
        first = len(self._costs)
        self._costs += costs.tolist()
        return list(range(first, len(self._costs)))

    def exactly(self, total: float, weights: dict[int, float]) -> None:
        """Ask for a sum."""
        self._rows.append((total, total, weights))

    def at_most(self, total: float, weights: dict[int, float]) -> None:
        """Ask for a sum that is not passed."""
        self._rows.append((-np.inf, total, weights))

    def most(self) -> float:
        """Return what the best solution gains, EUR."""
        entries = [(number, *entry) for number, (_, _, weights) in enumerate(self._rows) for entry in weights.items()]
        row, column, weight = zip(*entries, strict=True)
        sums = coo_array((weight, (row, column)), shape=(len(self._rows), len(self._costs)))
        low, high, _ = zip(*self._rows, strict=True)
        found = milp(self._costs, constraints=LinearConstraint(sums.tocsr(), low, high))
        if not found.success:
            raise ArithmeticError(f"expected a best solution of the fluid problem, found none: {found.message}")
        return -float(found.fun)
