"""How much holds of what a version says beforehand: its forests move the mean of the prior as sales bear it out.

A version says how products and days differ before a sale, and speaks of those that it learned from as if they were new.
So the sales decide what share of it holds: the share under which they were likeliest. None is taken unless another is
clearly likelier, thus a version with nothing to say costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.records.pricing import BeliefSettings
from serving.belief.gaussian import Knots, evenly_chosen
from serving.belief.sales import Sales
from serving.belief.states import CLEARLY, MOST_STUDIED, SHARES, Fit, Study

_ALIKE = 0.1  # spread of levels of stores, log odds, that does not matter
_WORTH = 3.0  # log evidence by which a forest of stores must be better than none


@dataclass(frozen=True)
class Hearing:
    """What the sales teach with a version's forests, and how much of these holds.

    Attributes
    ----------
    product_share, day_share
        Shares of the forests of products and of days, 0 to 1.5.
    days, date
        What that adds to the log odds on the days of the sales and on the date to price, shape (n_products, n_days) and
        (n_products,).
    kinds
        Fits of the stores of each kind.
    store_share
        Whether the forest of stores holds, 0 or 1.
    joined
        Kind of each store without sales, by its position among `kinds`, as that forest says.
    """

    fit: Fit
    product_share: float
    day_share: float
    days: Floats
    date: Floats
    kinds: tuple[Fit, ...] = ()
    store_share: float = 0.0
    joined: Mapping[str, int] = field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether anything holds of what the forests say."""
        return bool(self.product_share or self.day_share or self.store_share)


def hear_products(
    fit: Fit, knots: Knots, settings: BeliefSettings, sales: Sales, lines: Floats | None
) -> tuple[Fit, float]:
    """Refit demand with what a forest says of each product; return the fit and the share of it that holds.

    The spread of products around that is found anew, for a forest that knows kinds leaves less of it.

    Parameters
    ----------
    lines
        Level and slope of each product around the mean of the shelf, log odds, shape (n_products, 2); None for nothing.
    """
    is_sold = np.diff(sales.starts) > 0
    if lines is None or not is_sold.any():
        return fit, 0.0
    shift = lines[:, :1] + lines[:, 1:] * (knots.ratios - 1)
    some = np.flatnonzero(is_sold)[evenly_chosen(int(is_sold.sum()), MOST_STUDIED)]

    def likeliest(share: float) -> Fit:
        study = Study(knots, settings, sales, share * shift if share else None).among(some)
        return study.likeliest(fit.shape, fit.effects.spreads, fit.state_of_day, ("own",) if share else ())

    best, most = (fit, 0.0), likeliest(0.0).effects.log_evidence + CLEARLY
    for share in SHARES:
        heard = likeliest(share)
        if heard.effects.log_evidence > most:
            best = replace(fit, shape=heard.shape, prior_shift=share * shift), share
            most = heard.effects.log_evidence
    return (best[0].refit(knots, settings, sales), best[1]) if best[1] else best


def kinds_joined(levels: pd.Series, kinds: Sequence[Sequence[str]], of_kinds: Floats) -> Mapping[str, int] | None:
    """Return the kind that each store without sales joins, by position; None unless sales bear the levels out.

    They do where the levels of stores with sales are likelier by far around what a forest says of them, as if each
    were new, than around one mean: both spreads are fitted to few stores.

    Parameters
    ----------
    levels
        What a forest says of each store, log odds, by store id.
    kinds, of_kinds
        Stores with sales of each kind, and the level of each kind, log odds, shape (n_kinds,).
    """
    kind_of = {store: kind for kind, stores in enumerate(kinds) for store in stores}
    sold = levels[levels.index.isin(list(kind_of))]
    true = of_kinds[[kind_of[store] for store in sold.index]]
    left = float(np.mean((true - sold) ** 2)) + _ALIKE**2
    if len(sold) / 2 * np.log((float(np.var(true)) + _ALIKE**2) / left) <= _WORTH:
        return None
    new = levels.drop(sold.index)
    return {str(store): int(np.abs(of_kinds - level).argmin()) for store, level in new.items()}


def hear(
    fit: Fit,
    knots: Knots,
    settings: BeliefSettings,
    sales: Sales,
    lines: Floats | None,
    levels: Floats | None,
) -> Hearing:
    """Refit demand with what the forests of a version say of products and of days.

    Parameters
    ----------
    lines
        As in `hear_products`.
    levels
        Level of each product on the days of the sales and on the date to price around its usual one, log odds, shape
        (n_products, n_days + 1); None for nothing.
    """
    heard, product_share = hear_products(fit, knots, settings, sales, lines)
    if levels is None:
        nothing = np.zeros((len(knots.ratios), len(sales.dates) + 1))
        return Hearing(heard, product_share, 0.0, nothing[:, 1:], nothing[:, 0])
    heard, day_share = heard.with_day_effects(knots, settings, sales, levels[:, :-1])
    return Hearing(heard, product_share, day_share, day_share * levels[:, :-1], day_share * levels[:, -1])
