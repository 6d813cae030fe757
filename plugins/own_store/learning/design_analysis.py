"""What a coin tells of a slope, by its design alone: intervals from throwing the coin again.

Under a slope, units without their response to the price, `units / ratio ** slope`, do not depend on the coin in the
mean. So the slope is judged by how those go together with the prices thrown, beside how they go together with prices
that might have been thrown: the randomisation test of a sharp null hypothesis, inverted to an interval (Imbens and
Rubin, "Causal Inference for Statistics, Social, and Biomedical Sciences", 2015, chapter 5). The statistic is
studentised, so that it holds as well where products answer differently from day to day (Wu and Ding, "Randomization
tests for weak null hypotheses in randomized experiments", JASA 116, 2021). Levels of stores, weekdays and a slow trend
are taken out of the units beforehand; that makes the interval narrower, and no error in them makes it wrong.

What must hold: each block's price was thrown with the declared chance, by nothing that knew what would sell.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.belief.posterior import POISSON, Latents, Likelihood, Roots, find_mode, negative_binomial

LEVEL = 0.05
_THROWS = 999
_STEEPEST = 12.0  # no interval is looked for beyond
_TERM_SPREAD = 1e-3**-0.5  # beforehand, of what a term adds to the log of units
_CLOSE = 1e-10  # log density that another step may gain
_STREAM = 977_400_211  # of the throws, apart from others of the same seed


@dataclass(frozen=True)
class CoinRows:
    """One product's sales under a coin, arrays of shape (n_rows,) unless said otherwise.

    Attributes
    ----------
    units
        Sold.
    low, high
        Log of the two prices that the coin chose between.
    is_high
        Which was shown.
    propensity
        Declared chance of the higher one.
    blocks
        Number of the throw that a row belongs to: rows of a block have the same side.
    stores, slots
        Numbers of the store, and of the slot in its order of time.
    weekdays
        Numbers of the weekday; None where slots are weeks.
    exposure
        As of `UnitRows`, above 0; None for 1.
    """

    units: Floats
    low: Floats
    high: Floats
    is_high: Flags
    propensity: Floats
    blocks: Ints
    stores: Ints
    slots: Ints
    weekdays: Ints | None = None
    exposure: Floats | None = None

    @property
    def log_prices(self) -> Floats:
        """Log of the price that was shown."""
        return np.where(self.is_high, self.high, self.low)

    def of_blocks(self) -> tuple[Ints, Floats, Flags]:
        """Return each row's place among the blocks, and propensity and side of each block."""
        _, first, place = np.unique(self.blocks, return_index=True, return_inverse=True)
        return place, self.propensity[first], self.is_high[first]

    def thrown_again(self, seed: int) -> Flags:
        """Throw the coin 999 times more, shape (999, n_blocks)."""
        _, chance, _ = self.of_blocks()
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _STREAM))))
        return np.asarray(dice.random((_THROWS, len(chance))) < chance)


@dataclass(frozen=True)
class CoinSlope:
    """What a coin tells of one product's slope.

    Attributes
    ----------
    slope, low, high
        Estimate and 95 % interval of the change of log units with the log price; infinite where it is open.
    p_value
        Two-sided, of no response; `adjusted` is Holm's over all products that were looked at.
    """

    slope: float
    low: float
    high: float
    p_value: float
    adjusted: float
    n_blocks: int

    @property
    def is_told(self) -> bool:
        """Whether sales fall with the price beyond doubt."""
        return self.adjusted <= LEVEL and self.slope < 0


def coin_slopes(products: "list[CoinRows]", seed: int = 0) -> list[CoinSlope]:
    """Analyse a coin product by product, and correct for looking at all of them (Holm, 1979)."""
    found = [_slope_of(rows, seed) for rows in products]
    p_values = np.array([own.p_value for own in found])
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(found))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(len(found), 0, -1)), 1.0)
    return [replace(own, adjusted=float(p)) for own, p in zip(found, adjusted, strict=True)]


def _slope_of(rows: CoinRows, seed: int) -> CoinSlope:
    place, chance, _ = rows.of_blocks()
    is_thrown = (chance > 0) & (chance < 1)
    if rows.units.sum() == 0 or is_thrown.sum() < 2 or np.ptp(rows.log_prices) == 0:  # noqa: PLR2004 - no two throws
        return CoinSlope(np.nan, -np.inf, np.inf, 1.0, 1.0, int(is_thrown.sum()))
    test = _SlopeTest(rows, place, rows.thrown_again(seed))
    slope = crossing(test.balance, -_STEEPEST, _STEEPEST)
    if slope is None:
        return CoinSlope(np.nan, -np.inf, np.inf, test.p_value(0.0), 1.0, int(is_thrown.sum()))
    low = crossing(lambda at: test.p_value(at) - LEVEL, -_STEEPEST, slope)
    high = crossing(lambda at: test.p_value(at) - LEVEL, slope, _STEEPEST)
    return CoinSlope(
        slope,
        -np.inf if low is None else low,
        np.inf if high is None else high,
        test.p_value(0.0),
        1.0,
        int(is_thrown.sum()),
    )


class _SlopeTest:
    """Tests of slopes on the same throws, so that p-values of neighbouring slopes are comparable."""

    def __init__(self, rows: CoinRows, place: Ints, throws: Flags) -> None:
        self._rows, self._place, self._n_blocks = rows, place, throws.shape[1]
        self._usual = usual_demand_terms(rows)
        self._between = rows.high - rows.low
        self._mean = rows.propensity * rows.high + (1 - rows.propensity) * rows.low
        self._throws = throws.astype(float)

    def balance(self, slope: float) -> float:
        """Return how units without their response go with the prices shown: falls with the slope, 0 at the estimate."""
        return float(((self._rows.log_prices - self._mean) * self._left(slope)).sum())

    def p_value(self, slope: float) -> float:
        """Return the share of throws that say at least as much against a slope, the seen one among them."""
        left = self._left(slope)
        if_low = np.bincount(self._place, (self._rows.low - self._mean) * left, self._n_blocks)
        more = np.bincount(self._place, self._between * left, self._n_blocks)
        seen = np.bincount(self._place, (self._rows.log_prices - self._mean) * left, self._n_blocks)
        error = np.sqrt((seen**2).sum())
        squares = (if_low**2).sum() + self._throws @ (2 * if_low * more + more**2)
        again = (if_low.sum() + self._throws @ more) / np.sqrt(np.maximum(squares, 1e-30))
        statistic = abs(seen.sum()) / max(float(error), 1e-15)
        return float((1 + (np.abs(again) >= statistic - 1e-12).sum()) / (1 + len(again)))

    def _left(self, slope: float) -> Floats:
        """Return what levels, weekdays and trend leave of the units without their response to the price."""
        without = self._rows.units * np.exp(-slope * (self._rows.log_prices - self._mean))
        exposure = np.ones_like(without) if self._rows.exposure is None else self._rows.exposure
        expected = _poisson_fit(without, self._usual, exposure)
        spread = max(0.0, float(((without - expected) ** 2 - expected).sum() / max((expected**2).sum(), 1e-12)))
        return np.asarray((without - expected) / (1 + spread * expected))


def usual_demand_terms(rows: CoinRows) -> Floats:
    """Return what demand is explained by beside the price: stores, weekdays, and a bent trend; (n_rows, n_terms)."""
    time = (rows.slots - rows.slots.min()) / max(1.0, float(np.ptp(rows.slots)))
    terms = [rows.stores == store for store in np.unique(rows.stores)]
    if rows.weekdays is not None:
        terms += [rows.weekdays == day for day in np.unique(rows.weekdays)[1:]]
    return np.column_stack([*terms, time - time.mean(), (time - time.mean()) ** 2]).astype(float)


def usual_spread(rows: CoinRows) -> tuple[float, int]:
    """Return how much units vary beyond chance, as the variance of their log, and how many rows are left to tell it."""
    terms = usual_demand_terms(rows)
    left = len(rows.units) - terms.shape[1]
    if left <= 0 or rows.units.sum() == 0:
        return 0.0, 0
    expected = _poisson_fit(rows.units, terms, np.ones(len(rows.units)))
    squares = (rows.units - expected) ** 2 * len(rows.units) / left
    return float((squares - expected).sum() / (expected**2).sum()), left


def _poisson_fit(units: Floats, terms: Floats, exposure: Floats) -> Floats:
    """Return the means of a log-linear fit that is lightly held to the overall mean, shape (n_rows,)."""
    offset = np.log(exposure) + np.log(max(units.sum(), 0.5) / exposure.sum())
    roots = Roots(_TERM_SPREAD * np.eye(terms.shape[1])[None], np.zeros((1, terms.shape[1], 0)))

    def model(_own: slice, at: Latents) -> tuple[Roots, Likelihood]:
        rates = offset + terms @ roots.coefficients(at)[0]
        log, surplus, curved = negative_binomial(rates, units, POISSON)
        return roots, Likelihood.without_cells(log, ((terms.T * curved) @ terms)[None], (surplus @ terms)[None])

    mode = find_mode(Latents.zeros(1, terms.shape[1], 0, 0), model, _CLOSE)
    return np.exp(offset + terms @ roots.coefficients(mode.at.moved(mode.step, 1.0))[0])


def crossing(falls: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where a function changes its sign between two places; None where it does not."""
    at_low, at_high = falls(low), falls(high)
    if np.sign(at_low) == np.sign(at_high):
        return None
    from scipy.optimize import brentq  # noqa: PLC0415 - a quarter of a second of each process, and few look for one

    return float(brentq(falls, low, high, xtol=1e-3))
