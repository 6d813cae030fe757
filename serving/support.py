"""Support: a policy chooses among prices that were observed; a product whose price never varied keeps its base price.

A forest is flat outside the prices it has seen, so there it promises a chance of sale that nobody measured.
Exploration may go one step of the ladder beyond the support, so that the support can grow.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from serving.curves import DemandCurves, chance_at
from serving.pricing_policy import Asked

_SAME = 1e-9  # EUR


def with_support(curves: DemandCurves, observed: Floats) -> DemandCurves:
    """Mark the candidates that lie between the lowest and highest price observed, EUR, shape (n_products, 2).

    A product with a single observed price, or none, has no support: nothing is known about how demand answers.
    """
    lowest, highest = observed[:, :1], observed[:, 1:]
    inside = (curves.prices >= lowest - _SAME) & (curves.prices <= highest + _SAME)
    return replace(curves, observed=inside & (highest - lowest > _SAME))


def may_be_tried(curves: DemandCurves) -> Flags:
    """Flag the supported candidates and one step beyond; the whole ladder of a product without support."""
    wider = curves.supported.copy()
    wider[:, 1:] |= curves.supported[:, :-1]
    wider[:, :-1] |= curves.supported[:, 1:]
    return wider | ~curves.has_support[:, None]


@dataclass(frozen=True)
class Support:
    """Which products' prices may follow the policy, and what stands in for the others, shape (n_products,).

    `base_prices` are in EUR; `p_base` is the chance of sale at them.
    """

    is_known: Flags
    base_prices: Floats
    p_base: Floats

    def apply(self, asked: Asked, rule: int) -> Asked:
        """Ask for the base price of every product without support; what a unit kept is worth is not known there.

        `rule` is the number of `never_varied` among the rules.
        """
        return Asked(
            prices=np.where(self.is_known, asked.prices, self.base_prices),
            rule=np.where(self.is_known, asked.rule, rule),
            p_sale=np.where(self.is_known, asked.p_sale, self.p_base),
            unit_value=np.where(self.is_known, asked.unit_value, np.nan),
        )


def support_of(catalog: Catalog, curves: DemandCurves) -> Support | None:
    """Return the support that curves have; None where every product has some and so nothing is to be done."""
    if curves.has_support.all():
        return None
    p_base = chance_at(curves.prices, curves.p_sale, catalog.base_prices[None, :])[0]
    return Support(curves.has_support, catalog.base_prices, p_base)
