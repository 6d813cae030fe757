"""What a book gains by the belief's word, against the twin's truth, and what the gate makes of it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from believing import believed_after

from catalog.arrays import Floats
from catalog.currency import EUR, Currency, currency_of
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.shoppers import DemandEffect
from plugins.evaluation.truth import chance_of_sale, true_gain, truly_gained
from serving.belief.belief import State, believed_before_anybody_came
from serving.belief.gaussian import Counts, Knots
from serving.belief.today import Footfall
from serving.book.book import PriceBook, joined
from serving.book.make import tabulate
from serving.learning.outlook import Outlook, start_of_day
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import costs_that_count, policy_with_model, policy_without_model
from serving.optimise.recursion import value_of_prices
from training.judge.believed_gain import BelievedGain, believed_gain
from training.judge.conditions import Condition
from training.judge.gate import ExpectedGain, as_good_as_belief, earns_more, earns_more_or_replaces

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
PROFILE = tick_profile(CATALOG.store)
DAILY = CATALOG.store.visits_per_day * CATALOG.popularity
MADE_FOR = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def judge_after(visits: int, seed: int, catalog: Catalog = CATALOG) -> Outlook:
    """Return what is believed after some visits at explored prices, with the footfall known."""
    dice, knots = np.random.default_rng(seed), Knots.of(catalog)
    product = dice.integers(5, size=visits)
    price = LADDER[product, dice.integers(20, size=visits)]
    bought = dice.random(visits) < chance_of_sale(catalog, price / catalog.base_prices[product])
    counts = Counts(
        knots.counted(product, price, np.ones(visits)), knots.counted(product, price, bought.astype(float))
    )  # fmt: skip
    return judge_by(catalog, counts)


def judge_as_expected(visits: int) -> Outlook:
    """Return what is believed after visits that met each candidate alike, and of which as many bought as expected."""
    product, price = np.repeat(np.arange(5), 20), LADDER.ravel()
    met = np.full(100, visits / 100)
    bought = met * chance_of_sale(CATALOG, price / CATALOG.base_prices[product])
    knots = Knots.of(CATALOG)
    return judge_by(CATALOG, Counts(knots.counted(product, price, met), knots.counted(product, price, bought)))


def judge_by(catalog: Catalog, counts: Counts, luck: float = 0.0) -> Outlook:
    """Return what is believed after some visits; `luck` is the spread of what a day adds to all log odds."""
    belief = replace(believed_after(catalog, counts), footfall=Footfall(DAILY, PROFILE, 60.0, 0.05))
    demand = belief.states[0].demand
    lucky = replace(demand, shared=np.concatenate([demand.shared, np.full((*demand.mean.shape, 1), luck)], axis=2))
    return start_of_day(catalog, replace(belief, states=(State(1.0, lucky),))).outlook()


def book_of(odds_shift: float, catalog: Catalog = CATALOG) -> PriceBook:
    """Return the book of a model whose log odds are off by some amount."""
    chance = chance_of_sale(catalog, LADDER / catalog.base_prices[:, None])
    odds = np.log(chance / (1 - chance)) + odds_shift
    curves = DemandCurves(catalog.skus, LADDER, 1 / (1 + np.exp(-odds)), "1")
    return tabulate(policy_with_model(catalog, curves, DAILY[:, None] * PROFILE), catalog, MADE_FOR)


def base_prices(catalog: Catalog = CATALOG) -> PriceBook:
    return tabulate(policy_without_model(catalog, "static"), catalog, MADE_FOR)


def true_worth(book: PriceBook, catalog: Catalog = CATALOG) -> float:
    chance = chance_of_sale(catalog, book.of().prices.reshape(5, -1) / catalog.base_prices[:, None]).reshape(
        book.of().prices.shape
    )
    costs, rates = costs_that_count(catalog), chance * (DAILY[:, None] * PROFILE)[:, None, ::-1]
    return sum(
        float(
            value_of_prices(book.of().prices[own] - costs[own], rates[own], np.zeros(len(rates[own])))[
                catalog.par_stock[own], -1
            ]
        )
        for own in range(5)
    )


def test_a_book_gains_nothing_over_itself_and_that_is_sure() -> None:
    gain = believed_gain(CATALOG, judge_after(500, 1), book_of(0.0), book_of(0.0))
    assert (gain.mean, gain.spread) == (0.0, 0.0)
    assert gain.lower == gain.upper == gain.at_least == 0.0
    assert gain.usual > 0


def test_what_a_day_adds_by_luck_is_no_doubt_of_what_such_days_gain_on_average() -> None:
    product, price = np.repeat(np.arange(5), 20), LADDER.ravel()
    met = np.full(100, 1_000.0)
    bought = met * chance_of_sale(CATALOG, price / CATALOG.base_prices[product])
    counts = Counts(*(Knots.of(CATALOG).counted(product, price, own) for own in (met, bought)))
    average, day, good, base = judge_by(CATALOG, counts), judge_by(CATALOG, counts, 0.5), book_of(0.0), base_prices()
    gain, sure = believed_gain(CATALOG, day, good, base, average), believed_gain(CATALOG, average, good, base)
    assert gain.lasting == pytest.approx(sure.spread)
    assert sure.spread < 0.5 * gain.spread
    assert gain.on_average > gain.lower
    assert sure.on_average == sure.lower


def test_a_day_is_less_sure_where_few_days_showed_how_far_days_differ() -> None:
    judge, good, base = judge_after(1_000, 3), book_of(0.0), base_prices()
    always, month, week, two = (believed_gain(CATALOG, judge, good, base, judge, days) for days in (None, 28, 7, 2))
    assert always.spread < month.spread < week.spread < two.spread
    assert week.spread / always.spread == pytest.approx(2.447 / 1.96, rel=1e-3)
    assert always.mean == two.mean
    assert always.on_average == two.on_average


def test_products_with_the_same_prices_add_neither_gain_nor_doubt() -> None:
    judge, good, base = judge_after(1_000, 3), book_of(0.0), base_prices()
    one, others = (
        joined([mine.take(np.arange(3)), fourth.take(np.array([3])), mine.take(np.array([4]))])
        for mine, fourth in ((base, good), (good, base))
    )
    whole, parts = believed_gain(CATALOG, judge, good, base), [
        believed_gain(CATALOG, judge, own, base) for own in (one, others)
    ]  # fmt: skip
    assert whole.mean == pytest.approx(sum(part.mean for part in parts))
    assert max(part.spread for part in parts) < whole.spread + 1e-9


@pytest.mark.parametrize(("visits", "least"), [(300, 0.8), (5_000, 0.8)])
def test_the_interval_holds_the_true_gain_about_as_often_as_it_says(visits: int, least: float) -> None:
    held, base, challengers = [], base_prices(), (book_of(0.5), book_of(-0.5))
    truths = [true_worth(own) - true_worth(base) for own in challengers]
    for seed in range(10):
        gain = believed_gain(CATALOG, judge_after(visits, seed), challengers[seed % 2], base)
        held.append(gain.lower <= truths[seed % 2] <= gain.upper)
    assert np.mean(held) >= least


def test_the_truth_beside_the_interval_is_that_of_the_same_books_on_an_average_store() -> None:
    good, base = book_of(0.0), base_prices()
    truth = true_gain(CATALOG, MADE_FOR.date(), good.of().prices, base.of().prices)
    assert truth == pytest.approx(true_worth(good) - true_worth(base), rel=0.02)
    effect = DemandEffect(stores=("S01",), budget_shift=0.5)
    store = CATALOG.store.model_copy(update={"stores": ("S01", "S02"), "demand_effects": (effect,)})
    apart = Catalog(CATALOG.products, store)
    rich, usual = (
        float(
            (
                truly_gained(good.of().prices, apart, MADE_FOR.date(), own)
                - truly_gained(base.of().prices, apart, MADE_FOR.date(), own)
            ).sum()
        )
        for own in ("S01", "S02")
    )
    assert usual == pytest.approx(truth)
    assert rich != pytest.approx(usual, rel=0.05)
    assert true_gain(apart, MADE_FOR.date(), good.of().prices, base.of().prices) == pytest.approx((rich + usual) / 2)


def test_where_days_differ_more_in_how_many_come_the_gain_is_less_sure_and_no_other_one() -> None:
    good, base, judge = book_of(0.0), base_prices(), judge_as_expected(300_000)
    gains = []
    for spread in (0.02, 0.2, 0.4):
        footfall = replace(judge.start.footfall, day_spread=spread)
        start = replace(judge.start, footfall=footfall)
        gains.append(believed_gain(CATALOG, start.outlook(), good, base))
    assert gains[0].spread < gains[1].spread < gains[2].spread
    assert gains[2].spread > 0.1 * gains[2].mean
    assert gains[1].mean == pytest.approx(gains[0].mean, rel=0.1)


def test_where_margin_is_the_objective_gains_are_margins() -> None:
    policies = CATALOG.store.policies.model_copy(update={"objective": "margin"})
    catalog = Catalog(CATALOG.products, CATALOG.store.model_copy(update={"policies": policies}))
    good, base = book_of(0.0, catalog), base_prices(catalog)
    gain = believed_gain(catalog, judge_after(300_000, 6, catalog), good, base)
    assert gain.usual == pytest.approx(true_worth(base, catalog), rel=0.02)
    assert gain.usual < 0.6 * true_worth(base)
    assert gain.mean == pytest.approx(true_worth(good, catalog) - true_worth(base, catalog), abs=0.02 * gain.usual)


def expected(gain: BelievedGain | None, money: Currency = EUR, vetoes: tuple[str, ...] = ()) -> ExpectedGain:
    return ExpectedGain(gain, money, vetoes)


SURE, UNSURE, LOSS = BelievedGain(9.0, 2.0, 100.0), BelievedGain(1.0, 2.0, 100.0), BelievedGain(-0.5, 0.1, 100.0)
NOT_WORSE, STALE = Condition("n", met=True, found="n"), Condition("s", met=True, found="s")
FRESH = Condition("s", met=False, found="f")


def test_the_belief_shows_a_gain_that_is_surely_above_zero() -> None:
    assert earns_more(expected(SURE)).met
    assert not earns_more(expected(UNSURE)).met
    assert not earns_more(expected(None)).met


def test_a_veto_stands_against_the_belief_in_every_condition_on_money() -> None:
    vetoed = expected(SURE, vetoes=("logged visits show a loss",))
    assert not earns_more(vetoed).met
    assert earns_more(vetoed).found.endswith(", but logged visits show a loss")
    assert not as_good_as_belief(vetoed).met
    assert not earns_more_or_replaces(vetoed, NOT_WORSE, STALE).met


def test_a_first_champion_may_lose_one_per_cent_and_no_more() -> None:
    assert as_good_as_belief(expected(LOSS)).met
    assert not as_good_as_belief(expected(BelievedGain(-0.9, 0.1, 100.0))).met
    assert not as_good_as_belief(expected(BelievedGain(0.0, 5.0, 100.0))).met
    assert not as_good_as_belief(expected(None)).met


def test_a_stale_champion_gives_way_to_one_that_loses_nothing_and_a_fresh_one_does_not() -> None:
    assert earns_more_or_replaces(expected(LOSS), NOT_WORSE, STALE).met
    assert not earns_more_or_replaces(expected(LOSS), NOT_WORSE, FRESH).met
    assert earns_more_or_replaces(expected(SURE), NOT_WORSE, FRESH).met
    worse = Condition("n", met=False, found="worse")
    assert not earns_more_or_replaces(expected(LOSS), worse, STALE).met


@pytest.mark.parametrize(
    ("gain", "borne_out", "is_promoted"),
    [(UNSURE, 4.0, True), (UNSURE, 2.0, False), (replace(UNSURE, mean=-0.1), 40.0, False)],
)
def test_forests_that_the_sales_bear_out_are_promoted_where_no_loss_is_expected(
    gain: BelievedGain, borne_out: float, is_promoted: bool
) -> None:
    challenger = replace(expected(gain), borne_out=borne_out)
    for condition in (as_good_as_belief(challenger), earns_more_or_replaces(challenger, NOT_WORSE, FRESH)):
        assert condition.met is is_promoted
    vetoed = replace(challenger, vetoes=("logged visits show a loss",))
    assert not as_good_as_belief(vetoed).met


def test_the_finding_says_how_much_likelier_the_sales_are_with_the_forests() -> None:
    words = [replace(expected(UNSURE), borne_out=log).in_words for log in (2.0, 5.0, 50.0)]
    assert "likelier" not in words[0]
    assert words[1].endswith("; its forests make the sales 148 times likelier")
    assert words[2].endswith("; its forests make the sales more than 1,000,000 times likelier")


def test_a_gain_that_such_days_surely_bring_on_average_is_shown_though_one_of_them_may_not() -> None:
    lucky, unsure = BelievedGain(5.0, 4.0, 100.0, lasting=1.0), BelievedGain(5.0, 4.0, 100.0, lasting=3.0)
    assert earns_more(expected(lucky)).found.endswith(", on average over such days at least 3.04 EUR more")
    assert earns_more(expected(lucky)).met
    assert not earns_more(expected(unsure)).met


def test_the_finding_is_in_the_currency_of_the_shelf() -> None:
    yen = currency_of("JPY")
    found = earns_more(expected(SURE, yen)).found
    assert found == "expected to earn 9 JPY more per store day (9.0%), 95 % from 5 JPY more to 13 JPY more"
    loss = expected(BelievedGain(-9.0, 0.1, 100.0), yen)
    assert as_good_as_belief(loss).found.startswith("expected to earn 9 JPY less per store day (9.0%), ")


def test_a_store_that_nobody_came_to_judges_without_failing() -> None:
    nobody = start_of_day(CATALOG, believed_before_anybody_came(CATALOG)).outlook()
    gain = believed_gain(CATALOG, nobody, book_of(0.0), base_prices())
    values: Floats = np.array([gain.mean, gain.spread, gain.usual])
    assert np.isfinite(values).all()
    assert gain.lower < 0 < gain.upper
