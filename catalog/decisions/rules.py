"""What can decide a price: every rule in words, the order of those that limit it, and the record of one that did."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

RULES = {
    "base_price": "it is the base price",
    "low_stock": "stock is low",
    "greedy": "it promises the most per visit",
    "stock_value": "it earns most until closing",
    "exploration": "trying a price to learn demand",
    "sold_out": "nothing is left to sell",
    "shelf_price": "nobody released another price, so the shelf price stands",
    "drawn_price": "it was drawn for the week, the likelier the more it is believed to earn",
    "homeward_price": "the price goes back to the shelf price in steps, as prices always move",
    "held_price": "the product is held at the shelf price, so that its sales tell what drawn prices bring",
    "kill_switch": "the kill switch is on",
    "impossible_price": "no usable price was asked for",
    "frozen": "its price is frozen",
    "override": "a person set it",
    "calm": "prices are calm: a change would earn too little, or rise too fast",
    "moving_share": "no more prices may change at once",
    "largest_step": "the largest step allowed",
    "largest_daily_move": "the farthest it may go in a day",
    "price_ending": "the nearest price with the set ending",
    "changes_per_day": "it has changed as often as it may in a day",
    "down_only_within_day": "it may not rise before the next day",
    "one_price": "all stores of the zone show one price",
    "rivals": "rivals' prices allow no higher one",
    "families": "a larger pack is never dearer per unit than a smaller one",
    "own_brands": "the own brand stays below the brand",
    "event": "an event holds it",
    "markdown_only": "it may be marked down from the base price, not raised above it",
    "ceiling": "its ceiling",
    "floor": "its floor",
    "minimum_margin": "its cost plus the minimum margin",
    "not_approved": "nobody has approved another price",
}
"""Every rule that can bind a price, with the words that follow "Raised Milk 1.35 -> 1.62: "."""

LIMITS = (
    "impossible_price",
    "calm",
    "moving_share",
    "changes_per_day",
    "largest_step",
    "largest_daily_move",
    "price_ending",
    "down_only_within_day",
    "one_price",
    "rivals",
    "families",
    "own_brands",
    "not_approved",
    "frozen",
    "event",
    "override",
    "ceiling",
    "markdown_only",
    "floor",
    "minimum_margin",
    "kill_switch",
)
"""The rules that limit what a policy asks for, in the order they are applied: the last one wins.

First how far a policy may go within the day, then the one price of a zone, then what rivals' prices allow, then
what other prices of the shelf allow, then what was approved, then what people ordered, then floor, ceiling, base price
and cost, and last the kill switch.
"""

CLAMP = np.dtype([("decision", np.int64), ("rule", np.int64), ("before", np.float64), ("after", np.float64)])
"""One limit that changed one price: position of the decision in the flattened arrays, rule, prices in EUR."""

NO_CLAMPS: NDArray[Any] = np.empty(0, dtype=CLAMP)
