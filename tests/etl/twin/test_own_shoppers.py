"""Products whose shoppers are others: each is sold by the chance that its own personas give."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from catalog.decisions.store_day import BOUGHT
from catalog.load import Catalog
from catalog.records.shoppers import Persona
from etl.twin.store_day import play
from etl.twin.visits import draw_visits
from plugins.evaluation.truth import chance_of_sale, chance_on
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront

MILK = (
    Persona(name="frugal", share=0.7, mean=0.8, standard_deviation=0.1),
    Persona(name="wealthy", share=0.3, mean=1.4, standard_deviation=0.3),
)
MEAT = (Persona(name="everyone", share=1.0, mean=1.3, standard_deviation=0.1),)


@pytest.fixture(scope="session")
def own(shelf: Catalog) -> Catalog:
    """Milk and meat have shoppers of their own; nothing sells out."""
    personas = {"MILK": MILK, "MEAT": MEAT}
    products = tuple(
        product.model_copy(update={"par_stock": 30_000, "personas": personas.get(product.sku, ())})
        for product in shelf.products
    )
    return Catalog(products, shelf.store.model_copy(update={"visits_per_day": 20_000.0}))


@pytest.mark.parametrize("ratio", [0.75, 1.0, 1.25])
@pytest.mark.parametrize("shift", [0.0, -0.2])
def test_the_share_of_purchases_of_each_product_is_its_own_true_chance_of_sale(
    own: Catalog, day: dt.date, ratio: float, shift: float
) -> None:
    shocks = own.store.model_validate(
        own.store.model_dump() | {"shocks": ({"business_date": day, "sku": "MILK", "budget_shift": shift},)}
    )
    catalog = Catalog(own.products, shocks)
    played = play(catalog, Storefront(StaticPolicy(catalog.base_prices * ratio)), ("S01", "S02"), day, 7)
    expected = chance_on(catalog, day, np.full((5, 2), ratio))
    assert np.array_equal(expected[:, 0], expected[:, 1])
    for product, chance in enumerate(expected[:, 0]):
        bought = played.outcome[played.product == product] == BOUGHT
        assert len(bought) > 4_000
        assert abs(bought.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / len(bought)) + 1e-4, product


def test_a_product_without_shoppers_of_its_own_has_the_stores(own: Catalog, shelf: Catalog, day: dt.date) -> None:
    ratios = np.linspace(0.7, 1.6, 9)
    curves, usual = (chance_on(one, day, np.tile(ratios, (5, 1))) for one in (own, shelf))
    assert np.array_equal(curves[1:4], usual[1:4])
    as_stores = Catalog(shelf.products, shelf.store.model_copy(update={"personas": MILK}))
    assert np.array_equal(curves[0], chance_of_sale(as_stores, ratios))


def test_the_chance_of_any_visit_follows_from_its_product(own: Catalog) -> None:
    product, ratio = np.array([4, 0, 2, 0]), np.array([1.2, 0.9, 1.0, 1.5])
    chances = chance_of_sale(own, ratio, 0.1, product)
    single = [chance_of_sale(own, np.array([r]), 0.1, np.array([p]))[0] for p, r in zip(product, ratio, strict=True)]
    assert chances.tolist() == single
    assert chance_of_sale(own, np.array([1.2, 1.2]), product=np.array([4, 1]))[0] == pytest.approx(0.841, abs=1e-3)


def test_shoppers_of_one_product_change_nobody_elses_draws(
    own: Catalog, with_store: Callable[..., Catalog], day: dt.date
) -> None:
    usual, others = draw_visits(with_store(visits_per_day=20_000.0), ["S01"], day, 7), draw_visits(own, ["S01"], day, 7)
    changed = np.isin(usual.product, [0, 4])
    for name in ("product", "shopper", "since_opening_us", "dice"):
        assert np.array_equal(getattr(usual, name), getattr(others, name))
    assert np.array_equal(usual.multiplier[~changed], others.multiplier[~changed])
    assert (usual.multiplier[changed] != others.multiplier[changed]).mean() > 0.99
