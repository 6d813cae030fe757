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

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.belief.belief import hours_of_day
from serving.belief.policy import Outlook
from serving.belief.worth_knowing import drawn_chances
from serving.policies import costs_that_count
from serving.price_book import PriceBook
from serving.recursion import value_of_prices

_DRAWS = 32
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
) -> BelievedGain:
    """Value two price books under draws from a belief: of demand, and of a day's visits around those it expects.

    Parameters
    ----------
    average
        The same belief of the mean of such days, without what each adds by luck.
    n_days
        Days from which it was learned how far days differ: few may mislead, so the day's spread is as much wider as
        Student's t is than the normal distribution. None for as many as one likes.
    """
    mean, gained = judge.understanding.chance, _gained(catalog, judge, book, other)
    usual = sum(_worth(catalog, judge, other, product, mean[product]) for product in range(len(mean)))

    def spread(gained: Floats) -> float:
        return float(np.hypot(gained.std(ddof=1), _UNTOLD * usual * gained.any()))

    lasting = None if average is None else spread(_gained(catalog, average, book, other))
    wider = 1.0 if n_days is None else stdtrit(max(n_days - 1, _FEWEST), ndtr(_TWO_SIDED)) / _TWO_SIDED
    return BelievedGain(float(gained.mean()), float(wider * spread(gained)), usual, lasting=lasting)


def _gained(catalog: Catalog, judge: Outlook, book: PriceBook, other: PriceBook) -> Floats:
    """Return what each draw gains, EUR per store day, shape (n_draws,)."""
    differ = [own for own in range(len(catalog.skus)) if not np.array_equal(book.prices[own], other.prices[own])]
    draws = drawn_chances(judge.understanding, judge.morning.opened.knots.shape, _DRAWS)
    paces = drawn_paces(judge.morning.footfall.day_spread)
    gained = np.zeros(_DRAWS)
    for draw, (chances, pace) in enumerate(zip(draws, paces.tolist(), strict=True)):
        for product in differ:
            gained[draw] += _worth(catalog, judge, book, product, chances[product], pace)
            gained[draw] -= _worth(catalog, judge, other, product, chances[product], pace)
    return gained


def _worth(
    catalog: Catalog, judge: Outlook, book: PriceBook, product: int, chances: Floats, pace: float = 1.0
) -> float:
    """Return what a product is worth at opening by a book, EUR, where shoppers buy with these chances at the knots."""
    knots, known, prices = judge.morning.opened.knots, judge.understanding, book.prices[product]
    at = knots.ratios[product] * knots.base_prices[product]
    gains, chance = prices - costs_that_count(catalog)[product], np.interp(prices, at, chances)
    if known.knows_hours:
        hours = known.hours[hours_of_day(catalog)][::-1, product]  # by ticks left, like a book
        chance = expit(logit(np.clip(chance, _LEAST, 1 - _LEAST)) + hours)
    coming = chance * pace * judge.visits[product, ::-1]
    return float(value_of_prices(gains, coming)[catalog.par_stock[product], -1])


def drawn_paces(spread: float) -> Floats:
    """Return how many times the usual visits come, shape (n_draws,): gamma around 1, in an order of its own.

    Parameters
    ----------
    spread
        Standard deviation of a day's visits, as a share.
    """
    shape = max(spread, _LEAST_SPREAD) ** -2
    places = np.random.default_rng(_SEED).permutation(_DRAWS)
    return np.asarray(gammaincinv(shape, (places + 0.5) / _DRAWS) / shape)
