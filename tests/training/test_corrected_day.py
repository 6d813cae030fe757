"""The prices of a day whose own sales correct them, and what two books gain over each other on such a day."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from believing import believed_after
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from plugins.evaluation.truth import chance_of_sale, true_day, true_gain
from serving.belief.gaussian import Counts, Knots
from serving.belief.today import Footfall
from serving.book.book import PriceBook
from serving.book.make import tabulate
from serving.learning.outlook import Outlook, start_of_day
from training.judge.believed_gain import ExpectedDay, believed_gain, prices_of_day, updates_due

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
VISITS = CATALOG.store.visits_per_day * CATALOG.popularity[:, None] * tick_profile(CATALOG.store)
MONDAY = dt.date(2026, 1, 5)
MADE_FOR = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
TRULY = true_day(CATALOG, MONDAY)


def outlook_after(visits: float, odds: float = 0.0, seed: int | None = None, catalog: Catalog = CATALOG) -> Outlook:
    """Return what is believed where so many visits met each candidate alike, of shoppers whose log odds are off.

    As many bought as expected; with a seed, by chance.
    """
    product, price = np.repeat(np.arange(5), 20), LADDER.ravel()
    met = np.full(100, visits / 100)
    chance = chance_of_sale(catalog, price / catalog.base_prices[product])
    chance = 1 / (1 + np.exp(-np.log(chance / (1 - chance)) - odds))
    bought = met * chance if seed is None else np.random.default_rng(seed).binomial(int(visits / 100), chance)
    knots = Knots.of(catalog)
    counts = Counts(*(knots.counted(product, price, own.astype(float)) for own in (met, bought)))
    daily = VISITS.sum(axis=1)
    belief = replace(
        believed_after(catalog, counts),
        footfall=Footfall(daily, VISITS[0] / daily[0], store_days=60.0, day_spread=0.05),
    )
    return start_of_day(catalog, belief).outlook()


def book_of(outlook: Outlook) -> PriceBook:
    return tabulate(outlook.policy, outlook.start.catalog, MADE_FOR, outlook.curves)


def apart(prices: Floats, others: Floats) -> Floats:
    """Return how far prices of a nearly full shelf are apart, as a share, by tick, shape (n_ticks,)."""
    full = slice(CATALOG.par_stock.min() // 2, None)
    return np.asarray((np.abs(prices - others) / others)[:, full].mean(axis=(0, 1))[::-1])


def test_a_book_that_nothing_corrects_stands_all_day() -> None:
    outlook = outlook_after(500, 1.0)
    book = book_of(outlook)
    opens = book.of().prices
    assert prices_of_day(opens, None, TRULY, updates_due(CATALOG)) is opens
    assert prices_of_day(opens, outlook, TRULY, ()) is opens


@settings(max_examples=15, deadline=None)
@given(odds=st.floats(0.3, 1.5), visits=st.sampled_from([100, 500, 2_000]), above=st.booleans())
def test_a_wrong_book_comes_nearer_to_the_right_one_by_what_the_day_sells(
    odds: float, visits: int, above: bool
) -> None:
    wrong, right = outlook_after(visits, odds if above else -odds), book_of(outlook_after(1e6)).of().prices
    book, updates = book_of(wrong), updates_due(CATALOG)
    opens = book.of().prices
    prices = prices_of_day(opens, wrong, TRULY, updates)
    first = updates[0]
    assert np.array_equal(prices[:, :, -first:], opens[:, :, -first:])
    before, after = apart(opens, right), apart(prices, right)
    assert after[first:].mean() < before[first:].mean()
    assert opens is not prices


def test_a_shelf_that_is_sold_out_teaches_how_many_came_and_no_more() -> None:
    products = tuple(one.model_copy(update={"par_stock": 3}) for one in CATALOG.products)
    few = Catalog(products, CATALOG.store)
    outlook = outlook_after(500, catalog=few)
    heard = list[float]()

    def sure(prices: Floats, tick: int) -> Floats:
        heard.append(float(tick))
        return np.ones(len(prices))

    prices = prices_of_day(book_of(outlook).of().prices, outlook, ExpectedDay(VISITS, sure), updates_due(few))
    assert heard == list(range(44))
    assert np.isfinite(prices).all()
    assert (prices[:, 3, 0] > book_of(outlook).of().prices[:, 3, 0]).any()  # all bought who could


def test_in_many_stores_a_day_teaches_more() -> None:
    right, wrong = book_of(outlook_after(1e6)).of().prices, outlook_after(500, 1.0)
    names = tuple(f"S{number:02d}" for number in range(1, 11))
    ten = Catalog(CATALOG.products, CATALOG.store.model_copy(update={"stores": names}))
    of_ten = outlook_after(500, 1.0, catalog=ten)
    alone, together = (
        apart(prices_of_day(book_of(own).of().prices, own, TRULY, (4,)), right)[4:].mean() for own in (wrong, of_ten)
    )
    assert together < 0.8 * alone


def test_what_the_day_corrects_is_neither_gained_nor_lost_nor_doubted() -> None:
    judge, wrong, right = outlook_after(2_000), outlook_after(300, 1.0), outlook_after(300)
    books = book_of(wrong), book_of(right)
    standing = believed_gain(CATALOG, judge, *books, judge)
    corrected = believed_gain(CATALOG, judge, *books, judge, corrected_by=(wrong, right))
    assert standing.mean < corrected.mean < 0
    assert corrected.spread < standing.spread
    assert corrected.lasting is not None
    assert standing.lasting is not None
    assert corrected.lasting < standing.lasting
    assert corrected.usual == standing.usual
    alone = believed_gain(CATALOG, judge, *books, corrected_by=(wrong, None))
    assert alone.mean > standing.mean


def test_on_a_large_shelf_the_products_that_matter_most_say_what_is_left_of_the_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge, wrong, right = outlook_after(2_000), outlook_after(300, 1.0), outlook_after(300)
    books, outlooks = (book_of(wrong), book_of(right)), (wrong, right)
    standing, whole = (believed_gain(CATALOG, judge, *books, corrected_by=own) for own in ((None, None), outlooks))
    monkeypatch.setattr("training.judge.believed_gain._MOST_CORRECTED", 2)
    told = believed_gain(CATALOG, judge, *books, corrected_by=outlooks)
    assert told.mean == pytest.approx(whole.mean, rel=0.3)
    assert told.spread == pytest.approx(whole.spread, rel=0.4)
    assert abs(told.mean - whole.mean) < 0.5 * abs(standing.mean - whole.mean)


def test_books_that_open_alike_gain_nothing_over_each_other_whatever_corrects_them() -> None:
    judge, outlook = outlook_after(2_000), outlook_after(300)
    gain = believed_gain(CATALOG, judge, book_of(outlook), book_of(outlook), judge, 20, (outlook, outlook))
    assert (gain.mean, gain.spread, gain.lasting) == (0.0, 0.0, 0.0)


@pytest.mark.slow
def test_the_interval_holds_what_is_truly_gained_on_a_day_with_every_update() -> None:
    held = list[bool]()
    for seed in range(6):
        judge, wrong = outlook_after(1_000, seed=seed), outlook_after(300, (-1.0, 0.7)[seed % 2])
        books, outlooks = (book_of(wrong), book_of(judge)), (wrong, judge)
        gain = believed_gain(CATALOG, judge, *books, corrected_by=outlooks)
        prices = (
            prices_of_day(book.of().prices, outlook, TRULY, updates_due(CATALOG))
            for book, outlook in zip(books, outlooks, strict=True)
        )
        held.append(gain.lower <= true_gain(CATALOG, MONDAY, *prices) <= gain.upper)
    assert np.mean(held) >= 0.8
