"""One sentence for people behind each price decision."""

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import RULES
from warehouse.columns import coded


def reasons(
    catalog: Catalog,
    rules: tuple[str, ...],
    product: Ints,
    old_price: Floats,
    new_price: Floats,
    p_sale: Floats,
    unit_value: Floats,
    rule: Ints,
) -> pa.DictionaryArray:
    """Return a sentence per decision, all arguments of shape (n_decisions,).

    Few decisions differ in what their sentence says, so each distinct sentence is written once and pointed at.

    Parameters
    ----------
    rules
        Names that `rule` points into.
    product
        Position on the shelf.
    old_price, new_price
        EUR; the old one is NaN at opening.
    p_sale, unit_value
        Chance of sale at the new price, and value of a unit kept, EUR; NaN without a model.
    """
    worth = np.round(unit_value, 2)
    code, first = _distinct(product, old_price, new_price, p_sale, worth, rule)
    names = [product.name for product in catalog.products]
    sentences = [
        _sentence(names[product[row]], old_price[row], new_price[row], p_sale[row], worth[row], rules[rule[row]])
        for row in first
    ]
    return coded(code, sentences)


def _distinct(*columns: Ints | Floats) -> tuple[Ints, Ints]:
    """Return a number for each row, equal where the columns are, and the first row with each number."""
    combined = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        combined, _ = pd.factorize(combined * max(len(values), 1) + codes)
    _, first = np.unique(combined, return_index=True)
    return combined, first


def _sentence(name: str, old_price: float, new_price: float, p_sale: float, worth: float, rule: str) -> str:
    if np.isnan(old_price):
        move = f"Opened {name} at {new_price:.2f}"
    elif new_price == old_price:
        move = f"Kept {name} at {new_price:.2f}"
    else:
        verb = "Raised" if new_price > old_price else "Lowered"
        move = f"{verb} {name} {old_price:.2f} -> {new_price:.2f}"
    chance = "" if np.isnan(p_sale) else f", chance of sale {100 * p_sale:.0f} %"
    kept = "" if np.isnan(worth) else f", a unit kept is worth {worth:.2f}"
    return f"{move}: {RULES[rule]}{kept}{chance}"
