"""`python -m evaluation.units_learning` measures what learning prices from units costs, where the truth is known.

The chain is the grocer of the outside stores. Four weeks are sold at the owner's prices. Then a belief is formed each
week and draws the prices of the next. Loss is the share of what the clairvoyant earns under the same rules that the
shown prices leave; store weeks of holds at the owner's prices are counted apart. The last columns say in which share of
chains the interval of `shelfprice earned` holds the truth, and in which share it claims a gain or a loss of the same
draws where every week sells as at the owner's prices: `--kinds plain --sizes 10x10 --seeds 400` takes a few minutes.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Literal

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from evaluation.outside_store.drawn_policy import night_of
from evaluation.outside_store.policy_score import ROWS
from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.outside_world import at_owner_prices
from evaluation.outside_store.stores.weekly_seller import OWNER_WEEKS, WeeksSeen
from evaluation.reporting import markdown
from serving.counts.belief_from_units import UnitsBelief
from serving.counts.belief_priors import ToldPrior
from serving.counts.draws_of_prices import HELD_SHARE, DrawnPrices, way_slots
from serving.counts.earned_profit import EarnedProfit, StoreWeeks, earned_profit

SIZES = ((1, 10), (5, 10), (10, 10), (10, 2), (40, 10))
"""Stores, and units of a product in a day."""
_LOG = 1_411_200_077  # sets what a log tells apart from the draws of the same seed
_LOG_ERROR = 0.3  # standard error of what a log tells
_STRETCHES = 10_000  # numbers of stretches that a store has


@dataclass(frozen=True)
class UnitsChain:
    """A chain to learn in: the grocer, after a log that may have told its slopes.

    Attributes
    ----------
    stores, units, products, weeks
        Numbers; `units` are those of a product in a store's day at the owner's price.
    told_wrong
        By how much a log told slopes too steep before; None where no log told anything.
    wrong_every
        1 where it told all of them so, 2 for every second one.
    shock_of
        What has a shock of its own that remains from week to week: a `store`, or each `product` in it.
    """

    stores: int
    units: float
    products: int = 20
    weeks: int = 26
    told_wrong: float | None = None
    wrong_every: int = 1
    shock_of: Literal["store", "product"] | None = None

    def world(self, seed: int) -> CountGrocer:
        """Return the chain of a seed."""
        is_of_store, is_of_product = self.shock_of == "store", self.shock_of == "product"
        return CountGrocer(seed, self.stores, self.units, self.products, is_of_store, is_of_product)

    def told(self, slopes: Floats, seed: int) -> ToldPrior | None:
        """Return what a log tells that is too steep for every so many products, and has errors of its own."""
        if self.told_wrong is None:
            return None
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _LOG))))
        off = np.where(np.arange(len(slopes)) % self.wrong_every == 0, self.told_wrong, 0.0)
        return ToldPrior.of(slopes - off + dice.normal(0.0, _LOG_ERROR, len(slopes)), _LOG_ERROR)


@dataclass(frozen=True)
class LearnedWeeks:
    """Expected EUR of each week and store, shape (n_weeks, n_stores), and the prices behind the units.

    Attributes
    ----------
    shown, best, owner, surest, revenue
        Profit of the shown prices, of the best, of the owner's, and of those without a draw; revenue of the owner's.
    in_hold, is_held, began
        Which store weeks belong to a hold, those on the way to the owner's prices included, and which of them stand at
        the owner's prices; first week of the hold or of the stretch without one, shape as `in_hold`.
    seen
        Units and prices of all weeks, those before ours too.
    """

    shown: Floats
    best: Floats
    owner: Floats
    surest: Floats
    revenue: Floats
    in_hold: Flags
    is_held: Flags
    began: Ints
    seen: WeeksSeen
    world: CountGrocer
    belief: UnitsBelief

    @property
    def worst_week(self) -> float:
        """The most that a week of the whole chain lost to the owner's prices, as a share of their revenue."""
        return float(((self.owner - self.shown).sum(axis=1) / self.revenue.sum(axis=1)).max())

    @property
    def truly_earned(self) -> float:
        """What drawn prices earn on average over that of the owner's in the same store weeks, as a share."""
        free, luck = ~self.in_hold, self.world.luck
        season = np.array([[luck.season(OWNER_WEEKS + week)] for week in range(len(free))])
        return float((self.shown * season)[free].sum() / (self.owner * season)[free].sum()) - 1

    def earned(self) -> EarnedProfit:
        """Return what `shelfprice earned` says of these weeks, from units alone."""
        return self._earned(self.seen.prices, self.seen.units)

    def earned_without_effect(self) -> EarnedProfit:
        """Return what it says of the same draws where every week sells as at the owner's prices: truly nothing."""
        prices = at_owner_prices(self.world, len(self.seen.prices))
        units = [self.world.play_week(prices[: week + 1]).sum(axis=0) for week in range(len(prices))]
        return self._earned(prices, np.array(units))

    def _earned(self, prices: Floats, units: Ints) -> EarnedProfit:
        profits = ((prices - self.world.unit_costs) * units).sum(axis=2)
        weeks, stores = np.indices(profits.shape)
        is_before = weeks < OWNER_WEEKS
        in_hold, is_held, began = (
            np.concatenate([np.full((OWNER_WEEKS, own.shape[1]), filler, own.dtype), own])
            for own, filler in ((self.in_hold, True), (self.is_held, True), (self.began, 0))
        )
        counts = is_held | ~in_hold
        is_cut = weeks - began < way_slots(self.seen.rules.band, self.seen.rules.step)
        parts = (stores, weeks, profits, is_held, stores * _STRETCHES + began, is_before)
        return earned_profit(StoreWeeks(*(own[counts] for own in parts)), is_cut=is_cut[counts])


def learned_weeks(chain: UnitsChain, seed: int, held_share: float = HELD_SHARE) -> LearnedWeeks:
    """Play a chain: each week a belief from all units so far, and prices drawn by it."""
    world, owner_weeks = chain.world(seed), at_owner_prices(chain.world(seed), OWNER_WEEKS)
    units = np.array([world.play_week(owner_weeks[: week + 1]).sum(axis=0) for week in range(OWNER_WEEKS)])
    seen = WeeksSeen(world.owner_prices, world.unit_costs, owner_weeks, units)
    told, step_from, belief = chain.told(world.shelf.slopes, seed), world.owner_prices, None
    surest, drawn = list[Floats](), list[DrawnPrices]()
    for _ in range(chain.weeks):
        night = night_of(seen, step_from, seed, told, held_share, belief)
        belief, step_from = night.belief, night.drawn.prices.T
        prices = np.concatenate([seen.prices, night.drawn.prices.T[None]])
        sold = world.play_week(prices).sum(axis=0)
        seen = replace(seen, prices=prices, units=np.concatenate([seen.units, sold[None]]))
        surest.append(night.surest)
        drawn.append(night.drawn)
    assert belief is not None  # noqa: S101 - a chain has weeks
    owner = at_owner_prices(world, chain.weeks)
    shown, without, at_owner = (
        world.expected_profit(prices).sum(axis=2) for prices in (seen.prices[OWNER_WEEKS:], np.array(surest), owner)
    )
    best, revenue = world.attainable(chain.weeks).cells_eur.sum(axis=2), (owner * world.shelf.mean_units).sum(axis=2)
    in_hold, is_held = np.array([own.in_hold for own in drawn]), np.array([own.is_held() for own in drawn])
    began = np.array([own.began for own in drawn])
    return LearnedWeeks(shown, best, at_owner, without, revenue, in_hold, is_held, began, seen, world, belief)


def losses(played: Sequence[LearnedWeeks], of: Callable[[LearnedWeeks], Floats], *, held: bool = False) -> list[float]:
    """Return the share of the attainable profit that is lost in each of `ROWS`, in weeks of holds or others."""
    lost = []
    for first, end in ROWS:
        counted = [(own.in_hold if held else ~own.in_hold)[first - 1 : end] for own in played]
        most = sum(float((own.best[first - 1 : end] * flags).sum()) for own, flags in zip(played, counted, strict=True))
        got = sum(float((of(own)[first - 1 : end] * flags).sum()) for own, flags in zip(played, counted, strict=True))
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
    "shocks of products": UnitsChain(1, 10, shock_of="product"),
    "shocks of stores": UnitsChain(1, 10, shock_of="store"),
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
    weeks = [f"{first}-{end}" for first, end in ROWS]
    judged = ("earned holds the truth, %", "has two ends, %", "claims an effect where none is, %")
    figures = ("without draws " + weeks[-1], "held", "owner", "worst week", "error", *judged)
    columns = ["chain", "stores x units", *weeks, *figures]
    for line in list(markdown(columns, []))[:2]:
        _say(line)
    with ProcessPoolExecutor(asked.processes, get_context("spawn")) as pool:
        for kind in kinds:
            for stores, units in sizes:
                chain = replace(_KINDS[kind], stores=stores, units=units)
                played = list(pool.map(_Play(chain, asked.held), range(asked.seeds)))
                _say(_line([kind, f"{stores} x {units}", *_figures(played)]))


def _figures(played: Sequence[LearnedWeeks]) -> list[str]:
    """Return the figures of one kind of chain, in per cent; the error is the root mean square one of slopes."""
    shown, surest = losses(played, lambda own: own.shown), losses(played, lambda own: own.surest)[-1]
    held = losses(played, lambda own: own.shown, held=True)[-1]
    owner = 1 - sum(own.owner.sum() for own in played) / sum(own.best.sum() for own in played)
    error = np.sqrt(np.mean([(own.belief.slopes - own.world.shelf.slopes) ** 2 for own in played]))
    worst = max(own.worst_week for own in played)
    shares = [f"{100 * value:.2f}" for value in (*shown, surest, held, owner, worst)]
    return [*shares, f"{error:.2f}", *_judged(played)]


def _judged(played: Sequence[LearnedWeeks]) -> list[str]:
    """Return how often what was earned holds the truth, has two ends, and claims an effect where none is."""
    told = [(found, own) for own in played if np.isfinite((found := own.earned()).share)]
    none = [own.earned_without_effect() for _, own in told]
    return [
        _percent([found.share_low <= own.truly_earned <= found.share_high for found, own in told]),
        _percent([bool(np.isfinite([found.share_low, found.share_high]).all()) for found, _ in told]),
        _percent([found.share_low > 0 or found.share_high < 0 for found in none]),
    ]


def _percent(flags: Sequence[bool]) -> str:
    """Return a share in per cent with its 95 % interval (Wilson, 1927)."""
    if not flags:
        return "-"
    n, share, z = len(flags), float(np.mean(flags)), 1.96
    middle, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    return f"{100 * share:.1f} ({100 * low:.1f} to {100 * high:.1f}) of {n}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
