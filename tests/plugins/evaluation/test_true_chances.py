"""The truth that models are scored by, where each product has shoppers of its own."""

import datetime as dt

import numpy as np

from catalog.load import CLASSIC, DEFAULT_DIR, Catalog, load
from catalog.records.shoppers import DemandEffect
from plugins.evaluation.logged_visits import LoggedVisits
from plugins.evaluation.truth import chance_of_sale, chance_on, true_chances_at


def test_the_true_chance_of_a_logged_visit_is_that_of_its_own_product() -> None:
    catalog, date = load(DEFAULT_DIR / "worlds" / "own_curves"), dt.date(2026, 1, 5)
    n_products = len(catalog.products)
    ratios = np.linspace(0.7, 1.6, 7)
    product = np.repeat(np.arange(n_products), len(ratios))
    price = (catalog.base_prices[:, None] * ratios).ravel()
    zeros = np.zeros(len(product), dtype=np.int64)
    visits = LoggedVisits(
        days=(date,),
        day=zeros,
        stores=("S01",),
        store=zeros,
        product=product,
        stock=zeros + 1,
        tick=zeros,
        price=price,
        propensity=np.ones(len(product)),
        purchased=zeros.astype(bool),
        dice=zeros,
        n_store_days=1,
    )
    expected = chance_on(catalog, date, np.tile(ratios, (n_products, 1)))
    assert np.allclose(true_chances_at(catalog, visits, price), expected.ravel(), atol=1e-12)


def test_the_truth_of_a_visit_is_that_of_its_own_tick_and_store() -> None:
    plain = load(CLASSIC)
    evening = DemandEffect(starts="16:00", stores=("S02",), budget_shift=-0.2)
    catalog = Catalog(plain.products, plain.store.model_copy(update={"demand_effects": (evening,)}))
    each, price = np.arange(4), np.full(4, catalog.base_prices[1])
    visits = LoggedVisits(
        days=(dt.date(2026, 1, 5),),
        day=0 * each,
        stores=("S01", "S02"),
        store=np.array([0, 0, 1, 1]),
        product=0 * each + 1,
        stock=0 * each + 1,
        tick=np.array([31, 32, 31, 32]),
        price=price,
        propensity=np.ones(4),
        purchased=each < 0,
        dice=each,
        n_store_days=2,
    )
    usual, poor = (chance_of_sale(catalog, np.array(1.0), shift) for shift in (0.0, -0.2))
    assert true_chances_at(catalog, visits, price).tolist() == [usual, usual, usual, poor]
