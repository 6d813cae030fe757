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

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats
from plugins.own_store.learning.belief_priors import SlopePrior, ToldPrior
from plugins.own_store.learning.belief_spreads import Spreads, learned_shapes, learned_spreads
from plugins.own_store.learning.stocking_up import NOBODY, StockingUp
from plugins.own_store.learning.unit_rows import UnitRows
from serving.belief.posterior import Latents, Likelihood, Roots, SharedCells, find_mode, negative_binomial

_LEVEL_WIDTH, _WEEKDAY_WIDTH = 1.5, 0.5  # in log units: of a level around the product's mean, and of weekdays
_ALONE = 10.0  # spread of slopes that are not drawn together
_ROUNDS = 4
_CLOSE = 1e-7  # log density that another step may gain: moves a slope by 3e-5 of its deviation at most
_NEVER = -300.0  # log of the exposure of what could not be bought


@dataclass(frozen=True)
class UnitsBelief:
    """What units tell.

    Attributes
    ----------
    slopes, slopes_deviation
        Change of log units with the log price, and its standard deviation, shape (n_products,).
    levels
        Log units at the owner's price and an exposure of 1, shape (n_products, n_stores).
    effects
        Of the chain, in log units, shape (n_periods,).
    information
        Of a usual period in all stores about a product's log rate, 1 / variance, shape (n_products,).
    stocking_up
        Who is missing after low prices.
    """

    slopes: Floats
    slopes_deviation: Floats
    levels: Floats
    effects: Floats
    spreads: Spreads
    information: Floats
    stocking_up: StockingUp = NOBODY


def believed_of_units(
    rows: UnitRows,
    told: ToldPrior | None = None,
    before: UnitsBelief | None = None,
    *,
    alone: bool = False,
    stocks_up: bool = True,
) -> UnitsBelief:
    """Return what units tell, from all rows so far.

    Parameters
    ----------
    told
        What a log told of the slopes; None where there is none.
    before
        An earlier belief over the same products and stores, whose spreads this one begins from. It makes an update
        faster, and hardly another one.
    alone
        Let each product speak for itself: no slope is drawn towards those of the others, or hardly to a prior.
    stocks_up
        Whether shoppers may stock up at low prices. Rows then follow one another week by week.
    """
    told = ToldPrior.none(rows.shape[0]) if told is None else told
    spreads, at = Spreads.usual(rows.shape[0]) if before is None else before.spreads, None
    stocking_up, added = (NOBODY, None) if before is None else (before.stocking_up, None)
    if before is not None:
        added = stocking_up.added(rows, before.slopes)
    for _ in range(_ROUNDS if before is None else 1):
        fit = _Fit(rows, told, spreads, at, alone=alone, added=added)
        spreads, at = fit.likelier_spreads(), fit.at
        if stocks_up:
            stocking_up, added = fit.likelier_stocking_up(stocking_up)
    return replace(_Fit(rows, told, spreads, at, alone=alone, added=added).belief(), stocking_up=stocking_up)


class _Fit:
    """The mode under some spreads.

    Stores are the groups of the posterior: their coefficients are what a period adds, then the two common normals of
    slopes. Their cells are products: a cell's own part is the level, and its shared part the product's slope.
    """

    def __init__(
        self,
        rows: UnitRows,
        told: ToldPrior,
        spreads: Spreads,
        near: Latents | None,
        *,
        alone: bool,
        added: Floats | None,
    ) -> None:
        """`near` are latents near which the mode is looked for, `added` is a known term of the log rate."""
        n_products, n_stores, n_periods = rows.shape
        self._rows, self._spreads = rows, spreads
        self._prior = SlopePrior.of(told, _ALONE if alone else spreads.slope)
        self._is_row = rows.exposure > 0
        self._units, self._log_ratios, exposure = (  # by store
            np.where(self._is_row, values, 0.0).swapaxes(0, 1)
            for values in (rows.units, rows.log_ratios, rows.exposure)
        )
        self._log_exposure = np.where(exposure > 0, np.log(np.where(exposure > 0, exposure, 1.0)), _NEVER)
        if added is not None:
            self._log_exposure = self._log_exposure + added.swapaxes(0, 1)
        sold, offered = self._units.sum(axis=2), exposure.sum(axis=2)
        mean_rate = (sold.sum(axis=0) + 0.5) / np.maximum(offered.sum(axis=0), 1e-9)
        self._level_means = np.log(mean_rate)
        self._roots = self._prior_roots()
        if near is None:
            near = Latents.zeros(n_stores, n_periods, self._roots.shared.shape[2], n_products)
            levels = np.log((sold + mean_rate) / (offered + 1.0)) - self._level_means
            near = near._replace(own_cells=levels / _LEVEL_WIDTH)
        self._mode = find_mode(near, self._model, _CLOSE)
        self.at = self._mode.at.moved(self._mode.step, 1.0)

    def _prior_roots(self) -> Roots:
        _, n_stores, n_periods = self._rows.shape
        weekdays = np.zeros(n_periods, dtype=np.int64) if self._rows.weekdays is None else self._rows.weekdays
        by_weekday = _WEEKDAY_WIDTH * (weekdays[:, None] == np.unique(weekdays))
        size = n_periods + 2
        own, shared = np.zeros((size, n_periods)), np.zeros((size, n_periods + by_weekday.shape[1] + 2))
        own[:n_periods] = self._spreads.shock_root(n_periods)
        shared[:n_periods, :n_periods] = self._spreads.effect * np.eye(n_periods)
        shared[:n_periods, n_periods:-2] = by_weekday
        shared[n_periods:, -2:] = np.eye(2)
        each = (n_stores, 1, 1)
        return Roots(np.tile(own, each), np.tile(shared, each), _LEVEL_WIDTH, self._prior.own)

    def _roots_of(self, stores: slice) -> Roots:
        return self._roots._replace(own=self._roots.own[stores], shared=self._roots.shared[stores])

    def _log_rates(self, stores: slice, at: Latents) -> Floats:
        """Return log units expected in each row, shape (n_stores, n_products, n_periods)."""
        levels = self._level_means + _LEVEL_WIDTH * at.own_cells
        periods = self._roots_of(stores).coefficients(at)[:, None, : self._rows.shape[2]]
        rates = self._log_exposure[stores] + levels[:, :, None] + periods
        return np.asarray(rates + self._slopes(at)[:, None] * self._log_ratios[stores])

    def _slopes(self, at: Latents) -> Floats:
        return np.asarray(self._prior.mean + self._prior.own * at.shared_cells + self._prior.common @ at.shared[-2:])

    def _model(self, stores: slice, at: Latents) -> tuple[Roots, Likelihood]:
        """Return roots and likelihood of some stores; see `serving.belief.posterior.Model`."""
        roots = self._roots_of(stores)
        log_ratios, common = self._log_ratios[stores], self._prior.common
        shapes = self._spreads.shapes[:, None]
        log, surplus, curved = negative_binomial(self._log_rates(stores, at), self._units[stores], shapes)
        tilted = curved * log_ratios
        of_level, by_level, of_slope = curved.sum(axis=2), tilted.sum(axis=2), (tilted * log_ratios).sum(axis=2)
        tilt = (surplus * log_ratios).sum(axis=2)

        def by_cell(periods: Floats, slopes: Floats) -> Floats:
            """Return how a cell's term meets coefficients, given how it meets periods and the product's slope."""
            return np.concatenate([periods.swapaxes(1, 2), (slopes[:, :, None] * common).swapaxes(1, 2)], axis=1)

        by_slope = by_cell(tilted, of_slope)
        n_periods = log_ratios.shape[2]
        weight = np.zeros((len(tilt), n_periods + 2, n_periods + 2))
        each = np.arange(n_periods)
        weight[:, each, each] = curved.sum(axis=1)
        weight[:, :, -2:] = by_slope @ common
        weight[:, -2:, :n_periods] = weight[:, :n_periods, -2:].swapaxes(1, 2)
        slope = np.concatenate([surplus.sum(axis=1), tilt @ common], axis=1)
        shared_cells = SharedCells(by_slope, by_level, of_slope, tilt)
        by_own = by_cell(curved, by_level)
        return roots, Likelihood(log, weight, by_own, of_level, slope, surplus.sum(axis=2), shared_cells)

    def likelier_spreads(self) -> Spreads:
        """Return spreads that the mode and its uncertainty make likelier (expectation and maximisation)."""
        n_periods, around = self._rows.shape[2], self._prior.common - self._prior.shelf_common
        apart = self._slopes(self.at) - self._prior.shelf - self._prior.shelf_common @ self.at.shared[-2:]
        effects = self.at.shared[:n_periods] ** 2 + (self._mode.shared_root[:n_periods] ** 2).sum(axis=1)
        root = self._roots.own[0, :n_periods]
        covariance = np.concatenate([self._mode.own_covariance(some) for some in self._mode.blocks])
        spreads = learned_spreads(
            self._spreads,
            apart**2 + self._variances(around),
            self._spreads.effect**2 * effects,
            self.at.own @ root.T,
            covariance[:, :n_periods, :n_periods],
        )
        every = slice(0, self._rows.shape[1])
        return learned_shapes(spreads, self._rows, np.exp(self._log_rates(every, self.at)).swapaxes(0, 1))

    def likelier_stocking_up(self, before: StockingUp) -> tuple[StockingUp, Floats]:
        """Return who is missing after low prices as the mode makes it likelier, and what that adds to the log rate."""
        every, slopes = slice(0, self._rows.shape[1]), self._slopes(self.at)
        rates = self._log_rates(every, self.at)
        _, surplus, curved = negative_binomial(rates, self._units, self._spreads.shapes[:, None])
        found = before.learned(self._rows, slopes, surplus.swapaxes(0, 1), curved.swapaxes(0, 1))
        return found, found.added(self._rows, slopes)

    def _variances(self, common: Floats) -> Floats:
        """Return variances left of products' slopes that the common normals move by so much, shape (n_products,)."""
        root, first = self._mode.shared_root, self.at.shared.size
        directions = self._prior.own[:, None] * root[first:] + common @ root[first - 2 : first]
        return np.asarray((directions**2).sum(axis=1))

    def belief(self) -> UnitsBelief:
        """Return what was found."""
        n_periods = self._rows.shape[2]
        every = slice(0, self._rows.shape[1])
        _, _, curved = negative_binomial(self._log_rates(every, self.at), self._units, self._spreads.shapes[:, None])
        n_rows = np.maximum(self._is_row.sum(axis=2), 1)
        return UnitsBelief(
            slopes=self._slopes(self.at),
            slopes_deviation=np.sqrt(self._variances(self._prior.common)),
            levels=(self._level_means + _LEVEL_WIDTH * self.at.own_cells).T,
            effects=self._roots.shared[0, :n_periods] @ self.at.shared,
            spreads=self._spreads,
            information=(curved.sum(axis=2).T / n_rows).sum(axis=1),
        )
