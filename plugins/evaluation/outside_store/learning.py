"""What learning prices from units costs in a grocer, where the truth is known: the product's belief and draws.

Four weeks are sold at the owner's prices. Then a belief is formed each week and draws the prices of the next, by the
parts that `plugins.own_store.draws.next_draw` calls, in the same order, without lake and calendar. Loss is the share of
what the clairvoyant earns under the same rules that the shown prices leave, held product weeks included: they are the
price of knowing what was earned. The last columns say in which share of chains the interval of `shelfprice earned`
holds the truth, and in which share it claims a gain or a loss of the same draws where every week sells as at the
owner's prices.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats, Ints
from catalog.records.pricing import DrawnPriceRules
from plugins.evaluation.outside_store.grocer import BAND, STEP, Grocer
from plugins.evaluation.reporting import markdown
from plugins.own_store.draws.drawn_prices import LADDER_PRICES
from plugins.own_store.earned_weeks import earned_of, with_forecasts
from plugins.own_store.learning.belief_from_units import UnitsBelief, believed_of_units
from plugins.own_store.learning.belief_priors import ToldPrior
from plugins.own_store.learning.draws_of_prices import DrawnPrices, drawn_prices
from plugins.own_store.learning.earned_profit import EarnedProfit
from plugins.own_store.learning.price_room import PriceRoom
from plugins.own_store.learning.slope_draws import SlopeDraws
from plugins.own_store.learning.unit_rows import UnitRows

ROWS = ((1, 4), (5, 8), (9, 12), (13, 26))
"""First and last week of each column of losses."""
OWNER_WEEKS = 4
"""Weeks at the owner's prices before the first one that counts."""
SIZES = ((1, 10.0), (5, 10.0), (10, 10.0), (10, 2.0), (40, 10.0))
"""Stores, and units of a product in a day."""
_LOG = 1_411_200_077  # sets what a log tells apart from the draws of the same seed
_LOG_ERROR = 0.3  # standard error of what a log tells
_FIRST_QUARTER = 13  # weeks
HELD = (DrawnPriceRules().held_share, DrawnPriceRules().held_share_later)
"""Share of product weeks that are held in the first quarter, and later."""


@dataclass(frozen=True)
class Chain:
    """A grocer to learn in, after a log that may have told its slopes.

    Attributes
    ----------
    told_wrong
        By how much a log told slopes too steep before; None where no log told anything.
    wrong_every
        1 where it told all of them so, 2 for every second one.
    """

    grocer: Grocer
    weeks: int = ROWS[-1][1]
    told_wrong: float | None = None
    wrong_every: int = 1

    def of(self, seed: int, stores: int, units: float) -> "Chain":
        """Return the same with a seed and a size."""
        return replace(self, grocer=replace(self.grocer, seed=seed, n_stores=stores, units_a_day=units))

    def told(self) -> ToldPrior | None:
        """Return what a log tells that is too steep for every so many products, and has errors of its own."""
        if self.told_wrong is None:
            return None
        slopes = self.grocer.slopes
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((self.grocer.seed, _LOG))))
        off = np.where(np.arange(len(slopes)) % self.wrong_every == 0, self.told_wrong, 0.0)
        return ToldPrior.of(slopes - off + dice.normal(0.0, _LOG_ERROR, len(slopes)), _LOG_ERROR)


def _kinds() -> dict[str, Chain]:
    plain = Chain(Grocer(0))
    told = replace(plain, told_wrong=2.0)
    return {
        "plain": plain,
        "told 2 too steep": told,
        "half told 2 too steep": replace(told, wrong_every=2),
        "told well": replace(told, told_wrong=0.0),
        "shocks of products": Chain(Grocer(0, shock_of="product")),
        "shocks of stores": Chain(Grocer(0, shock_of="store")),
        "shoppers who stock up": Chain(Grocer(0, shoppers="stock up")),
        "substitutes": Chain(Grocer(0, shoppers="substitute")),
    }


KINDS = _kinds()
"""Chains by name; seed and size are put in."""


@dataclass(frozen=True)
class LearnedWeeks:
    """Expected EUR of each product week, shape (n_weeks, n_stores, n_products), and the prices behind the units.

    Attributes
    ----------
    shown, best, owner, surest, revenue
        Profit of the shown prices, of the best, of the owner's, and of those without a draw; revenue of the owner's.
    is_held, held_shares
        Which product weeks were held at the owner's price, and the chance of that in each week, shape (n_weeks,).
    expected, slopes
        Units of a week at the owner's price and slopes, as believed before the last week, shapes (n_stores, n_products)
        and (n_products,).
    prices, units
        Of all weeks, those before ours too, shape (OWNER_WEEKS + n_weeks, n_stores, n_products).
    """

    shown: Floats
    best: Floats
    owner: Floats
    surest: Floats
    revenue: Floats
    is_held: Flags
    held_shares: Floats
    expected: Floats
    slopes: Floats
    prices: Floats
    units: Ints
    world: Grocer
    belief: UnitsBelief

    @property
    def worst_week(self) -> float:
        """The most that a week of the whole chain lost to the owner's prices, as a share of their revenue."""
        lost = (self.owner - self.shown).sum(axis=2)
        return float((lost.sum(axis=1) / self.revenue.sum(axis=(1, 2))).max())

    @property
    def truly_earned(self) -> float:
        """What drawn prices earn on average over that of the owner's in the same product weeks, as a share."""
        free = ~self.is_held
        season = np.array([self.world.season(OWNER_WEEKS + week) for week in range(len(free))])[:, None, None]
        return float((self.shown * season)[free].sum() / (self.owner * season)[free].sum()) - 1

    def earned(self) -> EarnedProfit:
        """Return what `shelfprice earned` says of these weeks, from units alone."""
        return self._earned(self.prices[OWNER_WEEKS:], self.units[OWNER_WEEKS:])

    def earned_without_effect(self) -> EarnedProfit:
        """Return what it says of the same draws where every week sells as at the owner's prices: truly nothing."""
        prices = self.world.at_owner_prices(len(self.prices))
        return self._earned(prices[OWNER_WEEKS:], sold_in(self.world, prices)[OWNER_WEEKS:])

    def _earned(self, prices: Floats, units: Ints) -> EarnedProfit:
        world = self.world
        week, store, product = (places.ravel() for places in np.indices(units.shape))
        sold = pd.DataFrame(
            {
                "through": week,
                "store_id": store,
                "sku": product,
                "family": product,
                "units": units.ravel(),
                "exposure": 1.0,
                "price": prices.ravel(),
                "shelf_price": world.owner_prices[store, product],
                "unit_cost": world.unit_costs[product],
                "is_held": self.is_held.ravel(),
                "held_share": self.held_shares[week],
                "expected_units": self.expected[store, product],
                "response": self.slopes[product],
                "expected_at": world.owner_prices[store, product],
            }
        )
        return earned_of(with_forecasts(sold))


def sold_in(world: Grocer, prices: Floats) -> Ints:
    """Return the units of each week, shape (n_weeks, n_stores, n_products)."""
    return np.array([world.play_week(prices[: week + 1]).sum(axis=0) for week in range(len(prices))])


def learned_weeks(chain: Chain, held: tuple[float, float] = HELD) -> LearnedWeeks:
    """Play a chain: each week a belief from all units so far, and prices drawn by it.

    Parameters
    ----------
    held
        Share of product weeks that are held in the first quarter, and later.
    """
    world, told, belief = chain.grocer, chain.told(), None
    prices, room = world.at_owner_prices(OWNER_WEEKS), _room(world)
    units, surest, drawn = sold_in(world, prices), list[Floats](), list[DrawnPrices]()
    held_shares = np.where(np.arange(chain.weeks) < _FIRST_QUARTER, *held)
    for number in range(OWNER_WEEKS, OWNER_WEEKS + chain.weeks):
        belief = believed_of_units(rows_of(world, prices, units), told, before=belief)
        rule = SlopeDraws.of(belief)
        expected, slopes = np.exp(belief.levels.T + belief.effects[-OWNER_WEEKS:].mean()), belief.slopes
        found = drawn_prices(room, rule, world.seed, number, held_share=float(held_shares[number - OWNER_WEEKS]))
        best = drawn_prices(room, replace(rule, spreads=0 * rule.spreads), world.seed, number, held_share=0.0)
        drawn.append(found)
        surest.append(best.prices.T)
        prices = np.concatenate([prices, found.prices.T[None]])
        units = np.concatenate([units, world.play_week(prices).sum(axis=0)[None]])
        room = replace(room, before=found.asked)
    assert belief is not None  # noqa: S101 - a chain has weeks
    owner = world.at_owner_prices(chain.weeks)
    shown, best_eur, without, at_owner = (
        world.expected_profit(own)
        for own in (prices[OWNER_WEEKS:], world.best_prices(chain.weeks), np.array(surest), owner)
    )
    is_held, revenue = np.array([week.is_held.T for week in drawn]), owner * world.mean_units
    learned = (is_held, held_shares, expected, slopes)
    return LearnedWeeks(shown, best_eur, at_owner, without, revenue, *learned, prices, units, world, belief)


def rows_of(world: Grocer, prices: Floats, units: Ints) -> UnitRows:
    """Return units and log price ratios of weeks as a belief takes them."""
    counts, ratios = units.transpose(2, 1, 0), (prices / world.owner_prices).transpose(2, 1, 0)
    return UnitRows(counts.astype(float), np.ones(counts.shape), np.log(ratios))


def _room(world: Grocer) -> PriceRoom:
    """Return what may be drawn: whole cents in the band, no farther than a step from the owner's prices at first."""
    owner = world.owner_prices
    even = np.round(owner[0][:, None] * np.linspace(1 - BAND, 1 + BAND, LADDER_PRICES), 2)
    lowest, highest = np.ceil(owner[0] * (1 - BAND) * 100), np.floor(owner[0] * (1 + BAND) * 100)
    ladder = np.clip(even, lowest[:, None] / 100, highest[:, None] / 100)
    return PriceRoom(ladder, owner.T, owner.T, world.unit_costs, BAND, STEP)


def losses(played: Sequence[LearnedWeeks], of: Callable[[LearnedWeeks], Floats], *, held: bool = True) -> list[float]:
    """Return the share of the attainable profit that is lost in each of `ROWS`, with held product weeks or without."""
    lost = []
    for first, end in ROWS:
        weeks = slice(first - 1, end)
        counted = [(held | ~own.is_held)[weeks] for own in played]
        most = sum(float((own.best[weeks] * flags).sum()) for own, flags in zip(played, counted, strict=True))
        got = sum(float((of(own)[weeks] * flags).sum()) for own, flags in zip(played, counted, strict=True))
        lost.append(1 - got / most if most > 0 else np.nan)
    return lost


def measure(
    kinds: Sequence[str], sizes: Sequence[tuple[int, float]], seeds: int, held: tuple[float, float], processes: int
) -> None:
    """Play chains of each kind and size, and print a row for each."""
    judged = ("half width, % of profit", "earned holds the truth, %", "claims an effect where none is, %")
    figures = ("without holds 13-26", "without draws 13-26", "earned", "owner", "worst week", "error", *judged)
    columns = ["chain", "stores x units", *(f"{first}-{end}" for first, end in ROWS), *figures]
    for line in list(markdown(columns, []))[:2]:
        _say(line)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for kind in kinds:
            for stores, units in sizes:
                chains = [KINDS[kind].of(seed, stores, units) for seed in range(seeds)]
                played = list(pool.map(partial(learned_weeks, held=held), chains))
                _say("| " + " | ".join([kind, f"{stores} x {units:g}", *_figures(played)]) + " |")


def _figures(played: Sequence[LearnedWeeks]) -> list[str]:
    """Return the figures of one kind of chain, in per cent; the error is the root mean square one of slopes."""
    shown, free, surest = (
        losses(played, lambda own: own.shown),
        losses(played, lambda own: own.shown, held=False)[-1],
        losses(played, lambda own: own.surest)[-1],
    )
    owner = 1 - sum(own.owner.sum() for own in played) / sum(own.best.sum() for own in played)
    earned = float(np.mean([own.truly_earned for own in played]))
    error = np.sqrt(np.mean([(own.belief.slopes - own.world.slopes) ** 2 for own in played]))
    worst = max(own.worst_week for own in played)
    shares = [f"{100 * value:.2f}" for value in (*shown, free, surest, earned, owner, worst)]
    told = [(found, own) for own in played if np.isfinite((found := own.earned()).share)]
    none = [own.earned_without_effect() for _, own in told]
    half = [(found.share_high - found.share_low) / 2 for found, _ in told]
    return [
        *shares,
        f"{error:.2f}",
        f"{100 * float(np.median(half)):.1f}" if half else "-",
        _percent([found.share_low <= own.truly_earned <= found.share_high for found, own in told]),
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


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
