"""The belief of a store whose tills report units alone: how sales answer to the price, learned from our own prices.

Units of a product in a store and period are negative binomial. The log of their mean is that of the exposure, a level
of the store and product, an effect of the chain in the period, a shock of the store in it, and slope x log price ratio;
the price ratio is price over the owner's price. Slopes are hierarchical over products, and the spreads of all random
terms are learned with them. The posterior is Laplace's approximation around the mode, and the spreads are moved by
expectation and maximisation over it (MacKay, "Comparison of approximate methods for handling hyperparameters", Neural
Computation 11(5), 1999).

What must hold for it to be right: prices were drawn by us and by nothing that the day's demand decided, rows that
were not are left out, and no product's demand moves in the whole chain by itself while its price does.
"""

from dataclasses import dataclass, field

import numpy as np

from catalog.arrays import Floats, Ints
from plugins.own_store.learning.belief_elimination import Curvatures, gradient_of_shared, rates_of
from plugins.own_store.learning.belief_priors import SHELF_SLOPE, RateTerms, SharedPlaces, ToldPrior
from plugins.own_store.learning.belief_spreads import Spreads, learned_shapes, learned_spreads
from plugins.own_store.learning.unit_rows import UnitRows

_LEVEL_WIDTH = 1.5  # in log units, of a level around the product's mean
_ROUNDS, _STEPS = 4, 30
_LONGEST_STEP, _CLOSE = 2.0, 1e-4  # in log units


@dataclass(frozen=True)
class UnitsBelief:
    """What units tell.

    Attributes
    ----------
    slopes, slopes_covariance
        Change of log units with the log price, shapes (n_products,) and (n_products, n_products).
    levels
        Log units at the owner's price and an exposure of 1, shape (n_products, n_stores).
    effects
        Of the chain, in log units, shape (n_periods,).
    shocks
        Of a store in a period, in log units, shape (n_stores, n_periods).
    bend, carry
        Coefficients of the squared log ratio and of the log ratio of the period before, each with its standard
        deviation; (0, 0) for a term that is not looked at.
    information
        Of a usual period in all stores about a product's log rate, 1 / variance, shape (n_products,).
    shared
        Slopes, effects, optional coefficients, mean slope, the log's common error, weekdays; shape (n_shared,).
    """

    slopes: Floats
    slopes_covariance: Floats
    levels: Floats
    effects: Floats
    shocks: Floats
    bend: tuple[float, float]
    carry: tuple[float, float]
    spreads: Spreads
    information: Floats
    shared: Floats = field(repr=False)

    @property
    def slopes_deviation(self) -> Floats:
        """Standard deviation of each slope, shape (n_products,)."""
        return np.sqrt(np.diagonal(self.slopes_covariance))


def believed_of_units(
    rows: UnitRows,
    told: ToldPrior | None = None,
    terms: RateTerms | None = None,
    before: UnitsBelief | None = None,
    *,
    alone: bool = False,
) -> UnitsBelief:
    """Return what units tell, from all rows so far.

    Parameters
    ----------
    told
        What a log told of the slopes; None where there is none.
    terms
        Optional terms of the log rate; None for none.
    alone
        Let each product speak for itself: no slope is drawn towards those of the others, or hardly to a prior.
    before
        An earlier belief over the same products and stores, whose spreads this one begins from. It makes an update
        faster, and hardly another one.
    """
    told = ToldPrior.none(rows.shape[0]) if told is None else told
    spreads = Spreads.usual(rows.shape[0]) if before is None else before.spreads
    fit = _Fit(rows, RateTerms() if terms is None else terms, told, spreads, alone=alone)
    for _ in range(_ROUNDS if before is None else 1):
        fit.find_mode()
        fit.learn_spreads()
    fit.find_mode()
    return fit.belief()


class _Fit:
    """A fit under way: the mode so far, the spreads so far, and the prior that follows from them."""

    def __init__(self, rows: UnitRows, terms: RateTerms, told: ToldPrior, spreads: Spreads, *, alone: bool) -> None:
        self._rows, self._terms, self._told, self._alone = rows, terms, told, alone
        self.spreads = spreads
        self._covariates = terms.of(rows)
        _, n_stores, n_periods = rows.shape
        self._places = SharedPlaces.of(rows, terms)
        self._is_row = (rows.exposure > 0).astype(float)
        sold, offered = (rows.units * self._is_row).sum(axis=2), rows.exposure.sum(axis=2)
        of_product = (sold.sum(axis=1) + 0.5) / np.maximum(offered.sum(axis=1), 1e-9)
        self._level_means = np.repeat(np.log(of_product)[:, None], n_stores, axis=1)
        self.levels = np.log((sold + of_product[:, None]) / (offered + 1.0))
        self.shocks, self.shared = np.zeros((n_stores, n_periods)), np.zeros(self._places.n_shared)
        self.shared[self._places.slopes] = self.shared[self._places.mean] = SHELF_SLOPE
        self._log_exposure = np.log(np.where(rows.exposure > 0, rows.exposure, 1.0))

    def find_mode(self) -> None:
        """Move to the mode under the spreads, by Newton's method with expected curvatures."""
        precision, pull = self._places.prior(self._told, self.spreads, alone=self._alone)
        shock_precision = self.spreads.shock_precision(self._rows.shape[2])
        for _ in range(_STEPS):
            expected = self._expected()
            shrink = 1 / (1 + expected / self.spreads.shapes[:, None, None])
            of_rows = (self._rows.units - expected) * shrink * self._is_row
            self.curved = Curvatures(
                expected * shrink * self._is_row,
                self._rows.log_ratios,
                self._covariates,
                1 / _LEVEL_WIDTH**2,
                shock_precision,
                precision,
            )
            of_levels = of_rows.sum(axis=2) - (self.levels - self._level_means) / _LEVEL_WIDTH**2
            of_shocks = of_rows.sum(axis=0) - (self.shocks @ shock_precision if shock_precision is not None else 0.0)
            of_shared = pull - precision @ self.shared
            of_shared += gradient_of_shared(of_rows, self._rows.log_ratios, self._covariates, self._places.n_shared)
            levels, shocks, shared = self.curved.step(of_levels, of_shocks, of_shared)
            longest = max(np.abs(step).max(initial=0.0) for step in (levels, shocks, shared))
            part = min(1.0, _LONGEST_STEP / max(longest, 1e-12))
            self.levels = self.levels + part * levels
            self.shocks, self.shared = self.shocks + part * shocks, self.shared + part * shared
            if longest < _CLOSE:
                break

    def learn_spreads(self) -> None:
        """Move the spreads to what the mode and its uncertainty make likeliest."""
        places, covariance = self._places, self.curved.covariance

        def expected_squares(these: Ints, around: Ints) -> Floats:
            variance = covariance[these, these] + covariance[around, around] - 2 * covariance[these, around]
            return np.asarray((self.shared[these] - self.shared[around]) ** 2 + variance)

        spreads = learned_spreads(
            self.spreads,
            expected_squares(places.slopes, np.full(len(places.slopes), places.mean)),
            expected_squares(places.effects, places.weekdays),
            self.shocks,
            self.curved.shocks_covariance if self.spreads.shock > 0 else None,
        )
        self.spreads = learned_shapes(spreads, self._rows, self._expected())

    def belief(self) -> UnitsBelief:
        """Return what was found."""
        places, covariance = self._places, self.curved.covariance
        deviations = np.sqrt(np.diagonal(covariance))
        optional = [(float(self.shared[place]), float(deviations[place])) for place in places.optional]
        return UnitsBelief(
            slopes=self.shared[places.slopes],
            slopes_covariance=covariance[np.ix_(places.slopes, places.slopes)],
            levels=self.levels,
            effects=self.shared[places.effects],
            shocks=self.shocks,
            bend=optional[0] if self._terms.bend else (0.0, 0.0),
            carry=optional[-1] if self._terms.carry else (0.0, 0.0),
            spreads=self.spreads,
            information=self._information(),
            shared=self.shared,
        )

    def _expected(self) -> Floats:
        """Units expected in each row, shape (n_products, n_stores, n_periods)."""
        rates = rates_of(self.shared, self._rows.log_ratios, self._covariates)
        rates += self.levels[:, :, None] + self.shocks + self._log_exposure
        return np.exp(np.clip(rates, -30.0, 30.0))

    def _information(self) -> Floats:
        weights, n_rows = self.curved.weights.sum(axis=2), self._is_row.sum(axis=2)
        return np.asarray((weights / np.maximum(n_rows, 1.0)).sum(axis=1))
