"""Look-ups in one product's price book, as the Prices page asks for them."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class BookLine:
    """One line of a price book.

    Attributes
    ----------
    stock, ticks_left
        The state it is for: units on the shelf and ticks until closing, the current one included.
    price, unconstrained_price
        EUR, after and before the limits.
    p_sale
        Chance that a shopper who considers the product buys it.
    unit_value
        What one more unit kept is worth, EUR; 0 where the policy does not value stock.
    binding_rule
        The last limit that changed the price, else the policy's rule.
    """

    stock: int
    ticks_left: int
    price: float
    unconstrained_price: float
    p_sale: float
    unit_value: float
    binding_rule: str


def line_at(book: pd.DataFrame, stock: int, ticks_left: int, cost: float = 0.0) -> BookLine:
    """Look a state up in the rows of `product_book`; a state beyond the book is read at its edge.

    Parameters
    ----------
    cost
        What a unit costs, EUR, where margin or profit is maximised: a book tells what a unit is worth beyond it.
    """
    stock = min(max(stock, int(book["inventory_level"].min())), int(book["inventory_level"].max()))
    ticks_left = min(max(ticks_left, int(book["ticks_left"].min())), int(book["ticks_left"].max()))
    line = book[(book["inventory_level"] == stock) & (book["ticks_left"] == ticks_left)].iloc[0]
    return BookLine(
        stock,
        ticks_left,
        float(line["price"]),
        float(line["unconstrained_price"]),
        float(line["p_sale"]),
        cost + (0.0 if pd.isna(line["unit_value"]) else float(line["unit_value"])),
        str(line["binding_rule"]),
    )
