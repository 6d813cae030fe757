"""A belief read off a lake: what was sold at our own prices, where demand changed, who comes, a champion's curves."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.special import expit

from catalog.decisions.pricing import PricedBy
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.records.shoppers import DemandEffect, Shock
from catalog.settings import Settings, read_settings
from etl.batches import Batch, play_batch
from etl.load import load_dimensions
from etl.twin.draws import shopper_names
from features.cells import feature_workbench, groups_of, publish_groups, stale_cells
from features.prior_forests import NO_PRIOR
from plugins.evaluation.truth import chance_of_sale
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.gaussian import Knots
from serving.belief.log import ChampionCurves, LogEvidence, belief_from, read_log_evidence
from serving.belief.sales import sales_by_kind, sales_of_all
from serving.book.make import learned_for
from serving.learning.exploration import ExplorationPlan
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import StaticPolicy
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront
from training.fit.prior import fit_prior
from warehouse.lake import Lake
from warehouse.workspace import Workspace

FIRST = dt.date(2026, 1, 5)
FELL_ON = FIRST + dt.timedelta(days=6)
LAST = FIRST + dt.timedelta(days=8)
SEED = 7


def date_of(day: int) -> dt.date:
    return FIRST + dt.timedelta(days=day)


class Shop:
    """A lake of its own, in which a catalog's stores explore prices half of the time."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self.settings: Settings = read_settings({"SHELFPRICE_HOME": str(home)})
        self.catalog, self.lake = catalog, Lake(self.settings)
        self.lake.prepare()
        load_dimensions(self.lake, catalog, shopper_names(20, 1))

    def sell(self, days: Sequence[int], priced_by: PricedBy | None = None) -> None:
        for day in days:
            priced = priced_by or pricing_on(self.lake, self.catalog, date_of(day), "static")
            batch = Batch(date_of(day), "g000", self.catalog.store.stores)
            play_batch(Workspace(self.settings, self.catalog, self.lake), batch, priced, SEED)

    def seen(self, through: dt.date) -> LogEvidence:
        with feature_workbench(self.settings) as connection:
            return read_log_evidence(connection, self.catalog, through)

    def believed(self, through: dt.date, champion: ChampionCurves | None = None) -> Belief:
        return belief_from(self.catalog, self.seen(through), through + dt.timedelta(days=1), champion)

    def states(self, through: dt.date) -> list[int]:
        """Return the state of each day up to a date."""
        fit = self.seen(through).fit
        assert fit is not None
        return [int(state) for state in fit.state_of_day]

    def sold(self, first: dt.date = FIRST, last: dt.date = dt.date(2026, 12, 31)) -> tuple[int, int]:
        """Count the visits of some dates that found stock at our own prices, and those that bought."""
        question = (
            "select count(*), count(*) filter (where purchased) from decisions_with_stock "
            "where business_date between $first and $last and policy <> 'external'"
        )
        with feature_workbench(self.settings) as connection:
            [(met, bought)] = connection.execute(question, {"first": first, "last": last}).fetchall()
        return met, bought


@pytest.fixture(scope="module")
def fallen(shelf: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Nine days, of which the last three found shoppers with a quarter less to spend."""
    shock = Shock(business_date=FELL_ON, through=dt.date(2027, 1, 1), budget_shift=-0.25)
    catalog = Catalog(shelf.products, shelf.store.model_copy(update={"shocks": (shock,)}))
    shop = Shop(tmp_path_factory.mktemp("fallen"), catalog)
    shop.sell(range(9))
    return shop


@pytest.fixture
def shop(tmp_path: Path, shelf: Catalog) -> Shop:
    return Shop(tmp_path, shelf)


def met_of(belief: Belief) -> float:
    return round(float(belief.sold.met.sum()), 6)


def test_days_are_told_apart_at_the_date_on_which_demand_changed(fallen: Shop) -> None:
    assert fallen.states(LAST) == [0] * 6 + [1] * 3
    assert met_of(fallen.believed(LAST)) == fallen.sold()[0]


def test_after_a_change_the_new_demand_is_believed(fallen: Shop) -> None:
    knots, belief = Knots.of(fallen.catalog), fallen.believed(LAST)
    chance = belief.states[0].demand.chance(0.0)
    assert np.abs(chance - chance_of_sale(fallen.catalog, knots.ratios, -0.25)).max() < 0.1


def test_the_demand_before_a_change_may_come_back(fallen: Shop) -> None:
    newest, before = fallen.believed(LAST).states
    knots = Knots.of(fallen.catalog)
    assert newest.weight > 0.9
    assert 0 < before.weight < 0.1
    assert np.abs(before.demand.chance(0.0) - chance_of_sale(fallen.catalog, knots.ratios)).max() < 0.1


def test_the_day_to_price_and_later_ones_are_not_looked_at(fallen: Shop) -> None:
    nothing = fallen.believed(FIRST - dt.timedelta(days=1))
    assert met_of(nothing) == 0
    assert nothing.footfall.daily.tolist() == believed_before_anybody_came(fallen.catalog).footfall.daily.tolist()
    assert met_of(fallen.believed(FIRST)) == fallen.sold(last=FIRST)[0]


def test_days_more_than_eight_weeks_back_are_forgotten(fallen: Shop) -> None:
    late = fallen.believed(FELL_ON + dt.timedelta(days=55))
    assert met_of(late) == fallen.sold(first=FELL_ON)[0]
    assert late.footfall.store_days == 0


def test_a_product_that_left_the_shelf_is_left_out_of_the_belief(fallen: Shop) -> None:
    smaller = Catalog(fallen.catalog.products[1:], fallen.catalog.store.model_copy(update={"popularity": {}}))
    with feature_workbench(fallen.settings) as connection:
        belief = belief_from(smaller, read_log_evidence(connection, smaller, LAST), LAST + dt.timedelta(days=1))
    assert belief.sold.met.shape[0] == 4
    assert met_of(belief) == pytest.approx(fallen.believed(LAST).sold.met[1:].sum())


def test_who_comes_is_counted_and_steadies_with_the_days(fallen: Shop) -> None:
    footfall = fallen.believed(LAST).footfall
    usual = fallen.catalog.store.visits_per_day * fallen.catalog.popularity
    assert footfall.daily == pytest.approx(usual, rel=0.1)
    assert footfall.profile.sum() == pytest.approx(1)
    assert footfall.store_days == 27
    assert footfall.day_spread < 0.12
    assert fallen.believed(FIRST).footfall.day_spread == pytest.approx(0.154, abs=0.1)


def test_prices_that_somebody_else_set_teach_nothing(shop: Shop) -> None:
    external = Storefront(
        StaticPolicy(shop.catalog.base_prices, name="external"),
        exploration=ExplorationPlan(0.5, price_ladder(shop.catalog)),
    )
    shop.sell([0, 1], PricedBy(external, "external"))
    assert met_of(shop.believed(date_of(1))) == 0
    shop.sell([2])
    assert met_of(shop.believed(date_of(2))) == shop.sold()[0]
    assert shop.believed(date_of(2)).footfall.store_days == 9  # everybody's visits count


def curves_of(catalog: Catalog, odds_shift: float, observed: np.ndarray | None = None) -> DemandCurves:
    ladder = price_ladder(catalog)
    chance = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    odds = np.log(chance / (1 - chance)) + odds_shift
    return DemandCurves(catalog.skus, ladder, expit(odds), "7", observed)


@pytest.fixture(scope="module")
def steady(shelf: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("steady"), shelf)
    shop.sell(range(4))
    return shop


@pytest.fixture(scope="module")
def quiet(shelf: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a shop to which hardly anybody comes."""
    few = Catalog(shelf.products, shelf.store.model_copy(update={"visits_per_day": 30.0}))
    shop = Shop(tmp_path_factory.mktemp("quiet"), few)
    shop.sell(range(4))
    return shop


def chance_under(belief: Belief) -> np.ndarray:
    return belief.states[0].demand.chance(0.0)


def off_base(shop: Shop, champion: DemandCurves | None, trained_through: dt.date) -> float:
    """Return how far the believed chance of sale at the base prices is off, the mean of the shelf."""
    told = None if champion is None else ChampionCurves(champion, trained_through)
    base = shop.catalog.base_prices[:, None]
    believed = Knots.of(shop.catalog).at(chance_under(shop.believed(date_of(3), told)), base)
    return float((believed - chance_of_sale(shop.catalog, np.ones_like(base))).mean())


def test_a_champion_is_believed_where_little_was_sold_and_many_sales_tell_more(quiet: Shop, steady: Shop) -> None:
    wrong = curves_of(quiet.catalog, 1.5)
    whole = off_base(quiet, wrong, date_of(3))
    assert whole == pytest.approx(expit(1.5) - 0.5, abs=0.07)
    assert 0.0 < off_base(steady, wrong, date_of(3)) < 0.4 * whole


def test_the_days_since_its_training_correct_a_champion(quiet: Shop) -> None:
    wrong = curves_of(quiet.catalog, 1.5)
    assert off_base(quiet, wrong, date_of(1)) < 0.7 * off_base(quiet, wrong, date_of(3))


def test_beyond_the_prices_it_saw_a_champions_curve_goes_on_in_the_shape_of_the_shelf(steady: Shop) -> None:
    ladder = price_ladder(steady.catalog)
    observed = (ladder > 0.9 * steady.catalog.base_prices[:, None]) & (
        ladder < 1.1 * steady.catalog.base_prices[:, None]
    )
    flat = curves_of(steady.catalog, 0.0, observed)
    level = np.where(observed, flat.p_sale, np.nan)
    middle = np.nanmean(level, axis=1, keepdims=True)
    flat = replace(flat, p_sale=np.where(observed, flat.p_sale, middle))  # as a forest is outside its training
    belief = steady.believed(date_of(3), ChampionCurves(flat, date_of(3)))
    chance = chance_under(belief)
    truth = chance_of_sale(steady.catalog, Knots.of(steady.catalog).ratios)
    assert np.abs(chance - truth).max() < 0.1


def test_a_product_that_a_champion_has_no_support_for_keeps_what_was_sold(steady: Shop) -> None:
    observed = np.ones((5, 20), dtype=bool)
    observed[2] = False
    wrong = curves_of(steady.catalog, 1.0, observed)
    led = chance_under(steady.believed(date_of(3), ChampionCurves(wrong, date_of(3))))
    alone = chance_under(steady.believed(date_of(3)))
    assert np.abs(led[2] - alone[2]).max() < 0.3 * np.abs(led[1] - alone[1]).max()


def test_a_champion_that_is_sure_or_knows_nothing_leaves_finite_odds(steady: Shop) -> None:
    chance = np.tile(np.where(np.arange(20) < 10, 1.0, 0.0), (5, 1))
    chance[1] = np.nan
    champion = DemandCurves(steady.catalog.skus, price_ladder(steady.catalog), chance, "7")
    belief = steady.believed(date_of(3), ChampionCurves(champion, date_of(3)))
    assert np.isfinite(chance_under(belief)).all()


def test_a_belief_names_a_champion_only_where_its_curves_were_used(steady: Shop) -> None:
    used = steady.believed(date_of(3), ChampionCurves(curves_of(steady.catalog, 0.0), date_of(3)))
    assert used.model_version == curves_of(steady.catalog, 0.0).model_version
    assert used.of_kind(StoreKind(("S01",), used.states, used.hours)).model_version is None
    unsupported = curves_of(steady.catalog, 0.0, np.zeros((5, 20), dtype=bool))
    before_all = date_of(0) - dt.timedelta(days=1)
    for unused in (ChampionCurves(unsupported, date_of(3)), ChampionCurves(curves_of(steady.catalog, 0.0), before_all)):
        assert steady.believed(date_of(3), unused).model_version is None


def test_a_change_since_the_training_overrules_the_champion(fallen: Shop) -> None:
    truth = curves_of(fallen.catalog, 0.0)
    belief = fallen.believed(LAST, ChampionCurves(truth, date_of(3)))
    now = chance_of_sale(fallen.catalog, Knots.of(fallen.catalog).ratios, -0.25)
    newest, before = (state.demand.chance(0.0) for state in belief.states)
    assert np.abs(newest - now).mean() < 0.3 * np.abs(before - now).mean()


class Model:
    """A double for a registered version that says one chance for every price."""

    version = "7"
    learned_from = None

    def __init__(self, trained_through: dt.date | None) -> None:
        self.trained_through, self.prior = trained_through, NO_PRIOR

    def p_sale(self, rows: object) -> np.ndarray:
        return np.full(len(rows), 0.5)  # type: ignore[arg-type]


def with_cells(shop: Shop, connection: duckdb.DuckDBPyConnection) -> None:
    for stale in list(stale_cells(shop.lake, shop.catalog)):
        publish_groups(shop.lake, stale, groups_of(connection, shop.lake, stale.decisions))


def test_what_is_known_of_a_day_carries_the_belief_the_footfall_and_the_champions_version(shop: Shop) -> None:
    shop.sell([0, 1])
    with feature_workbench(shop.settings) as connection:
        with_cells(shop, connection)
    with feature_workbench(shop.settings) as connection:
        alone = learned_for(connection, None, shop.catalog, date_of(2))
        led = learned_for(connection, Model(date_of(1)), shop.catalog, date_of(2))
        ageless = learned_for(connection, Model(None), shop.catalog, date_of(2))
    assert alone.belief is not None
    assert led.belief is not None
    assert ageless.belief is not None
    assert alone.curves.model_version == "none"
    assert led.curves.model_version == "7"
    assert set(led.belief["model_version"].to_pylist()) == {"7"}
    assert alone.visits.shape == (5, 48)
    assert led.belief.equals(ageless.belief)  # one that does not say counts as trained through the day before


@pytest.mark.parametrize("zones", [{}, {"S02": "America/New_York", "S03": "Asia/Tokyo"}])
def test_what_kinds_of_stores_sold_is_together_what_all_sold_hour_by_hour(
    shelf: Catalog, tmp_path: Path, zones: dict[str, str]
) -> None:
    stores, rich = ("S01", "S02", "S03", "S04"), ("S02", "S04")
    effects = (DemandEffect(stores=rich, budget_shift=0.35), DemandEffect(stores=("S01", "S03"), budget_shift=-0.35))
    changes = {"stores": stores, "demand_effects": effects, "timezone": "Europe/Berlin", "timezones": zones}
    shop = Shop(tmp_path, Catalog(shelf.products, shelf.store.model_copy(update=changes)))
    shop.sell([0, 1])
    knots = Knots.of(shop.catalog)
    with feature_workbench(shop.settings) as connection:
        both = sales_of_all(connection, shop.catalog, knots, date_of(1))
        kinds = dict(sales_by_kind(connection, shop.catalog, knots, date_of(1)))
    assert list(kinds) == [("S01", "S03"), rich]
    for name in ("met", "bought"):
        by_hour = [np.bincount(own.hour, getattr(own, name), own.n_hours) for own in (both, *kinds.values())]
        assert by_hour[1] + by_hour[2] == pytest.approx(by_hour[0])


def test_a_holiday_is_expected_to_be_as_those_before_it_where_a_version_tells(
    with_store: Callable[..., Catalog], tmp_path: Path
) -> None:
    effect = DemandEffect(holidays=True, budget_shift=0.4)
    catalog = with_store(country="NP", demand_effects=[effect.model_dump()])  # holidays on 11, 15 and 19 January
    shop = Shop(tmp_path, catalog)
    shop.sell(range(14))
    with feature_workbench(shop.settings) as connection:
        seen = read_log_evidence(connection, catalog, date_of(13))
    version = ChampionCurves(curves_of(catalog, 0.0), date_of(0) - dt.timedelta(days=1), fit_prior(catalog, seen, None))
    knots = Knots.of(catalog)
    truth = chance_of_sale(catalog, knots.ratios, 0.4)
    apart = [
        np.abs(belief_from(catalog, seen, date_of(14), champion).states[0].demand.chance(0.0) - truth).mean()
        for champion in (version, None)
    ]
    assert apart[0] < 0.75 * apart[1]
