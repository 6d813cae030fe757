"""What is left in the evening is worth: against the exact answer on small shelves, and against arithmetic."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import poisson

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.deliveries import Deliveries
from plugins.evaluation.truth import chance_of_sale
from serving.optimise.curves import DemandCurves
from serving.optimise.days_ahead import Evenings, evenings_of, least_worth
from serving.optimise.policies import Asked, PricingPolicy, policy_with_model
from serving.optimise.recursion import rates_of
from tests.serving.two_ages import best_day, day_at

MONDAY, WEDNESDAY = dt.date(2026, 1, 5), dt.date(2026, 1, 7)
ONE_DAY = dt.timedelta(days=1)
COST, DISPOSAL = 0.6, 0.05
LOST = COST + DISPOSAL


def shop(
    visits: float, tick_minutes: int = 60, objective: str = "profit", share: float = 0.0, **product: object
) -> Catalog:
    """Return a shop with one product that costs 1 EUR, and hours for ticks."""
    catalog = load(CLASSIC)
    own = catalog.products[2].model_copy(update={"base_price": 1.0, "unit_cost": COST, **product})
    store = {
        "popularity": {},
        "visits_per_day": visits,
        "freshest_share": share,
        "opening": catalog.store.opening.model_copy(update={"tick_minutes": tick_minutes}),
        "policies": catalog.store.policies.model_copy(update={"objective": objective}),
    }
    return Catalog((own,), catalog.store.model_copy(update=store))


def curves_of(catalog: Catalog) -> DemandCurves:
    ladder = price_ladder(catalog)
    return DemandCurves(catalog.skus, ladder, chance_of_sale(catalog, ladder / catalog.base_prices[:, None]), "truth")


def visits_of(catalog: Catalog) -> Floats:
    return catalog.store.visits_per_day * catalog.popularity[:, None] * tick_profile(catalog.store)


def ahead_of(catalog: Catalog) -> tuple[Evenings, ...]:
    ahead = evenings_of(catalog, curves_of(catalog), visits_of(catalog))
    assert ahead is not None
    return ahead


def policy_of(catalog: Catalog) -> PricingPolicy:
    return policy_with_model(catalog, curves_of(catalog), visits_of(catalog))


def asked(catalog: Catalog, policy: PricingPolicy, left: int, opened_with: list[int] | None = None) -> Asked:
    """Ask for the prices of every number of units with so many ticks left; position 0 stands for one unit, too."""
    stock = np.maximum(np.arange(catalog.most_stock[0] + 1), 1)[:, None]
    nothing = np.full(stock.shape, np.nan)
    opened = None if opened_with is None else np.tile(np.array(opened_with), (len(stock), 1, 1))
    return policy.ask(Shelf(stock, nothing, left, np.zeros(stock.shape), opened_with=opened, business_date=WEDNESDAY))


@dataclass(frozen=True)
class TwoAges:
    """A product whose units keep for two days and that is delivered daily: young and old units are all its states."""

    catalog: Catalog
    share: float

    @property
    def carried(self) -> range:
        """Old units at opening."""
        return range((self.catalog.products[0].delivered.quantity or self.catalog.products[0].par_stock) + 1)

    def opening(self, old: int) -> tuple[int, int]:
        """Return young and old units at opening."""
        product = self.catalog.products[0]
        return product.delivered.quantity or product.par_stock - old, old

    @property
    def gains(self) -> Floats:
        return curves_of(self.catalog).prices[0] - COST

    @property
    def rates(self) -> Floats:
        return rates_of(curves_of(self.catalog).p_sale[0], visits_of(self.catalog)[0])

    def profit_a_day(self, day: Callable[[Floats, int], Floats]) -> float:
        """Return the profit of a day among very many; `day` values each state, for an evening and an opening."""
        later = np.zeros(len(self.carried))
        for _ in range(60):
            evening = later[:, None] - LOST * np.arange(len(self.carried))[None, :]
            now = np.array([day(evening, old)[self.opening(old)] for old in self.carried])
            gained, later = now - later, now
            if np.ptp(gained) < 5e-4 * abs(gained).max():
                return float(gained.mean())
        raise AssertionError("the profit of a day depends on where it begins, however many days are played")

    def best(self) -> float:
        solved = dict[bytes, Floats]()

        def day(evening: Floats, _old: int) -> Floats:
            key = evening.tobytes()
            if key not in solved:
                solved.clear()
                solved[key] = best_day(self.gains, self.rates, self.share, evening)
            return solved[key]

        return self.profit_a_day(day)

    def of(self, policy: PricingPolicy) -> float:
        """Evaluate a policy, exactly."""
        n_ticks, ladder = self.rates.shape[1], curves_of(self.catalog).prices[0]
        chosen = []
        for old in self.carried:
            young = self.opening(old)[0]
            prices = [asked(self.catalog, policy, n_ticks - tick, [old, young, 0]).prices for tick in range(n_ticks)]
            chosen.append(np.searchsorted(ladder, np.concatenate(prices, axis=1)))

        def day(evening: Floats, old: int) -> Floats:
            there = tuple(slice(units + 1) for units in self.opening(old))  # units only become fewer
            return day_at(self.gains, self.rates, self.share, evening[there], chosen[old])

        return self.profit_a_day(day)


@pytest.mark.play
@pytest.mark.parametrize(
    ("share", "quantity"),
    [
        (0.3, None),
        (1.0, None),
        (0.0, 20),
        *(pytest.param(*more, marks=pytest.mark.slow) for more in ((0.0, None), (0.3, 20))),
    ],
    ids=str,
)
def test_where_units_keep_for_two_days_it_earns_99_percent_of_what_the_exact_answer_does(
    share: float, quantity: int | None
) -> None:
    lives = {"shelf_life_days": 2, "disposal_cost": DISPOSAL, "par_stock": 22}
    catalog = shop(30, share=share, deliveries=Deliveries(quantity=quantity), **lives)
    shelf = TwoAges(catalog, share)
    best, ours = shelf.best(), shelf.of(policy_of(catalog))
    assert 0.99 * best <= ours <= 1.0005 * best
    blind = policy_of(shop(30, objective="margin", share=share, deliveries=Deliveries(quantity=quantity), **lives))
    assert shelf.of(blind) < ours


def test_where_nothing_is_thrown_away_and_the_delivery_fills_the_shelf_prices_are_those_of_the_margin() -> None:
    shelves = [shop(90, 15, objective, par_stock=40, deliveries=Deliveries()) for objective in ("profit", "margin")]
    for left in range(1, 49):
        profit, margin = (asked(catalog, policy_of(catalog), left) for catalog in shelves)
        np.testing.assert_array_equal(profit.prices, margin.prices)
        np.testing.assert_allclose(profit.unit_value, margin.unit_value, atol=1e-9)


def test_before_the_evening_an_unsold_unit_of_a_product_of_one_day_is_worth_minus_what_is_lost_with_it() -> None:
    catalog = shop(90, par_stock=40, shelf_life_days=1, disposal_cost=DISPOSAL)
    last = asked(catalog, policy_of(catalog), 1)
    np.testing.assert_allclose(last.unit_value, -LOST)
    np.testing.assert_allclose(ahead_of(catalog)[0].of_new_units(WEDNESDAY), -LOST * np.arange(41))
    np.testing.assert_allclose(least_worth(catalog), -LOST)


def by_hand(catalog: Catalog, evening: Floats) -> Floats:
    """Value each number of units at the opening of a day by what its evening is worth, as plainly as can be."""
    curves, later = curves_of(catalog), evening
    levels = np.arange(len(evening))
    for visits in visits_of(catalog)[0][::-1]:
        of_prices = []
        for gain, chance in zip(curves.prices[0] - COST, curves.p_sale[0], strict=True):
            demand = np.arange(200)
            sold = np.minimum(demand, levels[:, None])
            of_prices.append((gain * sold + later[levels[:, None] - sold]) @ poisson.pmf(demand, visits * chance))
        later = np.max(of_prices, axis=0)
    return later


@pytest.mark.parametrize(("tick_minutes", "holding"), [(60, 0.02), (15, 0.02), (60, 0.0)])
def test_until_the_next_delivery_fills_the_shelf_stock_is_worth_what_the_days_before_it_bring(
    tick_minutes: int, holding: float
) -> None:
    catalog = shop(15, tick_minutes, par_stock=30, holding_cost=holding, deliveries=Deliveries(weekdays=("mon", "thu")))
    level = np.arange(31)
    stays = -holding * level  # on Wednesday evening: a unit less is delivered the next morning
    evenings = {2: stays}
    for weekday in (1, 0):
        evenings[weekday] = by_hand(catalog, evenings[weekday + 1]) + stays
    ahead = ahead_of(catalog)[0]
    for weekday, worth in evenings.items():
        found = ahead.of_new_units(MONDAY + weekday * ONE_DAY)
        np.testing.assert_allclose(found, worth - worth[0], atol=0.01)
    assert evenings[0][1] > 0.2  # there was something to be worth


def test_what_stock_is_worth_does_not_depend_on_the_other_products() -> None:
    kinds = (
        {"shelf_life_days": 4, "disposal_cost": DISPOSAL},
        {"shelf_life_days": 2, "deliveries": Deliveries(quantity=20)},
        {"holding_cost": 0.02, "deliveries": Deliveries(weekdays=("mon", "thu"))},
        {"shelf_life_days": 9, "deliveries": Deliveries(weekdays=("tue",), quantity=60)},
    )
    alone = [shop(50, share=0.3, sku=f"P{number}", par_stock=30, **kind) for number, kind in enumerate(kinds)]
    simply_full = shop(50, sku="P4").products[0]
    shelf = (*(catalog.products[0] for catalog in alone), simply_full)
    among = Catalog(shelf, alone[0].store.model_copy(update={"visits_per_day": 50.0 * len(shelf)}))
    together = ahead_of(among)
    for date in (MONDAY + day * ONE_DAY for day in range(3)):
        for number, catalog in enumerate(alone):
            own = ahead_of(catalog)[0].of_new_units(date)
            assert np.ptp(own) > 0
            theirs = together[number].of_new_units(date)
            np.testing.assert_allclose(theirs, own, rtol=1e-9, atol=1e-9)
        assert not together[4].of_new_units(date).any()
