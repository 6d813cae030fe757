"""What a challenger's prices would gain according to the belief, and how sure that is.

Logged visits say little about prices that were hardly shown, and a store that prices well hardly shows bad ones. A
belief knows how unsure it is at every price. So both books are valued under draws from a belief in everything that was
sold, in which no champion's curve has a say, and of how many come that day: the spread of the difference is the
uncertainty that is left.

What must hold: prices were our own. Then the days are evidence of how shoppers answer to them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaincinv, logit, ndtr, stdtrit

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from serving.belief.belief import hours_of_day
from serving.belief.policy import Outlook
from serving.belief.worth_knowing import drawn_chances
from serving.policies import costs_that_count
from serving.price_book import PriceBook
from serving.recursion import value_of_prices
from training.corrected_day import ExpectedDay, prices_of_day, some_updates

_DRAWS = 32
_CORRECTED_DRAWS = 16  # each of which takes as long as ten
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
    truth
        The true expected gain, where it is known.
    """

    mean: float
    spread: float
    usual: float
    truth: float | None = None
    lasting: float | None = None

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
    standing = _gained(catalog, judge, book, other, _DRAWS)
    usual = sum(
        _worth(_DrawnDay(catalog, judge, judge.understanding.chance), product, other.prices[product])
        for product in range(len(catalog.skus))
    )
    gained, left, n_draws = standing, 1.0, None
    if standing.any() and any(corrected_by):
        gained, n_draws = _gained(catalog, judge, book, other, _CORRECTED_DRAWS, corrected_by), _CORRECTED_DRAWS
        left = gained.std() / standing.std()

    def spread(gained: Floats, left: float = 1.0) -> float:
        return float(np.hypot(left * gained.std(ddof=1), _UNTOLD * usual * standing.any()))

    def wider(n: int | None) -> float:
        return 1.0 if n is None else float(stdtrit(max(n - 1, _FEWEST), ndtr(_TWO_SIDED))) / _TWO_SIDED

    lasting = None
    if average is not None:
        lasting = wider(n_draws) * spread(_gained(catalog, average, book, other, _DRAWS), left)
    told_by = min((n for n in (n_days, n_draws) if n is not None), default=None)
    return BelievedGain(float(gained.mean()), wider(told_by) * spread(gained), usual, lasting=lasting)


def _gained(
    catalog: Catalog,
    judge: Outlook,
    book: PriceBook,
    other: PriceBook,
    n_draws: int,
    corrected_by: tuple[Outlook | None, Outlook | None] = (None, None),
) -> Floats:
    """Return what each draw gains, EUR per store day, shape (n_draws,)."""
    draws = drawn_chances(judge.understanding, judge.morning.opened.knots.shape, n_draws)
    paces, updates = drawn_paces(judge.morning.footfall.day_spread, n_draws), some_updates(catalog)
    gained = np.zeros(n_draws)
    for draw, (chances, pace) in enumerate(zip(draws, paces.tolist(), strict=True)):
        day = _DrawnDay(catalog, judge, chances, pace)
        prices, others = (
            prices_of_day(own, outlook, day.expected, updates)
            for own, outlook in zip((book, other), corrected_by, strict=True)
        )
        for product in range(len(catalog.skus)):
            if not np.array_equal(prices[product], others[product]):
                gained[draw] += _worth(day, product, prices[product]) - _worth(day, product, others[product])
    return gained


@dataclass(frozen=True)
class _DrawnDay:
    """A day that may come: chances of sale at the knots, shape (n_products, n_knots), and times the usual visits."""

    catalog: Catalog
    judge: Outlook
    chances: Floats
    pace: float = 1.0

    @property
    def visits(self) -> Floats:
        """Visits, shape (n_products, n_ticks)."""
        return self.pace * self.judge.visits

    @property
    def expected(self) -> ExpectedDay:
        """The same day as prices are corrected on it."""
        hours = hours_of_day(self.catalog)

        def chance(prices: Floats, tick: int) -> Floats:
            return np.array([self.chance(own, price, hours[[tick]])[0] for own, price in enumerate(prices[:, None])])

        return ExpectedDay(self.visits, chance)

    def chance(self, product: int, prices: Floats, hours: Ints) -> Floats:
        """Return the chance of sale of a product at prices, EUR, whose last axis is that of the hours."""
        knots, known = self.judge.morning.opened.knots, self.judge.understanding
        at = knots.ratios[product] * knots.base_prices[product]
        chance = np.interp(prices, at, self.chances[product])
        if not known.knows_hours:
            return np.asarray(chance)
        return np.asarray(expit(logit(np.clip(chance, _LEAST, 1 - _LEAST)) + known.hours[hours, product]))


def _worth(day: _DrawnDay, product: int, prices: Floats) -> float:
    """Return what a product is worth at opening by a book's prices, EUR."""
    catalog, hours = day.catalog, hours_of_day(day.catalog)[::-1]  # by ticks left, like a book
    gains = prices - costs_that_count(catalog)[product]
    coming = day.chance(product, prices, hours) * day.visits[product, ::-1]
    return float(value_of_prices(gains, coming)[catalog.par_stock[product], -1])


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
