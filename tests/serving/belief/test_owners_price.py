"""The owner's price has a fair start: it stands until sales tell another one from it, and then hardly weighs."""

from collections.abc import Callable

import numpy as np
from believing import believed_after
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from plugins.evaluation.truth import chance_of_sale
from serving.belief.belief import Belief, believed_before_anybody_came
from serving.belief.gaussian import Counts, Knots
from serving.learning.outlook import DayStart, Outlook, start_of_day


def shelf(trust: float = 10.0, par: int = 400, **exploration: float) -> Catalog:
    """Return the default shelf with ample stock."""
    catalog = load(CLASSIC)
    products = tuple(one.model_copy(update={"par_stock": par}) for one in catalog.products)
    changed = {
        "belief": catalog.store.belief.model_copy(update={"trust_in_owner": trust, "visits_per_unit": 0.5}),
        "exploration": catalog.store.exploration.model_copy(update=exploration),
    }
    return Catalog(products, catalog.store.model_copy(update=changed))


def asked(outlook: Outlook) -> Floats:
    """Return the opening price of each product with the shelf full."""
    catalog = outlook.start.catalog
    full, nothing = catalog.par_stock[None], np.full((1, len(catalog.skus)), np.nan)
    return outlook.policy.ask(Shelf(full, nothing, catalog.store.opening.ticks, np.zeros(full.shape))).prices[0]


def after(catalog: Catalog, visits: float) -> Belief:
    """Return what is believed after so many visits at the base price and near it, of shoppers as configured."""
    knots = Knots.of(catalog)
    met = np.where(np.abs(knots.ratios - 1) < 0.1, visits, 0.0)
    return believed_after(catalog, Counts(met, met * chance_of_sale(catalog, knots.ratios)))


def test_before_anybody_came_prices_are_the_nearer_to_the_owners_the_more_he_is_trusted() -> None:
    trusts = (0.0, 10.0, 1_000.0)
    starts = [start_of_day(own, believed_before_anybody_came(own)) for own in map(shelf, trusts)]
    apart = [np.abs(asked(own.outlook()) / own.catalog.base_prices - 1) for own in starts]
    assert (apart[0] > apart[1]).all()
    assert (apart[1] > apart[2]).all()
    assert (apart[2] == 0).all()


def test_once_demand_is_known_the_owners_price_weighs_nothing(explored_sales: Callable[..., Counts]) -> None:
    counts = explored_sales(shelf(), 2_000_000, budget_shift=0.5)
    known = [
        asked(start_of_day(own, believed_after(own, counts)).outlook())
        for own in (shelf(trust=1_000.0), shelf(trust=0.0))
    ]
    assert np.array_equal(known[0], known[1])
    assert (known[0] != shelf().base_prices).all()


def test_the_owners_price_may_be_another_one_than_the_base_price() -> None:
    catalog = shelf()
    owners = np.round(1.2 * catalog.base_prices, 2)
    base = start_of_day(catalog, believed_before_anybody_came(catalog))
    other = DayStart(catalog, base.opened, base.footfall, None, owners)
    assert (other.ladder == owners[:, None]).any(axis=1).all()
    chances = [own.outlook().curves.p_sale_at(np.arange(len(owners)), owners) for own in (base, other)]
    assert (chances[1] > chances[0]).all()


@settings(deadline=None, max_examples=20)
@given(trust=st.floats(0, 1000), share=st.floats(0.75, 1.5), visits=st.floats(0, 200))
def test_whatever_the_trust_chances_are_probabilities_that_never_rise_within_their_intervals(
    trust: float, share: float, visits: float
) -> None:
    catalog = shelf(trust)
    start = start_of_day(catalog, after(catalog, visits))
    curves = DayStart(catalog, start.opened, start.footfall, None, share * catalog.base_prices).outlook().curves
    assert ((curves.p_sale >= 0) & (curves.p_sale <= 1)).all()
    assert (np.diff(curves.p_sale, axis=1) <= 0).all()
    assert curves.low is not None
    assert curves.high is not None
    assert ((curves.low <= curves.p_sale) & (curves.p_sale <= curves.high)).all()


def test_little_is_tried_where_few_come_and_more_where_many_do() -> None:
    few, many = (
        shelf(par=par, budget=0.2)
        for par in (5, 400)  # by the prior, visits go with the stock
    )
    budgets = [start_of_day(own, after(own, 3.0)).outlook().exploration.budget for own in (few, many)]
    assert budgets[0] is not None
    assert budgets[1] is not None
    costs = [budget * own.par_stock for budget, own in zip(budgets, (few, many), strict=True)]
    assert (costs[0] < costs[1]).all()


def test_what_pays_within_more_days_is_tried_more() -> None:
    soon, late = (shelf(budget=0.2, pays_within_days=days) for days in (1, 90))
    budgets = [start_of_day(own, after(own, 10.0)).outlook().exploration.budget for own in (soon, late)]
    assert budgets[0] is not None
    assert budgets[1] is not None
    assert (budgets[0] <= budgets[1]).all()
    assert budgets[0].sum() < budgets[1].sum()
