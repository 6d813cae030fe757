"""Which limits hold a price, and which ones a stronger limit overrules, by store and product."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import NO_CLAMPS
from serving.limits.guardrails import caps_beside, guarded_with_trail
from serving.limits.limits import Limits

CAPS = ("rivals", "families", "own_brands")
"""Rules by which prices of others keep one down."""
ORDERED = ("not_approved", "frozen", "event", "override", "kill_switch")
"""Rules by which a price is people's and not the policy's."""


@dataclass(frozen=True)
class ByProduct(Sequence[tuple[str, ...]]):
    """Limits of each product of a store by name, the last one applied last; named when somebody asks for a product.

    Attributes
    ----------
    n_products
        How many products the store has.
    product, rule
        The product of each limit, ascending, and its position in `rules`, shape (n_limits,).
    """

    n_products: int
    product: Ints
    rule: Ints
    rules: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many products there are."""
        return self.n_products

    def __getitem__(self, index: Any) -> Any:
        """Return the limits of one product."""
        position = range(self.n_products)[index]
        first, end = np.searchsorted(self.product, (position, position + 1))
        return tuple(self.rules[rule] for rule in self.rule[first:end].tolist())


def limits_by_product(clamps: NDArray[Any], rules: tuple[str, ...], shape: tuple[int, int]) -> list[ByProduct]:
    """Return which limits changed a price on the way, for each store; `shape` is (n_stores, n_products)."""
    in_order = clamps[np.argsort(clamps["decision"], kind="stable")]
    store, product = np.divmod(in_order["decision"], shape[1])
    begins = np.searchsorted(store, np.arange(shape[0] + 1)).tolist()
    return [ByProduct(shape[1], product[own], in_order["rule"][own], rules) for own in starmap(slice, pairwise(begins))]


def overruled_by(limits: Limits | None, prices: Floats, shelf: Shelf) -> list[ByProduct]:
    """Return which limits the prices that stand do not keep, EUR, shape (n_stores, n_products), for each store.

    The limits are applied to the prices that stand, which are theirs already: whatever one changes again, a stronger
    one has changed back. A bound that is kept, and a price that waits while another one is ordered, are left out; of
    several bounds that are not kept, the one that is applied later is named only where it is the stricter one.
    """
    if limits is None:
        return limits_by_product(NO_CLAMPS, (), prices.shape)
    beside = replace(limits, caps=caps_beside(limits, prices)) if limits.links else limits
    _, clamps = guarded_with_trail(beside, prices, shelf)
    stands, after = prices.ravel()[clamps["decision"]], clamps["after"]
    rule = np.array(limits.rules)[clamps["rule"]]
    is_kept = np.where(after < clamps["before"], after >= stands, after <= stands)
    is_kept = np.where(np.isin(rule, ORDERED), after == stands, is_kept) | (rule == "not_approved")
    return limits_by_product(clamps[~is_kept], limits.rules, prices.shape)


class Overruled:
    """Which limits the prices of some stores do not keep, worked out when somebody asks.

    Parameters
    ----------
    limits
        What limits the prices; None where nothing does.
    prices
        Those that stand, EUR, shape (n_stores, n_products).
    """

    def __init__(self, limits: Limits | None, prices: Floats, shelf: Shelf) -> None:
        self._asked = limits, prices, shelf

    @cached_property
    def by_store(self) -> list[ByProduct]:
        """The limits of each store."""
        return overruled_by(*self._asked)
