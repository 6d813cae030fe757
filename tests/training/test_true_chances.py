"""The truth that models are scored by, where each product has shoppers of its own."""

import datetime as dt

import numpy as np

from catalog.load import DEFAULT_DIR, load
from features.footfall import LoggedVisits
from simulation.truth import chance_on
from training.same_shoppers import true_chances_at


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
