"""What a challenger's price book is expected to gain over the one in force without it, by a belief from all sales.

Two books that differ at opening come nearer to each other by each update, since both are corrected by the same sales.
So a book gains less than it would if it stood all day: some days are played with their updates. Such a day is one on
which as many come, and as many of them buy, as is expected: what the sales teach follows from it without luck.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
from scipy.special import expit, gammaincinv, logit, ndtr, stdtrit

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Sold
from catalog.errors import DataError, ModelError
from catalog.load import Catalog
from serving.belief.belief import State
from serving.belief.log import LogEvidence, belief_and_average
from serving.belief.sales import hours_of_day
from serving.book.book import PriceBook
from serving.book.make import DatedModel, DayKnowledge, learned_for, tabulate, unpublished_book
from serving.learning.outlook import DayStart, Outlook, start_of_day
from serving.learning.worth_knowing import drawn_chances
from serving.optimise.policies import costs_that_count, policy_without_model
from serving.optimise.recursion import value_of_prices

_NOBODY = 1e-12  # chance of a sale
_ANY_DAY = dt.date(1970, 1, 1)
_MOST_STORES = 24  # whose sales are told: an hour of so many says nearly all


@dataclass(frozen=True)
class ExpectedDay:
    """Who comes to a store on a day, and who buys.

    Attributes
    ----------
    visits
        Expected in each tick, shape (n_products, n_ticks).
    chance
        Returns the chance of sale of each product at a price, EUR, in a tick, each shape (n_products,).
    date
        Decides what is delivered when, where stock lives on.
    """

    visits: Floats
    chance: Callable[[Floats, int], Floats]
    date: dt.date = _ANY_DAY


def updates_due(catalog: Catalog) -> range:
    """Return the ticks after which the prices of a later day than the first are remade."""
    return range(catalog.store.belief.update_ticks, catalog.store.opening.ticks, catalog.store.belief.update_ticks)


def some_updates(catalog: Catalog) -> Sequence[int]:
    """Return the first of these, and those after a quarter and a half of the day: the rest hardly adds to them."""
    due = updates_due(catalog)
    return sorted({due[0], due[len(due) // 4], due[len(due) // 2]}) if due else ()


def prices_of_day(opens: Floats, outlook: Outlook | None, day: ExpectedDay, updates: Sequence[int]) -> Floats:
    """Return the prices of a day, EUR, in the shape of a book's: (n_products, n_levels, n_ticks).

    Parameters
    ----------
    opens
        Those that the day opens with, in the same shape.
    outlook
        What is believed before the first visit, if the day's sales correct it; without one those prices stand all day.
    day
        What is to be expected in each store of the catalog.
    updates
        Ticks after which prices are remade, ascending.
    """
    if outlook is None or not updates:
        return opens
    catalog, made_for = outlook.start.catalog, dt.datetime.combine(day.date, dt.time(), dt.UTC)
    product, n_ticks = np.arange(len(catalog.skus)), catalog.store.opening.ticks
    n_stores = min(len(catalog.store.stores), _MOST_STORES)
    prices, stock, unheard = opens.copy(), catalog.par_stock.astype(float), list[Sold]()
    for tick in range(updates[-1]):
        shown = prices[product, np.rint(stock).astype(np.int64), n_ticks - tick - 1]
        chance = np.maximum(day.chance(shown, tick), _NOBODY)
        bought = np.minimum(stock, day.visits[:, tick] * chance)
        in_each: list[Any] = [  # what is expected is no whole number, as what is counted would be
            np.tile(brought, (n_stores, 1)) for brought in (shown, day.visits[:, tick], bought / chance, bought)
        ]
        unheard.append(Sold(tick, *in_each))
        stock = stock - bought
        if tick + 1 in updates:
            outlook, unheard, left = outlook.after(tuple(unheard)), [], n_ticks - tick - 1
            prices[:, :, :left] = tabulate(outlook.policy, catalog, made_for, outlook.curves, left).of().prices
    return prices


def shelf_of(outlook: Outlook, chosen: Ints) -> Outlook:
    """Return what is believed of some products before the first visit, by their positions, without the others."""
    start, believed = outlook.start, outlook.start.opened
    states = tuple(State(state.weight, state.demand.among(chosen)) for state in believed.states)
    few = DayStart(
        Catalog(tuple(start.catalog.products[product] for product in chosen), start.catalog.store),
        replace(believed, knots=believed.knots.among(chosen), states=states, hours=believed.hours[:, chosen]),
        replace(start.footfall, daily=start.footfall.daily[chosen]),
        start.model_version,
        None if start.owners is None else start.owners[chosen],
        start.learners,
    )
    return few.outlook()


_DRAWS = 32
_FEW_DRAWS = 16  # of corrected days, each of which takes as long as ten others, and of the products of a long shelf
LONG_SHELF = 100
"""Products beyond which the luck of each matters little, and a day is worked out less finely."""

_MOST_CORRECTED = 24  # products; what the others gain shrinks as it does for these
_AT_ONCE = 100  # products whose states are looked up together
_SEED = 20260105
_LEAST_SPREAD = 1e-3  # of a day's visits, as a share
_LEAST = 1e-9  # chance of a sale
_FEWEST = 2  # degrees of freedom
_UNTOLD = 2e-4  # of what a book earns: demand is drawn on straight lines between knots, which tell no more
_TWO_SIDED = 1.96
_ONE_SIDED = 2.326  # 99 %


@dataclass(frozen=True)
class BelievedGain:
    """The expected gain of one book over another, EUR per store day.

    Attributes
    ----------
    mean, spread
        Mean and standard deviation of the belief's draws of the day.
    lasting
        Standard deviation of what such days gain on average: what each adds by luck is left out. None where that was
        not asked.
    usual
        What the other book is expected to earn.
    """

    mean: float
    spread: float
    usual: float
    lasting: float | None = None

    def is_within(self, share: float) -> bool:
        """Return whether the expected gain or loss is less than a share of what the other book earns."""
        return abs(self.mean) < share * self.usual

    @property
    def lower(self) -> float:
        """Lower end of the 95 % interval."""
        return self.mean - _TWO_SIDED * self.spread

    @property
    def upper(self) -> float:
        """Upper end of the 95 % interval."""
        return self.mean + _TWO_SIDED * self.spread

    @property
    def on_average(self) -> float:
        """Lower end of the 95 % interval of what such days gain on average."""
        return self.mean - _TWO_SIDED * (self.spread if self.lasting is None else self.lasting)

    @property
    def at_least(self) -> float:
        """The gain that it has with 99 %."""
        return self.mean - _ONE_SIDED * self.spread


@dataclass(frozen=True)
class RivalBooks:
    """The price books of a date that the gate compares: the challenger's, and the one in force without it.

    `known` is what is known of the date with the challenger, and without it; None where base prices stand.
    """

    date: dt.date
    known: tuple[DayKnowledge, DayKnowledge | None]
    books: tuple[PriceBook, PriceBook]

    @property
    def outlooks(self) -> tuple[Outlook, Outlook | None]:
        """What corrects each book during the day; None where base prices stand."""
        challenger, incumbent = self.known
        return challenger.outlook, None if incumbent is None else incumbent.outlook


def rival_books(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    models: tuple[DatedModel, DatedModel | None],
    date: dt.date,
    log: LogEvidence,
) -> RivalBooks | None:
    """Return the price books of a date from a challenger and from a champion; None if the challenger's cannot be made.

    Without a champion the belief from the log prices, or base prices where the catalog has no belief price the store.
    """

    def priced(model: DatedModel | None) -> tuple[DayKnowledge, PriceBook]:
        knowledge = learned_for(connection, model, catalog, date, log)
        return knowledge, unpublished_book(catalog, knowledge.curves, knowledge.visits, date)

    challenger, champion = models
    try:
        knowledge, book = priced(challenger)
    except (DataError, ModelError):
        return None
    if champion is not None or catalog.store.policies.before_champion == "belief":
        with suppress(ModelError):  # a champion of another shelf
            without, in_force = priced(champion)
            return RivalBooks(date, (knowledge, without), (book, in_force))
    base = tabulate(policy_without_model(catalog), catalog, book.published_at)
    return RivalBooks(date, (knowledge, None), (book, base))


def gain_of_rivals(catalog: Catalog, rivals: RivalBooks, log: LogEvidence) -> BelievedGain:
    """Value two books of a date by the belief under which the sales were likeliest, whichever book it speaks for."""
    beliefs = belief_and_average(catalog, log, rivals.date, [known.champion for known in rivals.known if known])
    day, average = (start_of_day(catalog, belief).outlook() for belief in beliefs)
    return believed_gain(catalog, day, *rivals.books, average, len(log.sales.dates), rivals.outlooks)


def borne_out(catalog: Catalog, rivals: RivalBooks, log: LogEvidence) -> float:
    """Return by how much likelier the sales were with the challenger's forests than without it, as a logarithm."""
    challenger, incumbent = (log.hearing(catalog, None if known is None else known.champion) for known in rivals.known)
    if challenger is None or log.fit is None:
        return 0.0
    return challenger.fit.evidence - (log.fit if incumbent is None else incumbent.fit).evidence


def believed_gain(
    catalog: Catalog,
    judge: Outlook,
    book: PriceBook,
    other: PriceBook,
    average: Outlook | None = None,
    n_days: int | None = None,
    corrected_by: tuple[Outlook | None, Outlook | None] = (None, None),
) -> BelievedGain:
    """Value two price books under draws from a belief: of demand, and of a day's visits around those it expects.

    Parameters
    ----------
    average
        The same belief of the mean of such days, without what each adds by luck.
    n_days
        Days from which it was learned how far days differ: few may mislead, so the day's spread is as much wider as
        Student's t is than the normal distribution. None for as many as one likes.
    corrected_by
        What corrects each book during the day by its sales; None where it stands as it is all day.
    """
    date = book.published_at.date()
    rivals = _Rivals(judge, (book, other), corrected_by, date)
    n_draws = _DRAWS if len(catalog.skus) <= LONG_SHELF else _FEW_DRAWS
    gained, left, apart = rivals.gained(n_draws), 1.0, 0.0
    expected = _DrawnDay(judge, judge.understanding.chance, date)
    usual = sum(_worth(expected, product, prices) for product, (_, prices) in rivals.by_product())
    mean = float(gained.sum(axis=1).mean())
    if gained.any() and any(corrected_by):
        of_most = np.argsort(-np.abs(gained).sum(axis=0), kind="stable")
        few = of_most[:_MOST_CORRECTED]
        among_few = rivals.of(few) if len(of_most) > len(few) else rivals
        stand, corrected = (among_few.gained(_FEW_DRAWS, corrects=corrects).sum(axis=1) for corrects in (False, True))
        left = float(corrected @ stand / max(float(stand @ stand), _LEAST))
        beside = corrected - left * stand  # what is not a share of the gain of books that stand
        mean, apart = float(left * mean + beside.mean()), float(beside.std())

    def spread(gained: Floats) -> float:
        return float(np.linalg.norm([left * gained.sum(axis=1).std(ddof=1), apart, _UNTOLD * usual * gained.any()]))

    lasting = None if average is None else spread(replace(rivals, judge=average).gained(n_draws))
    wider = 1.0 if n_days is None else float(stdtrit(max(n_days - 1, _FEWEST), ndtr(_TWO_SIDED))) / _TWO_SIDED
    return BelievedGain(mean, wider * spread(gained), usual, lasting=lasting)


@dataclass(frozen=True)
class _Rivals:
    """Two books of a date, what corrects each, and the belief by which both are valued."""

    judge: Outlook
    books: tuple[PriceBook, PriceBook]
    corrected_by: tuple[Outlook | None, Outlook | None]
    date: dt.date

    def of(self, chosen: Ints) -> "_Rivals":
        """Return the same of some products, by their positions."""
        first, second = (book.take(chosen) for book in self.books)
        by_first, by_second = (outlook and shelf_of(outlook, chosen) for outlook in self.corrected_by)
        return _Rivals(shelf_of(self.judge, chosen), (first, second), (by_first, by_second), self.date)

    def by_product(self) -> Iterator[tuple[int, tuple[Floats, Floats]]]:
        """Yield each product's position, and the prices that both books open with, EUR, shape (n_levels, n_ticks)."""
        for first in range(0, len(self.books[0].skus), _AT_ONCE):
            prices = (book.of(slice(first, first + _AT_ONCE)).prices for book in self.books)
            yield from enumerate(zip(*prices, strict=True), first)

    def gained(self, n_draws: int, *, corrects: bool = False) -> Floats:
        """Return what each draw gains by each product, EUR per store day, shape (n_draws, n_products)."""
        draws = drawn_chances(self.judge.understanding, self.judge.start.opened.knots.shape, n_draws)
        paces = drawn_paces(self.judge.start.footfall.day_spread, n_draws).tolist()
        days = [_DrawnDay(self.judge, chances, self.date, pace) for chances, pace in zip(draws, paces, strict=True)]
        gained = np.zeros(draws.shape[:2])
        if not corrects:
            for product, rivals in self.by_product():
                gained[:, product] = [_gain(day, product, *rivals) for day in days]
            return gained
        opens = [book.of().prices for book in self.books]
        for draw, day in enumerate(days):
            pairs, updates = zip(opens, self.corrected_by, strict=True), some_updates(self.judge.start.catalog)
            prices = (prices_of_day(opening, outlook, day.expected, updates) for opening, outlook in pairs)
            gained[draw] = [_gain(day, product, *rivals) for product, rivals in enumerate(zip(*prices, strict=True))]
        return gained


def _gain(day: "_DrawnDay", product: int, prices: Floats, others: Floats) -> float:
    """Return what prices of a product gain over others on a day, EUR."""
    return _worth(day, product, prices) - _worth(day, product, others) if (prices != others).any() else 0.0


@dataclass(frozen=True)
class _DrawnDay:
    """A day that may come: chances of sale at the knots, shape (n_products, n_knots), and times the usual visits."""

    judge: Outlook
    chances: Floats
    date: dt.date
    pace: float = 1.0

    @cached_property
    def visits(self) -> Floats:
        """Visits, shape (n_products, n_ticks)."""
        return self.pace * self.judge.visits

    @cached_property
    def hours(self) -> Ints:
        """The hour of each tick, by its position, shape (n_ticks,)."""
        return hours_of_day(self.judge.start.catalog)

    @cached_property
    def costs(self) -> Floats:
        """What a sale forgoes, EUR, shape (n_products,)."""
        return costs_that_count(self.judge.start.catalog)

    @property
    def expected(self) -> ExpectedDay:
        """The same day as prices are corrected on it."""

        def chance(prices: Floats, tick: int) -> Floats:
            hour = self.hours[[tick]]
            return np.array([self.chance(product, price, hour)[0] for product, price in enumerate(prices[:, None])])

        return ExpectedDay(self.visits, chance, self.date)

    def chance(self, product: int, prices: Floats, hours: Ints) -> Floats:
        """Return the chance of sale of a product at prices, EUR, whose last axis is that of the hours."""
        knots, understanding = self.judge.start.opened.knots, self.judge.understanding
        chance = np.interp(prices, knots.ratios[product] * knots.base_prices[product], self.chances[product])
        if not understanding.knows_hours:
            return np.asarray(chance)
        return np.asarray(expit(logit(np.clip(chance, _LEAST, 1 - _LEAST)) + understanding.hours[hours, product]))


def _worth(day: _DrawnDay, product: int, prices: Floats) -> float:
    """Return what a product is worth at opening by a book's prices, EUR."""
    gains, start = prices - day.costs[product], day.judge.start
    coming = day.chance(product, prices, day.hours[::-1]) * day.visits[product, ::-1]
    evening = np.zeros(len(prices)) if start.ahead is None else start.ahead[product].of_new_units(day.date)
    levels = slice(len(evening))
    return float(value_of_prices(gains[levels], coming[levels], evening)[start.catalog.par_stock[product], -1])


def drawn_paces(spread: float, n_draws: int = _DRAWS) -> Floats:
    """Return how many times the usual visits come, shape (n_draws,): gamma around 1, in an order of its own.

    Parameters
    ----------
    spread
        Standard deviation of a day's visits, as a share.
    """
    shape = max(spread, _LEAST_SPREAD) ** -2
    places = np.random.default_rng(_SEED).permutation(n_draws)
    return np.asarray(gammaincinv(shape, (places + 0.5) / n_draws) / shape)
