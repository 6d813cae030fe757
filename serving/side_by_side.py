"""The prices of a shelf beside each other: the highest price that each leaves the products that are to stay below it.

What counts is the price that is shown in the end, after every limit, so caps are found from the products that nothing
is above down to those at the end of a chain. A product that others stay below is never tried at another price: then
the caps are known before anything is tried, and the chance of a trial can be logged.
"""

from dataclasses import replace

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.limits import not_above
from catalog.pricing import Shelf
from serving.guardrails import guarded
from serving.limits import Limits


def side_by_side(limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None = None) -> Limits:
    """Return the limits with the caps that hold where these prices are asked for, EUR, shape (n_stores, n_products)."""
    if not limits.links:
        return limits
    while True:  # links have no circle, so each pass settles one more product of a chain
        found = replace(limits, caps=caps_beside(limits, guarded(limits, asked, shelf, may_move)))
        if limits.caps and all(
            np.array_equal(own, limits.caps[rule], equal_nan=True) for rule, own in found.caps.items()
        ):
            return found
        limits = found


def caps_beside(limits: Limits, shown: Floats) -> dict[str, Floats]:
    """Return by rule the highest prices that shown ones allow, with the price ending, EUR, of the same shape."""
    caps = dict[str, Floats]()
    for link in limits.links:
        of_rule = caps.setdefault(link.rule, np.full(shown.shape, np.nan))
        most = not_above(shown[..., link.other] * link.ratio, limits.rails.price_ending, limits.money)
        of_rule[..., link.own] = np.fmin(of_rule[..., link.own], most)
    return caps


def is_above_another(limits: Limits) -> Flags:
    """Tell which products others have to stay below, shape (n_products,)."""
    above = np.zeros(len(limits.base_prices), dtype=bool)
    above[[link.other for link in limits.links]] = True
    return above
