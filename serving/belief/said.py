"""What a champion said beforehand of a product and of a day, in sentences."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import expit

from catalog.arrays import Floats
from catalog.currency import Currency
from catalog.records.product import Product
from catalog.tables.contracts import TABLES

_TWO_SIDED = 1.96
_LEAST = 0.005  # change of a chance, as a share, that is worth a sentence


@dataclass(frozen=True)
class Said:
    """What the forests of a champion add before a sale, as far as it holds.

    Attributes
    ----------
    of_products
        Log odds at the base price of each product, shape (n_products,); None where nothing holds.
    of_day
        Log odds of each product on the date, of the same shape; None as above.
    day
        What is known of the date, in words.
    """

    of_products: Floats | None = None
    of_day: Floats | None = None
    day: str = ""

    def to_table(self, skus: Sequence[str], model_version: str) -> pa.Table | None:
        """Return it in the columns of `said_beforehand`; None where nothing was said."""
        if self.of_products is None and self.of_day is None:
            return None
        added = {"of_product": self.of_products, "of_day": self.of_day}
        columns: dict[str, list[Any]] = {
            name: [None] * len(skus) if values is None else values.tolist() for name, values in added.items()
        }
        columns |= {
            "sku": list(skus),
            "day": [self.day or None] * len(skus),
            "model_version": [model_version] * len(skus),
        }
        return pa.table(columns, schema=TABLES["said_beforehand"].schema)


NOTHING_SAID = Said()
"""Without a champion, or where nothing of what it says holds."""


def said_in_words(
    said: Mapping[str, Any], row: Mapping[str, Any], product: Product, date: dt.date, money: Currency
) -> Iterator[str]:
    """Yield what the champion said beforehand of a product, a sentence each; nothing where that changes little.

    Parameters
    ----------
    said, row
        Rows of `said_beforehand` and of `beliefs` of the product.
    date
        Business date that the belief is about.
    """
    state, ratios = row["states"][0], np.array(row["price_ratios"])
    n_knots, base = len(ratios), int(np.abs(ratios - 1).argmin())
    odds = float(np.interp(1.0, ratios, state["mean"]))
    if said["of_product"] is not None:
        kind = ", ".join(word for word in (product.category, product.brand, product.tier) if word)
        met = sum(row["met"])
        if met:
            change = _change(odds, said["of_product"])
            if abs(change) >= _LEAST:
                less = f"{abs(change):.0%} {'more' if change > 0 else 'less'} than an average product"
                yield (
                    f"As its kind sells ({kind}), {product.name} was expected to sell {less}; {met:,.0f} visits have "
                    "corrected that."
                )
        else:
            own = np.array(state["own"])[np.flatnonzero(np.equal(*np.tril_indices(n_knots)))][base]
            shared = np.array(state["shared"]).reshape(n_knots, -1)[base]
            spread = _TWO_SIDED * float(np.sqrt(own + shared @ shared))
            half = 100 * (expit(odds + spread) - expit(odds - spread)) / 2
            price = money.format_money(product.base_price)
            yield f"{product.name}, new: as its kind sells ({kind}), {expit(odds):.0%} buy at {price} (+-{half:.0f})."
    if said["of_day"] is not None and abs(change := _change(odds, said["of_day"])) >= _LEAST:
        known = f", {said['day']}" if said["day"] else ""
        more = "more" if change > 0 else "fewer"
        yield f"{date:%A}{known}: {abs(change):.0%} {more} buy {product.name} than on a usual day."


def _change(odds: float, added: float) -> float:
    """Return by which share log odds that were added change a chance of sale."""
    return float(expit(odds) / expit(odds - added)) - 1
