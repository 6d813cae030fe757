"""What a trial is worth: by what a day can sell, and whatever the owner's price is trusted with."""

import numpy as np
from scipy.stats import poisson

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from serving.belief.belief import Understanding, believed_before_anybody_came, opened
from serving.belief.gaussian import Knots
from serving.learning.worth_knowing import Drawn, StockedDay, drawn_gains, worth_knowing

CATALOG = load(CLASSIC)
N_PRODUCTS = len(CATALOG.skus)


def drawn_with(trust: float, units: float) -> Drawn:
    """Return draws before any sale, for 200 visits a day to each product."""
    understanding: Understanding = opened(CATALOG, believed_before_anybody_came(CATALOG)).at_opening
    day = StockedDay(np.full(N_PRODUCTS, 200.0), np.full(N_PRODUCTS, units))
    costs, base = np.zeros(N_PRODUCTS), CATALOG.base_prices
    return drawn_gains(Knots.of(CATALOG), understanding, price_ladder(CATALOG), costs, base, trust, day)


def test_trust_in_the_owners_price_moves_expected_sales_and_never_what_a_trial_is_worth() -> None:
    trusted, free = (drawn_with(trust, np.inf) for trust in (10.0, 0.0))
    assert np.abs(trusted.moved).max() > 0.01
    assert not np.abs(free.moved).any()
    visits = np.full(N_PRODUCTS, 200.0)
    both = [worth_knowing(drawn, 28 * visits, visits, 0.01) for drawn in (trusted, free)]
    for with_trust, without in zip(*both, strict=True):
        np.testing.assert_array_equal(with_trust, without)


def test_a_day_sells_its_units_at_most_and_as_many_as_poisson_purchases_take() -> None:
    day, chances = StockedDay(np.array([200.0, 15.0, 80.0]), np.array([100.0, 3.0, np.inf])), np.linspace(0, 1, 30)
    sold = day.sold(np.broadcast_to(chances, (1, 3, 30)))[0]
    for product, (visits, units) in enumerate(zip(day.visits, day.units, strict=True)):
        counts = np.arange(1_000)
        exact = [poisson.pmf(counts, visits * chance) @ np.minimum(counts, units) / visits for chance in chances]
        np.testing.assert_allclose(sold[product], exact, atol=2e-3)


def test_where_stock_is_short_low_prices_are_worth_less_than_where_it_is_ample() -> None:
    short, ample = (drawn_with(0.0, units).gains.mean(axis=0) for units in (20.0, np.inf))
    assert (short <= ample + 1e-9).all()
    assert (short.argmax(axis=1) > ample.argmax(axis=1)).all()
