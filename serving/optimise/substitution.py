"""Prices of substitutes: who finds one too dear may take another, so the joint value of a category counts.

Each product keeps a price book of its own, by its units and the time left. What its substitutes cost and what a unit
of them is worth enters its recursion in two places. Who finds it too dear brings what the substitute that she takes
earns beyond the value of that unit, so a sale brings that much less. And who finds a substitute too dear may come, so
more would buy, each of whom would otherwise have brought something elsewhere. With leaving as the choice of weight 1
this is the multinomial logit, whose joint prices Dong, Kouvelis and Tian solve for ("Dynamic pricing and inventory
control of substitute products", Manufacturing & Service Operations Management 11(2), 2009).

The usual price of each, and the value of one unit of it, are those of a day on which exactly as many buy as expected,
with stock that falls evenly from par. They are found product by product in rounds, each given the others: coordinate
ascent on the joint value of that day. What the recursion does not know is which substitutes have run out meanwhile: all
are taken to be on the shelf.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from serving.optimise.curves import DemandCurves, Switching
from serving.optimise.days_ahead import least_worth
from serving.optimise.recursion import usual_unit_values

_ROUNDS = 8
_NOBODY = 1e-12  # visits


@dataclass
class _Shelf:
    """Products at the usual prices found so far; arrays have shape (n_products,) or (n_products, n_prices).

    Attributes
    ----------
    gains, chances, ratios, choosable
        What one sale brings, EUR, its chance, the price over base price, and whether the price may be chosen.
    visits, units, least
        Visits until closing, units on the shelf, and what one that is left at closing is worth at least, EUR.
    usual, beyond
        Position of the usual price, and what a sale at it brings beyond the value of the unit, EUR.
    """

    switching: Switching
    gains: Floats
    chances: Floats
    ratios: Floats
    choosable: Flags
    visits: Floats
    units: Floats
    least: Floats
    usual: Ints
    beyond: Floats

    def settle(self, product: int, gains: Floats, rates: Floats) -> None:
        """Find the usual price of a product, and what a sale at it brings beyond the value of a unit."""
        among = np.flatnonzero(self.choosable[product])
        gains, rates, least = gains[among], rates[among], self.least[product]
        of_day = (gains[None] - least, rates[None], self.visits[[product]], self.units[[product]])
        value = least + usual_unit_values(*of_day)[0]
        self.usual[product] = among[((gains - value) * rates).argmax()]
        self.beyond[product] = self.gains[product, self.usual[product]] - value

    def coupled(self, product: int) -> tuple[Floats, Floats]:
        """Return what a sale of a product brings and its rate per visit, at each price."""
        usual = np.tile(self.ratios[np.arange(len(self.usual)), self.usual], (self.gains.shape[1] + 1, 1))
        beyond = self.beyond.copy()
        beyond[product] = 0.0
        ratios = np.append(self.ratios[product], np.inf)
        elsewhere = self.switching.chances(product, ratios, usual) @ beyond
        gain, chance = self.gains[product], self.chances[product]
        rate, worth = chance.copy(), chance * gain + (1 - chance) * elsewhere[:-1] - elsewhere[-1]
        usual[:, product] = ratios
        for other in np.flatnonzero(self.switching.substitutes[product]).tolist():
            taken = self.switching.chances(other, usual[:, other], usual)
            with_others = taken @ beyond
            leave = self.visits[other] * (1 - self.chances[other, self.usual[other]])
            come = leave / max(self.visits[product], _NOBODY)
            rate += come * taken[:-1, product]
            worth += come * (taken[:-1, product] * gain + with_others[:-1] - with_others[-1])
        return worth / np.maximum(rate, _NOBODY), rate


class JointSales(NamedTuple):
    """What each product's recursion is solved for, given the usual prices of its substitutes.

    Attributes
    ----------
    gains, chances
        As in `serving.optimise.recursion.days_of`; a chance is then a rate per visit to the product, and
        may be above 1.
    beside
        What a visit brings at each price beside its own sale, EUR, of the shape of the gains: what it takes elsewhere,
        and what is sold to those who come from substitutes, against an empty shelf. 0 where there are none.
    """

    gains: Floats
    chances: Floats
    beside: Floats


def sales_with_substitutes(catalog: Catalog, curves: DemandCurves, visits: Floats, gains: Floats) -> JointSales | None:
    """Return what the recursion is solved for; None where nobody is known to take a substitute.

    Parameters
    ----------
    visits
        Visits expected in each tick that is left, shape (n_products, n_ticks).
    gains
        What one sale brings at each candidate, EUR, shape (n_products, n_prices).
    """
    switching = curves.switching
    if switching is None:
        return None
    chances = curves.p_sale if curves.by_tick is None else _mean_of_ticks(curves.by_tick, visits)
    shelf = _Shelf(
        switching,
        gains,
        chances,
        ratios=curves.prices / catalog.base_prices[:, None],
        choosable=curves.choosable,
        visits=visits.sum(axis=1),
        units=catalog.par_stock * (visits.shape[1] / catalog.store.opening.ticks),
        least=least_worth(catalog),
        usual=np.zeros(len(gains), dtype=np.int64),
        beyond=np.zeros(len(gains)),
    )
    concerned = np.flatnonzero(switching.substitutes.any(axis=1)).tolist()
    for product in concerned:
        shelf.settle(product, gains[product], chances[product])
    for _ in range(_ROUNDS):
        before = shelf.usual.copy()
        for product in concerned:
            shelf.settle(product, *shelf.coupled(product))
        if np.array_equal(shelf.usual, before):
            break
    brings, rates = gains.copy(), chances.copy()
    for product in concerned:
        brings[product], rates[product] = shelf.coupled(product)
    value = (gains[np.arange(len(gains)), shelf.usual] - shelf.beyond)[:, None]
    beside = rates * (brings - value) - chances * (gains - value)
    return JointSales(brings, curves.at_ticks + (rates - chances), beside)


def _mean_of_ticks(chances: Floats, visits: Floats) -> Floats:
    """Return the chance of an average visit; `chances` has the ticks first, those that are left last."""
    coming = visits.T[:, :, None]
    return np.asarray((chances[-len(coming) :] * coming).sum(axis=0) / np.maximum(coming.sum(axis=0), _NOBODY))
