"""A product without stock keeps its label: no policy gives it another price until it is delivered again."""

import numpy as np
import pytest

from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from plugins.desk.standing import usual_prices
from serving.store.storefront import storefront_before_champion

SHELF = load(CLASSIC)
STOCK = np.array([[0, 40, 0, 1, 90]])
IS_OUT = STOCK[0] == 0


def shelf(shown: list[float] | None) -> Shelf:
    prices = np.full(STOCK.shape, np.nan) if shown is None else np.array([shown])
    return Shelf(STOCK, prices, 30, np.full(STOCK.shape, 0.999), None if shown is None else prices, ("S01",))


@pytest.mark.parametrize("name", [None, "rule"])
def test_a_sold_out_product_keeps_its_label_and_opens_at_its_base_price(name: str | None) -> None:
    front = storefront_before_champion(Catalog(SHELF.products, SHELF.store), name)
    shown = (1.1 * SHELF.base_prices).round(2)
    during, opening = front.decide(shelf(shown.tolist())).prices[0], front.decide(shelf(None)).prices[0]
    assert during[IS_OUT].tolist() == shown[IS_OUT].tolist()
    assert opening[IS_OUT].tolist() == SHELF.base_prices[IS_OUT].tolist()
    assert (opening[3] > SHELF.base_prices[3]) == (name == "rule" and SHELF.store.policies.rule.low_stock >= 1)
    usual = usual_prices(front, shelf(None))
    assert usual.prices[0][IS_OUT].tolist() == SHELF.base_prices[IS_OUT].tolist()
