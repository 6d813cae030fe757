import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product


def test_the_ladder_climbs_in_twenty_cent_prices_from_floor_to_ceiling() -> None:
    catalog = load(CLASSIC)
    ladder = price_ladder(catalog)
    assert ladder.shape == (5, 20)
    assert (np.diff(ladder, axis=1) > 0).all()
    assert np.array_equal(ladder, np.round(ladder, 2))
    assert ladder[:, 0].tolist() == [product.floor for product in catalog.products]
    assert ladder[:, -1].tolist() == [product.ceiling for product in catalog.products]


@settings(deadline=None, max_examples=50)
@given(base=st.integers(10, 100_000), floor=st.floats(0.2, 1), ceiling=st.floats(1, 5), n_prices=st.integers(2, 200))
def test_every_ladder_stays_within_its_limits_in_whole_cents(
    base: int, floor: float, ceiling: float, n_prices: int
) -> None:
    low = max(int(base * floor), 1) / 100
    product = Product(
        sku="X",
        name="X",
        category="x",
        base_price=base / 100,
        unit_cost=low,
        floor_price=low,
        ceiling_price=int(base * ceiling) / 100,
    )
    ladder = price_ladder(Catalog((product,), load(CLASSIC).store.model_copy(update={"ladder_prices": n_prices})))[0]
    assert len(ladder) == n_prices
    assert (np.diff(ladder) >= 0).all()
    assert (ladder[0], ladder[-1]) == (product.floor, product.ceiling)
    assert np.array_equal(ladder, np.round(ladder, 2))


def test_asking_for_a_product_that_is_not_there_names_those_that_are() -> None:
    assert load(CLASSIC).product("MILK").base_price == 1.50
    with pytest.raises(CatalogError, match=r"'WINE'.*MILK, BREAD, EGGS, CHEESE, MEAT"):
        load(CLASSIC).product("WINE")


def test_a_price_that_is_no_whole_cent_cannot_stand_on_a_shelf() -> None:
    milk = load(CLASSIC).product("MILK").model_dump()
    with pytest.raises(ValueError, match=r"whole cents, found 1\.005"):
        Product.model_validate(milk | {"floor_price": 1.005})
