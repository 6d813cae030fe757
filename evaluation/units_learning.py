"""`python -m evaluation.units_learning` measures what learning prices from units costs, where the truth is known.

The chain is an outside one: its tills report units of weeks, negative binomial around a level of store and product, an
effect of the chain in the week, and a slope in log price. Four weeks are sold at the owner's prices. Then a belief is
formed each week and draws the prices of the next. Loss is the share of the attainable profit, that of the best prices
of the ladder in the band, which the shown prices leave; store weeks that are held at the owner's prices are counted
apart.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import numpy as np

from catalog.arrays import Flags, Floats
from evaluation.reporting import markdown
from serving.counts.belief_from_units import UnitsBelief, believed_of_units
from serving.counts.belief_priors import ToldPrior
from serving.counts.draws_of_prices import HELD_SHARE, drawn_prices
from serving.counts.price_room import BAND, PriceRoom
from serving.counts.slope_draws import SlopeDraws
from serving.counts.unit_rows import UnitRows

BEFORE = 4
"""Weeks at the owner's prices that a chain begins with."""
PERIODS = ((0, 4), (4, 8), (8, 12), (12, 26))
"""Weeks that losses are told of, counted from the first that we price."""
SIZES = ((1, 10), (5, 10), (10, 10), (10, 2), (40, 10))
"""Stores, and units of a product in a day."""
_WORLD = 1_411_200_077  # sets a chain's stream apart from the draws of the same seed
_LOWEST, _HIGHEST = -4.5, -0.4  # slopes that a chain has
_DISPERSION = 56.0  # shape of a week's negative binomial
_WEEK_EFFECT, _STORE_LEVEL = 0.08, 0.3  # in log units
_LOG_ERROR = 0.3  # standard error of what a log tells
_LADDER = np.linspace(1 - BAND, 1 + BAND, 51)


@dataclass(frozen=True)
class UnitsChain:
    """A chain to learn in.

    Attributes
    ----------
    stores, units, products, weeks
        Numbers; `units` are those of a product in a store's day at the owner's price.
    told_wrong
        By how much a log told slopes too steep before; None where no log told anything.
    wrong_every
        1 where it told all of them so, 2 for every second one.
    shock, shock_of
        Standard deviation of local shocks in log units, and what has a shock of its own: a `store`, or each `product`
        in it. They remain by 0.7 from week to week.
    """

    stores: int
    units: float
    products: int = 20
    weeks: int = 26
    told_wrong: float | None = None
    wrong_every: int = 1
    shock: float = 0.0
    shock_of: str = "product"

    def world(self, seed: int) -> "ChainTruth":
        """Draw the chain of a seed."""
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _WORLD))))
        n_weeks, shape = BEFORE + self.weeks, (self.products, self.stores)
        slopes = dice.normal(-2.2, 0.9, 8 * self.products)
        slopes = slopes[(slopes > _LOWEST) & (slopes < _HIGHEST)][: self.products]
        owner = np.round(dice.uniform(1.0, 6.0, self.products), 2)
        levels = np.log(7 * self.units) + dice.normal(-(_STORE_LEVEL**2) / 2, _STORE_LEVEL, shape)
        steps = dice.standard_normal((n_weeks, self.products if self.shock_of == "product" else 1, self.stores))
        shocks = [steps[0]]
        for step in steps[1:]:
            shocks.append(0.7 * shocks[-1] + np.sqrt(1 - 0.7**2) * step)
        rates = levels[:, :, None] + dice.normal(0.0, _WEEK_EFFECT, n_weeks) + self.shock * np.stack(shocks, axis=2)
        return ChainTruth(slopes, owner, owner * dice.uniform(0.55, 0.75, self.products), np.exp(rates), dice)


@dataclass(frozen=True)
class ChainTruth:
    """What is true of a chain: slopes, prices and costs in EUR, shape (n_products,).

    `rates` are the mean units at the owner's prices, shape (n_products, n_stores, n_weeks); `dice` draw what is sold.
    """

    slopes: Floats
    owner: Floats
    costs: Floats
    rates: Floats
    dice: np.random.Generator = field(repr=False)

    def sold(self, week: int, prices: Floats) -> Floats:
        """Draw what a week sells at some prices, EUR, both shape (n_products, n_stores)."""
        mean = self._mean(week, prices)
        return self.dice.negative_binomial(_DISPERSION, _DISPERSION / (_DISPERSION + mean)).astype(float)

    def gain(self, week: int, prices: Floats) -> Floats:
        """Return the expected profit of each store, EUR, shape (n_stores,)."""
        return np.asarray(((prices - self.costs[:, None]) * self._mean(week, prices)).sum(axis=0))

    def best(self) -> Floats:
        """Return the prices that no others of the ladder beat, EUR, shape (n_products,)."""
        gains = (self.ladder - self.costs[:, None]) * (self.ladder / self.owner[:, None]) ** self.slopes[:, None]
        return np.asarray(np.take_along_axis(self.ladder, gains.argmax(axis=1)[:, None], axis=1)[:, 0])

    @property
    def ladder(self) -> Floats:
        """Prices of whole cents in the band, EUR, shape (n_products, n_prices)."""
        lowest, highest = (
            np.ceil(self.owner * (100 - 100 * BAND)) / 100,
            np.floor(self.owner * (100 + 100 * BAND)) / 100,
        )
        return np.clip(np.round(self.owner[:, None] * _LADDER, 2), lowest[:, None], highest[:, None])

    def told(self, wrong: float, every: int) -> ToldPrior:
        """Return what a log tells that is too steep for every so many products, and has errors of its own."""
        errors = self.dice.normal(0.0, _LOG_ERROR, len(self.slopes))
        off = np.where(np.arange(len(self.slopes)) % every == 0, wrong, 0.0)
        return ToldPrior.of(self.slopes - off + errors, _LOG_ERROR)

    def _mean(self, week: int, prices: Floats) -> Floats:
        return np.asarray(self.rates[:, :, week] * (prices / self.owner[:, None]) ** self.slopes[:, None])


@dataclass(frozen=True)
class LearnedWeeks:
    """Expected EUR of each week and store, shape (n_weeks, n_stores), and the prices behind the units.

    Attributes
    ----------
    shown, best, owner, surest, revenue
        Profit of the shown prices, of the best, of the owner's, and of those without a draw; revenue of the owner's.
    is_held
        Which store weeks were held at the owner's prices.
    rows, prices
        Units and prices, EUR, of all weeks, shape (n_products, n_stores, n_weeks before and since).
    """

    shown: Floats
    best: Floats
    owner: Floats
    surest: Floats
    revenue: Floats
    is_held: Flags
    rows: UnitRows
    prices: Floats
    truth: ChainTruth
    belief: UnitsBelief

    @property
    def worst_week(self) -> float:
        """The most that a week of the whole chain lost to the owner's prices, as a share of their revenue."""
        return float(((self.owner - self.shown).sum(axis=1) / self.revenue.sum(axis=1)).max())


def learned_weeks(chain: UnitsChain, seed: int, held_share: float = HELD_SHARE) -> LearnedWeeks:
    """Play a chain: each week a belief from all units so far, and prices drawn by it."""
    truth = chain.world(seed)
    owner = np.repeat(truth.owner[:, None], chain.stores, axis=1)
    n_weeks = BEFORE + chain.weeks
    units, prices = np.zeros((*owner.shape, n_weeks)), np.repeat(owner[:, :, None], n_weeks, axis=2)
    told = None if chain.told_wrong is None else truth.told(chain.told_wrong, chain.wrong_every)
    best, before = np.repeat(truth.best()[:, None], chain.stores, axis=1), owner
    for week in range(BEFORE):
        units[:, :, week] = truth.sold(week, owner)
    belief, weeks, held = None, [], []
    for week in range(BEFORE, n_weeks):
        belief = believed_of_units(_rows(units, prices, owner, week), told, before=belief)
        rule, room = SlopeDraws.of(belief), PriceRoom(truth.ladder, owner, before, truth.costs)
        drawn = drawn_prices(room, rule, seed, week, held_share=held_share)
        surest = drawn_prices(room, replace(rule, spreads=0 * rule.spreads), seed, week, held_share=0.0)
        prices[:, :, week], before = drawn.prices, drawn.step_from
        units[:, :, week] = truth.sold(week, drawn.prices)
        turnover = (owner * truth.rates[:, :, week]).sum(axis=0)
        gains = [truth.gain(week, shown) for shown in (drawn.prices, best, owner, surest.prices)]
        weeks.append([*gains, turnover])
        held.append(drawn.is_held)
    assert belief is not None  # noqa: S101 - a chain has weeks
    shown, most, at_owner, certain, revenue = np.array(weeks).swapaxes(0, 1)
    rows = _rows(units, prices, owner, n_weeks)
    return LearnedWeeks(shown, most, at_owner, certain, revenue, np.array(held), rows, prices, truth, belief)


def _rows(units: Floats, prices: Floats, owner: Floats, n_weeks: int) -> UnitRows:
    log_ratios = np.log(prices[:, :, :n_weeks] / owner[:, :, None])
    return UnitRows(units[:, :, :n_weeks], np.ones(log_ratios.shape), log_ratios)


def losses(played: Sequence[LearnedWeeks], of: Callable[[LearnedWeeks], Floats], *, held: bool = False) -> list[float]:
    """Return the share of the attainable profit that is lost in each of `PERIODS`, in store weeks held or not."""
    lost = []
    for first, end in PERIODS:
        counted = [(own.is_held if held else ~own.is_held)[first:end] for own in played]
        most = sum(float((own.best[first:end] * flags).sum()) for own, flags in zip(played, counted, strict=True))
        got = sum(float((of(own)[first:end] * flags).sum()) for own, flags in zip(played, counted, strict=True))
        lost.append(1 - got / most if most > 0 else np.nan)
    return lost


@dataclass(frozen=True)
class _Play:
    chain: UnitsChain
    held_share: float

    def __call__(self, seed: int) -> LearnedWeeks:
        return learned_weeks(self.chain, seed, self.held_share)


_KINDS = {
    "plain": UnitsChain(1, 10),
    "told 2 too steep": UnitsChain(1, 10, told_wrong=2.0),
    "half told 2 too steep": UnitsChain(1, 10, told_wrong=2.0, wrong_every=2),
    "told well": UnitsChain(1, 10, told_wrong=0.0),
    "shocks of products": UnitsChain(1, 10, shock=0.15),
    "shocks of stores": UnitsChain(1, 10, shock=0.15, shock_of="store"),
}


def main() -> None:
    """Play what is asked for and print a table."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.units_learning", description=__doc__)
    parser.add_argument("--seeds", type=int, default=12, help="chains of each kind (default %(default)s)")
    parser.add_argument("--sizes", default="", metavar="SxU", help="such as 1x10,10x2; default all")
    parser.add_argument("--kinds", default="", metavar="A,B", help="out of " + ",".join(_KINDS))
    parser.add_argument(
        "--held", type=float, default=HELD_SHARE, help="share of store weeks held (default %(default)s)"
    )
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in asked.sizes.split(",") if size] or SIZES
    kinds = [kind for kind in asked.kinds.split(",") if kind] or list(_KINDS)
    weeks = [f"{first + 1}-{end}" for first, end in PERIODS]
    columns = ["chain", "stores x units", *weeks, "without draws " + weeks[-1], "held", "owner", "worst week", "error"]
    for line in list(markdown(columns, []))[:2]:
        _say(line)
    with ProcessPoolExecutor(asked.processes, get_context("spawn")) as pool:
        for kind in kinds:
            for stores, units in sizes:
                chain = replace(_KINDS[kind], stores=stores, units=units)
                played = list(pool.map(_Play(chain, asked.held), range(asked.seeds)))
                _say(_line([kind, f"{stores} x {units}", *_figures(played)]))


def _figures(played: Sequence[LearnedWeeks]) -> list[str]:
    """Return the figures of one kind of chain, in per cent; the last is the root mean square error of slopes."""
    shown, surest = losses(played, lambda own: own.shown), losses(played, lambda own: own.surest)[-1]
    held = losses(played, lambda own: own.shown, held=True)[-1]
    owner = 1 - sum(own.owner.sum() for own in played) / sum(own.best.sum() for own in played)
    error = np.sqrt(np.mean([(own.belief.slopes - own.truth.slopes) ** 2 for own in played]))
    worst = max(own.worst_week for own in played)
    return [f"{100 * value:.2f}" for value in (*shown, surest, held, owner, worst)] + [f"{error:.2f}"]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
