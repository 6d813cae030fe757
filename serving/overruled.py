"""Which limits hold a price, and which ones a stronger limit overrules, by store and product."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats
from catalog.price_rules import NO_CLAMPS
from catalog.pricing import Shelf
from serving.guardrails import guarded_with_trail
from serving.limits import Limits
from serving.side_by_side import caps_beside

ByProduct = tuple[tuple[str, ...], ...]
"""Names of limits by product, the last one applied last."""

CAPS = ("rivals", "families", "own_brands")
"""Rules by which prices of others keep one down."""
ORDERED = ("not_approved", "frozen", "event", "override", "kill_switch")
"""Rules by which a price is people's and not the policy's."""


def limits_by_product(clamps: NDArray[Any], rules: tuple[str, ...], shape: tuple[int, int]) -> list[ByProduct]:
    """Return which limits changed a price on the way, for each store; `shape` is (n_stores, n_products)."""
    found: list[list[tuple[str, ...]]] = [
        [()] * shape[1] for _ in range(shape[0])
    ]  # most prices of a chain have no limit, and share that
    for decision, rule in zip(clamps["decision"].tolist(), clamps["rule"].tolist(), strict=True):
        row, own = divmod(decision, shape[1])
        found[row][own] = (*found[row][own], rules[rule])
    return [tuple(row) for row in found]


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
