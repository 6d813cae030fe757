"""The support guard: a policy chooses among prices that were observed, and a product that never varied is not priced.

A forest is flat outside the prices it has seen, so there it promises a chance of sale that nobody measured. Trying may
reach one step of the ladder beyond the support, so that the support can grow.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from catalog.pricing import Policy, PriceDecision, Shelf
from serving.curves import DemandCurves
from serving.exploration import chance_at

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


def base_where_unvaried(policy: Policy, catalog: Catalog, curves: DemandCurves) -> Policy:
    """Return the policy with base prices in place of its own for products without support."""
    if curves.has_support.all():
        return policy
    p_base = chance_at(curves.prices, curves.p_sale, catalog.base_prices[None, :])[0]
    return BaseWhereUnvaried(policy, curves.has_support, catalog.base_prices, p_base)


@dataclass(frozen=True)
class BaseWhereUnvaried:
    """The inner policy's prices, and the base price of each product without support.

    `has_support`, `base_prices` (EUR) and `p_base`, the chance of sale at them, have shape (n_products,).
    """

    inner: Policy
    has_support: Flags
    base_prices: Floats
    p_base: Floats

    @property
    def name(self) -> str:
        """The inner policy's name."""
        return self.inner.name

    @property
    def model_version(self) -> str | None:
        """The inner policy's model version."""
        return self.inner.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The inner policy's rules and `never_varied`."""
        return (*self.inner.rules, "never_varied")

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Decide as the inner policy where it knows enough; what a unit kept is worth is not known elsewhere."""
        own = self.inner.decide(shelf)
        prices = np.where(self.has_support, own.prices, self.base_prices)
        return replace(
            own,
            prices=prices,
            unconstrained=prices,
            rule=np.where(self.has_support, own.rule, len(self.inner.rules)),
            p_sale=np.where(self.has_support, own.p_sale, self.p_base),
            unit_value=np.where(self.has_support, own.unit_value, np.nan),
        )
