"""What a price decision is: the shelf it is made for, the record of how it was made, and the protocol of what makes it.

The twin plays any `Policy`, and serving provides them; neither imports the other. A policy is a pure function of the
`Shelf`: it holds no random state. Where it chooses by chance, it uses the uniform `dice` that come with the shelf, so
two policies can be played on the same shoppers and the same luck.

`PricedBy` says what prices a date: a policy, and the facts from which anybody can tell whether the same one would price
it again.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints


@dataclass(frozen=True)
class Shelf:
    """The stores' shelves at the start of one tick. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    stock
        Units on the shelf.
    shown_prices
        Prices that stood in the tick before, EUR; NaN at opening.
    ticks_left
        Ticks until closing, this one included.
    dice
        One uniform number in [0, 1) per store and product, for policies that choose by chance.
    opening_prices
        Prices at the day's opening, EUR; NaN at opening itself. None stands for that too.
    stores
        Ids of the stores, shape (n_stores,); None where it is nobody's shelf in particular.
    changes
        How often each price has changed since the opening, shape (n_stores, n_products), or 0 for all.
    opened_with
        Units at the day's opening by the days on which they may be sold, shape (n_stores, n_products, n_lives), as in
        `catalog.stock_rules`, or (1, n_products, n_lives) for all stores; None where all are new, or the whole shelf
        is simply full at each opening.
    business_date
        The date; None where it is nobody's day in particular.
    sticker
        Prices on the stickers that were stuck at opening, EUR, NaN where there is none; None before it is decided.
    on_last_day
        Units on the shelf that are on their last day; None where that is not known, or does not matter.
    lately
        Prices of the ticks of the last hour, EUR, each shape (n_stores, n_products); empty stands for `shown_prices`.
    """

    stock: Ints
    shown_prices: Floats
    ticks_left: int
    dice: Floats
    opening_prices: Floats | None = None
    stores: tuple[str, ...] | None = None
    changes: Ints | int = 0
    opened_with: Ints | None = None
    business_date: dt.date | None = None
    sticker: Floats | None = None
    on_last_day: Ints | None = None
    lately: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class PriceDecision:
    """Prices to show, and how they came about: asked for, tried or not, limited, shown.

    Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    prices
        Prices to show, EUR.
    propensity
        Chance with which the policy shows exactly this price in this state.
    explored
        Whether the price was tried in order to learn.
    rule
        Index into the policy's `rules`: the last limit that changed the price, else exploration, else the rule by
        which the price was asked for.
    p_sale
        Chance of sale at the price; NaN without a model.
    unit_value
        Value of one unit kept, EUR; NaN where the policy does not value stock.
    unconstrained
        The price before any limit, EUR: what exploration tries, else what was asked for.
    clamp_cost
        What the limits cost, EUR per visit: (asked - unit value) x chance of sale, less the same at the price shown.
        0 where none binds; NaN without a model.
    clamps
        Every change by a limit, in the order of limits, of type `catalog.decisions.rules.CLAMP`, shape (n_clamps,).
    sticker
        Prices on the stickers of the units that are on their last day, EUR, NaN where there is none; None where nobody
        sticks any. They are stuck at opening and stay until closing; one that is not below the price does nothing.
    saving
        What each sticker that is stuck now is expected to bring more, until closing and with what is then left, than
        the best prices without one, EUR; None where none is.
    """

    prices: Floats
    propensity: Floats
    explored: Flags
    rule: Ints
    p_sale: Floats
    unit_value: Floats
    unconstrained: Floats
    clamp_cost: Floats
    clamps: NDArray[Any]
    sticker: Floats | None = None
    saving: Floats | None = None


@dataclass(frozen=True)
class Marked:
    """Those of a tick's shoppers who met a sticker: its price, EUR, and how many met it and bought any unit.

    Arrays have shape (n_stores, n_products). Who meets a sticker buys if she can pay it, whichever unit she takes.
    """

    prices: Floats
    met: Ints
    bought: Ints


@dataclass(frozen=True)
class Sold:
    """What one tick brought to the stores of a batch: all that a store sees of its shoppers.

    Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    tick
        Number of the tick since opening, from 0.
    prices
        Prices shown in it, EUR.
    visits, met, bought
        Visits; those of them that found the product on the shelf; and those of these that bought a unit.
    stores
        Ids of the stores, shape (n_stores,); None where nobody asks which they are.
    marked
        Those of them who met a sticker, which was the lowest price they saw; None where nobody did.
    """

    tick: int
    prices: Floats
    visits: Ints
    met: Ints
    bought: Ints
    stores: tuple[str, ...] | None = None
    marked: Marked | None = None

    def by_lowest_price(self) -> Iterator[tuple[Floats, Ints, Ints]]:
        """Yield the lowest price that shoppers met, EUR, with how many met it and bought: label first, then sticker."""
        if self.marked is None:
            yield self.prices, self.met, self.bought
            return
        yield self.prices, self.met - self.marked.met, self.bought - self.marked.bought
        sticker = self.marked.prices
        yield np.where(np.isnan(sticker), self.prices, sticker), self.marked.met, self.marked.bought


@dataclass(frozen=True)
class Lesson:
    """What a policy made of a day's sales so far. Arrays have shape (n_products,).

    Attributes
    ----------
    ticks
        Ticks it has taken in.
    met, bought
        Visits of them that found the product on the shelf, all stores together, and those that bought.
    p_base
        Chance of sale at the base price, with its lower and upper end, shape (n_products, 3).
    visits_left
        Visits expected of one store until closing.
    changed
        Probability that demand is another one than before the day.
    """

    ticks: int
    met: Ints
    bought: Ints
    p_base: Floats
    visits_left: Floats
    changed: float


class Policy(Protocol):
    """Anything that can price the shelves from end to end, for the twin to play.

    Attributes
    ----------
    name
        The policy's name in the tables.
    model_version
        Registered model version behind the prices, or None.
    rules
        Names, all in `catalog.decisions.rules.RULES`, of what can bind a decision; `PriceDecision.rule` points into it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def model_version(self) -> str | None: ...  # noqa: D102

    @property
    def rules(self) -> tuple[str, ...]: ...  # noqa: D102

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick."""
        ...


@runtime_checkable
class LearnsWhileSelling(Protocol):
    """A policy that learns from what is sold: it is as pure as any other, and hands over to what it becomes."""

    def learned(self, sold: Sold) -> "Policy":
        """Return the policy for the ticks after one, having seen what that one brought."""
        ...


@runtime_checkable
class LetsTrialsStand(Protocol):
    """A policy whose tried prices stand for some ticks: in all of them, the dice of the first count."""

    @property
    def trial_ticks(self) -> int:
        """Ticks for which a tried price stands, from opening on."""
        ...


@runtime_checkable
class TellsLessons(Protocol):
    """A policy that says what it has learned, so that the trail of its prices can be kept."""

    @property
    def lesson(self) -> Lesson | None:
        """What it has learned of the day; the same object while nothing is new, None before anything is."""
        ...


@dataclass(frozen=True)
class PricedBy:
    """A policy, the fingerprint of what it is made of, and the price book it reads, if any: its date and SHA-256.

    `orders_sha256` tells what people ordered; None where they ordered nothing. `orders_at_once` are, by store, ids of
    orders that bind the date although they count from a later moment.
    """

    policy: Policy
    fingerprint: str
    book_made_for: dt.date | None = None
    book_sha256: str | None = None
    orders_sha256: str | None = None
    orders_at_once: Mapping[str, Collection[str]] = field(default_factory=dict)
