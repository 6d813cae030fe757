"""What drawn prices brought beside the owner's: product weeks at drawn prices against those that the seed held.

Each product week is held at the owner's price with a known chance, whatever sells. So what all others would have
brought at the owner's price is estimated from those that were held, each weighed by how many it stands for:
(1 - chance) / chance. A forecast for each week makes that sharper and cannot make it wrong: only what the held weeks
brought beyond their forecast, in proportion to their size, is carried over (a ratio estimator; Cochran, "Sampling
Techniques", 1977, chapter 6). The variance is that of the design: of which weeks happened to be held, and of the luck
of the others. Few held weeks give wide intervals, by Student's t with as many degrees of freedom as the weights are
worth (Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2, 1946).

What must hold: a product is held whatever its demand, and its price in one week does not change what the store sells in
the next, nor what the store sells of other products outside its family.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from catalog.arrays import Flags, Floats, Ints

FEWEST_HELD = 4
"""Held product weeks of which fewer leave the interval open."""
_LEVEL = 0.05
_MOST_LEVERAGE = 0.8


@dataclass(frozen=True)
class ProductWeeks:
    """What product weeks brought, arrays of shape (n_rows,).

    Attributes
    ----------
    units
        Number of what was held or drawn together: a family of products in a store in a week.
    brought
        What is compared, EUR or anything else.
    forecast, forecast_shown
        What was expected of it at the owner's price and at the shown one; 0 where nothing is.
    size
        How much the week stands for, above 0: what is not forecast is in proportion to it.
    is_held
        Whether the owner's price was shown because the draw held it.
    held_share
        Chance with which it was to be held.
    """

    units: Ints
    brought: Floats
    forecast: Floats
    forecast_shown: Floats
    size: Floats
    is_held: Flags
    held_share: Floats

    def by_unit(self) -> "ProductWeeks":
        """Put the products of each family together."""
        numbers, first, place = np.unique(self.units, return_index=True, return_inverse=True)

        def total(values: Floats) -> Floats:
            return np.bincount(place, values, len(numbers)).astype(float)

        return ProductWeeks(
            numbers,
            total(self.brought),
            total(self.forecast),
            total(self.forecast_shown),
            total(self.size),
            self.is_held[first],
            self.held_share[first],
        )


@dataclass(frozen=True)
class EarnedProfit:
    """Profit against the owner's prices, in the product weeks that were not held.

    Attributes
    ----------
    share, share_low, share_high
        As a share of what the owner's prices would have brought there, with its 95 % interval; infinite ends where the
        held weeks leave it open, NaN where none was held.
    euros, euros_low, euros_high
        The same, EUR.
    p_value
        Two-sided, of no effect.
    n_held, n_treated
        Product weeks.
    """

    share: float
    share_low: float
    share_high: float
    euros: float
    euros_low: float
    euros_high: float
    p_value: float
    n_held: int
    n_treated: int

    @property
    def is_known(self) -> bool:
        """Whether the interval has two ends."""
        return bool(np.isfinite([self.share, self.share_low, self.share_high]).all())


def earned_profit(weeks: ProductWeeks) -> EarnedProfit:
    """Compare product weeks at drawn prices with those that were held; the euros are those of all drawn weeks."""
    rows = weeks.by_unit()
    held, drawn = rows.is_held, ~rows.is_held
    counted = int(held.sum()), int(drawn.sum())
    nothing = EarnedProfit(np.nan, -np.inf, np.inf, np.nan, -np.inf, np.inf, 1.0, *counted)
    weight = np.where(held & (rows.held_share > 0), (1 - rows.held_share) / np.maximum(rows.held_share, 1e-12), 0.0)
    stands_for = weight * rows.size
    if not stands_for.sum() > 0 or not drawn.any():
        return nothing
    beyond = float((weight * (rows.brought - rows.forecast)).sum() / stands_for.sum())
    usual = rows.forecast + beyond * rows.size
    owners, brought = float(usual[drawn].sum()), float(rows.brought[drawn].sum())
    euros = brought - owners
    share = euros / owners if owners > 0 else np.nan
    if counted[0] < FEWEST_HELD:
        return EarnedProfit(share, -np.inf, np.inf, euros, -np.inf, np.inf, 1.0, *counted)
    of_held, of_drawn, freedom = _variances(rows, usual, weight)
    error, quantile = np.sqrt(of_held + of_drawn), float(stdtrit(freedom, 1 - _LEVEL / 2))
    p_value = 2 * float(stdtr(freedom, -abs(euros) / max(error, 1e-12)))
    low, high, least, most = euros - quantile * error, euros + quantile * error, -np.inf, np.inf
    if owners > 0:  # what the owner's prices would have brought is also what the share is of
        half = quantile * float(np.sqrt((1 + share) ** 2 * of_held + of_drawn)) / owners
        least, most = share - half, share + half
    return EarnedProfit(share, least, most, euros, low, high, p_value, *counted)


def _variances(rows: ProductWeeks, usual: Floats, weight: Floats) -> tuple[float, float, float]:
    """Return the variance of the gain by which weeks were held and by the luck of the others; degrees of freedom."""
    held, drawn = rows.is_held, ~rows.is_held
    stands_for = (weight * rows.size)[held]
    scale = rows.size[drawn].sum() / stands_for.sum()
    leverage = np.minimum(stands_for / stands_for.sum(), _MOST_LEVERAGE)
    of_held = (scale * weight[held] * (rows.brought - usual)[held]) ** 2 / (1 - leverage) ** 2
    luck = rows.brought[drawn] - rows.forecast_shown[drawn]
    of_drawn = (luck - luck.sum() / rows.size[drawn].sum() * rows.size[drawn]) ** 2
    worth = (scale * stands_for) ** 2
    freedom = max(float(worth.sum() ** 2 / (worth**2).sum()) - 1, 1.0)
    return float(of_held.sum()), float(of_drawn.sum()), freedom
