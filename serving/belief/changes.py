"""Which days had the same demand, by the level of demand on each of them.

Days follow each other in segments. In most nights demand stays. After a change it is new or that of earlier segments,
the more likely the more often it was there (a Chinese restaurant process over segments: Aldous, "Exchangeability and
related topics", 1985). The level of a day is Gaussian: that of its demand, an effect of the weekday, and luck. How far
each moves is averaged over a grid, so different demands and differing days are weighed against each other.

Segments are found by dynamic programming (Jackson et al., "An algorithm for optimal partitioning of data on an
interval", IEEE Signal Processing Letters, 2005), with and without effects of weekdays. Demands are then joined in
pairs, the most alike first, and the likeliest sequence of all is taken.
"""

from collections.abc import Iterator
from itertools import product as each_of

import numpy as np
from scipy.special import betaln, gammaln, logsumexp

from catalog.arrays import Flags, Floats, Ints
from serving.belief.sales import WEEKDAYS, alike_weekdays

CHANCE_OF_A_CHANGE = 0.01
"""Prior probability that demand changed overnight."""

_NIGHTS = 100.0  # whose weight that probability has against the nights that were seen
_MOST_STATES = 6
_SURE = float(np.log(9))  # log odds that another sequence of demands must have against one demand
_SHELF, _STATE = 1.0, 0.7  # spread of the level of the shelf, and of a demand around it, in log odds
_LUCK = (0.02, 0.1, 0.3, 0.8)  # spread of a day, in log odds
_WEEKEND, _WEEKDAY = (0.05, 0.3, 1.0), (0.02, 0.1, 0.3, 1.0)  # of the weekend, and of a single weekday
_ROUNDS = 3
_CLEARLY = 1.0  # log evidence by which other spreads than the usual ones must be better
GRID = np.array(list(each_of(_LUCK, _WEEKEND, _WEEKDAY)))
"""Spreads of a day, of the weekend and of a single weekday that are tried, shape (n_spreads, 3)."""
_USUAL = np.flatnonzero((GRID == (0.1, 0.3, 0.1)).all(axis=1))[0]


def log_chance(states: Ints) -> float:
    """Return the log probability of a sequence of demands beforehand."""
    begins = _begins(states)
    n_changes, n_states = int(begins.sum()) - 1, int(states.max(initial=0)) + 1
    segments = np.bincount(states[begins], minlength=n_states)
    stays = len(states) - 1 - n_changes
    first, second = CHANCE_OF_A_CHANGE * _NIGHTS, (1 - CHANCE_OF_A_CHANGE) * _NIGHTS
    nights = betaln(first + n_changes, second + stays) - betaln(first, second)
    return float(nights + gammaln(segments).sum() - gammaln(segments.sum() + 1))


def chances_tomorrow(states: Ints) -> Floats:
    """Return how likely each demand is on the day after the last one, unless it is new; they add up to 1.

    A demand is back the more likely the more often demand changed, and the more of its segments there were.
    """
    begins = _begins(states)
    n_changes, newest = int(begins.sum()) - 1, int(states[-1])
    segments = np.bincount(states[begins]).astype(float)
    segments[newest] = 0.0
    changes = (CHANCE_OF_A_CHANGE * _NIGHTS + n_changes) / (_NIGHTS + len(states) - 1)
    chances = np.asarray(changes * segments / (1 + segments.sum()))
    chances[newest] = 1 - chances.sum()
    return chances


def _begins(states: Ints) -> Flags:
    """Return whether a segment begins on each day, shape (n_days,)."""
    return np.concatenate([[True], np.diff(states) != 0])


class DayLevels:
    """Levels of demand on some days, and how far they may move."""

    def __init__(self, levels: Floats, variance: Floats, weekdays: Ints) -> None:
        """Take the level of each day, in log odds, the variance that its sales leave, and its weekday, (n_days,)."""
        self._levels, self._variance = levels - levels.mean(), variance
        pair = (weekdays[:, None], weekdays)
        luck, weekend, weekday = (GRID**2).T[:, :, None, None]
        self._of_weekday = weekend * alike_weekdays(0.0)[pair] + weekday * np.eye(WEEKDAYS)[pair]
        self._usual = _SHELF**2 + self._of_weekday + np.diag(variance) + luck * np.eye(len(levels))

    def states(self) -> Ints:
        """Return the likeliest demand of each day, numbered from 0 as they first appear, shape (n_days,).

        It is one demand unless another sequence is nine times as likely.
        """
        best = before = np.zeros(len(self._levels), dtype=np.int64)
        most, effects = self._weighed(best)
        most += _SURE
        for _ in range(_ROUNDS):
            for states in (*self._sequences(self._levels), *self._sequences(self._levels - effects)):
                likely, of_weekdays = self._weighed(states)
                if likely > most:
                    best, most, effects = states, likely, of_weekdays
            if best is before:
                break
            before = best
        return best

    def spreads(self, states: Ints) -> tuple[float, float, float]:
        """Return the likeliest spreads of a day, of the weekend and of a single weekday, given the demands of days.

        They are the usual ones unless others are clearly likelier.
        """
        evidence = self._evidence(states)[0]
        evidence[_USUAL] += _CLEARLY
        luck, weekend, weekday = GRID[np.argmax(evidence)].tolist()
        return luck, weekend, weekday

    def _evidence(self, states: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the log evidence of the levels for each value of the grid, and the factors and pulls behind it."""
        lower = np.linalg.cholesky(self._usual + _STATE**2 * (states[:, None] == states))
        pull = np.linalg.solve(lower, np.broadcast_to(self._levels[:, None], (len(GRID), len(states), 1)))[:, :, 0]
        volume = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        return -0.5 * (pull**2).sum(axis=1) - volume, lower, pull

    def _weighed(self, states: Ints) -> tuple[float, Floats]:
        """Return the log probability of a sequence and the levels, and the effects of weekdays, shape (n_days,)."""
        evidence, lower, pull = self._evidence(states)
        best = int(np.argmax(evidence))
        effects = self._of_weekday[best] @ np.linalg.solve(lower[best].T, pull[best])
        return float(logsumexp(evidence)) + log_chance(states), effects

    def _sequences(self, levels: Floats) -> Iterator[Ints]:
        """Yield sequences of demands that levels suggest, the more of them the less days differ by luck."""
        for luck in _LUCK:
            precision = 1 / (self._variance + luck**2)
            states = _segments(levels, precision)
            yield from _joined(states, levels, precision)


def _segments(levels: Floats, precision: Floats) -> Ints:
    """Return the likeliest segments of days, each with a level of its own, numbered from 0, shape (n_days,)."""
    n_days, spread = len(levels), _SHELF**2 + _STATE**2
    weight = np.concatenate([[0.0], np.cumsum(precision)])
    pull = np.concatenate([[0.0], np.cumsum(precision * levels)])
    best, starts = np.zeros(n_days + 1), np.zeros(n_days + 1, dtype=np.int64)
    change = np.log(CHANCE_OF_A_CHANGE)
    for end in range(1, n_days + 1):
        within, of_level = weight[end] - weight[:end], pull[end] - pull[:end]
        evidence = 0.5 * (of_level**2 / (within + 1 / spread) - np.log1p(spread * within))
        total = best[:end] + evidence + np.where(np.arange(end), change, 0.0)
        starts[end] = np.argmax(total)
        best[end] = total[starts[end]]
    states, end = np.zeros(n_days, dtype=np.int64), n_days
    while end:
        states[starts[end] : end] = starts[end]
        end = int(starts[end])
    return np.unique(states, return_inverse=True)[1]


def _joined(states: Ints, levels: Floats, precision: Floats) -> Iterator[Ints]:
    """Yield sequences with fewer and fewer demands, each time the two most alike joined; not that of one demand."""
    while (n_states := int(states.max()) + 1) > 1:
        if n_states <= _MOST_STATES:
            yield states
        weight = np.bincount(states, precision)
        level = np.bincount(states, precision * levels) / weight
        apart = (level[:, None] - level) ** 2 / (1 / weight[:, None] + 1 / weight)
        np.fill_diagonal(apart, np.inf)
        first, second = sorted(divmod(int(np.argmin(apart)), n_states))
        states = np.where(states == second, first, states)
        states = np.where(states > second, states - 1, states)
