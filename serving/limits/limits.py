"""What the limits leave of a price, whatever a policy asks for.

Each limit allows a range of prices and spares some; a price outside the range moves to its edge. The limits are applied
in the order of `catalog.decisions.rules.LIMITS`, so the last one wins. They bind explored prices, too. Static limits
look at neither the day before the tick nor at other stores; a price book is made under those.

Arrays have shape (..., n_stores, n_products) unless said otherwise; prices are in EUR.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.bounds import PriceBounds, PriceLink, not_above, not_below, price_bounds, price_links
from catalog.currency import EUR, Currency
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import CLAMP, LIMITS, NO_CLAMPS
from catalog.load import Catalog
from catalog.records.guardrails import Guardrails
from catalog.records.store import Store
from serving.limits.orders import NO_WINDOWS, STRENGTH, Orders, Windows
from serving.optimise.policies import ShelfPrices

_HIGHEST = 1_000_000.0  # EUR; the catalog allows no price above it
_WITHOUT_DAY = dict.fromkeys(("largest_step", "largest_daily_move", "changes_per_day", "one_price"))
_WITHOUT_DAY |= {"down_only_within_day": False}
_DEARER = 2.0  # times as much a rise has to earn as a fall where prices are calm
_RISE = 1.099  # times the lowest price of the last hour that calm prices reach
_LINKED = ("families", "own_brands")  # rules by which other prices of the shelf limit a price


@dataclass(frozen=True)
class Calm:
    """What keeps prices calm: a change has to earn a share, within an hour prices rise little, and a trial stands.

    Where demand has two peaks, a price that fell from one to the other cannot rise back: each step into the valley
    between them loses. So a fall is as small as a rise until the last quarter of the day, and a price from which one
    rise does not lead back is explored only then, or at opening above the usual one.

    Attributes
    ----------
    share
        Share of expected revenue that a change has to earn more over a quarter of the day, or what is left of it if
        that is less; a rise twice as much.
    ticks, trial
        Ticks of a day, and for which an explored price stands.
    """

    share: float
    ticks: int
    trial: int

    @classmethod
    def of(cls, store: Store) -> "Calm | None":
        """Return what a store's settings ask for; None where prices move freely."""
        share, opening = store.policies.calm, store.opening
        return cls(share, opening.ticks, store.trial_ticks) if share > 0 else None

    def may_try(self, ticks_left: int) -> bool:
        """Return whether a price may begin to be explored now."""
        return (self.ticks - ticks_left) % self.trial == 0


@dataclass(frozen=True)
class Limits:
    """The guardrails of a shelf with what people ordered for a date. Arrays have shape (n_products,).

    Attributes
    ----------
    base_prices
        Shown under the kill switch, and where no usable price was ever asked for; see `standing`.
    bounds, whole_bounds
        Floors, ceilings, and cost plus margin: with the price ending for a policy's price, and in any whole smallest
        unit for a price that people ordered or approved.
    frozen
        Prices that stand whatever is asked for; NaN where a product is free.
    is_markdown_only
        Whose price is never above the base price.
    rival_caps
        The highest prices that rivals' prices allow, with the price ending; NaN for no limit.
    movable
        How many products of a store may change price in one tick.
    orders
        Orders and approvals of people, and the prices of events; None without any.
    standing
        The last regular prices of a retailer's stores, which take the place of base prices there.
    links
        Prices that other prices of the shelf limit.
    calm
        What keeps prices calm; None where they move freely.
    caps
        By rule, the highest prices that the others allow, shape (n_stores, n_products) or (1, n_products); NaN for no
        limit. Empty until `ShelfLimits.beside` has seen the others.
    """

    rails: Guardrails
    base_prices: Floats
    bounds: PriceBounds
    whole_bounds: PriceBounds
    frozen: Floats
    is_markdown_only: Flags
    rival_caps: Floats
    movable: int
    orders: Orders | None = None
    money: Currency = EUR
    standing: ShelfPrices | None = None
    links: tuple[PriceLink, ...] = ()
    calm: Calm | None = None
    caps: Mapping[str, Floats] = field(default_factory=dict)

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The rules of `LIMITS` that can bind, in their order: all but modes that are switched off."""
        is_on = {
            "calm": self.calm is not None,
            "changes_per_day": self.rails.changes_per_day is not None,
            "down_only_within_day": self.rails.down_only_within_day,
            "one_price": self.rails.one_price is not None,
            "rivals": bool(np.isfinite(self.rival_caps).any()),
            **{rule: rule in self.caps or any(link.rule == rule for link in self.links) for rule in _LINKED},
            "event": self.orders is not None and any(order.kind == "event" for order in self.orders.orders),
            "markdown_only": bool(self.is_markdown_only.any()),
        }
        return tuple(rule for rule in LIMITS if is_on.get(rule, True))

    @cached_property
    def are_static(self) -> bool:
        """Whether every limit is the same for all shelves: none looks at the day, at stores or at the time."""
        is_plain = self.rails.model_copy(update=_WITHOUT_DAY) == self.rails and not self.are_moves_limited
        return is_plain and not (self.links or self.caps or self.orders or self.calm)

    @property
    def are_moves_limited(self) -> bool:
        """Whether not all products may change price at once."""
        return self.movable < len(self.base_prices)

    @cached_property
    def are_bounds_alone(self) -> bool:
        """Whether a price in whole smallest units within the bounds is left as it is."""
        in_arrays = {"minimum_margin": 0.0, "margins": {}, "frozen": {}, "frozen_during": (), "markdown_only": None}
        is_plain = self.rails.model_copy(update=in_arrays) == Guardrails() and not self.is_markdown_only.any()
        return is_plain and bool(np.isnan([self.frozen, self.rival_caps]).all()) and self.are_static

    def only(self, position: int, sku: str) -> "Limits":
        """Return the guardrails of one product, for a shelf that holds it alone."""
        part = slice(position, position + 1)
        orders = None if self.orders is None else self.orders.only(sku)
        arrays = ("base_prices", "frozen", "is_markdown_only", "rival_caps")
        return replace(
            self,
            **{name: getattr(self, name)[part] for name in arrays},
            bounds=self.bounds.among(part),
            whole_bounds=self.whole_bounds.among(part),
            orders=orders if orders is not None and orders.are_ordered else None,
            standing=None if self.standing is None else self.standing.only(position),
            links=(),
            caps={link.rule: np.full((1, 1), np.nan) for link in self.links if link.limited == position},
        )


def limits_of(
    catalog: Catalog, orders: Orders | None = None, standing: ShelfPrices | None = None, *, are_calm: bool = True
) -> Limits:
    """Return the guardrails of a catalog as arrays, with what people ordered for a date.

    `standing` are the prices of a retailer's own shelves. Prices are kept calm as the catalog says where `are_calm`.
    """
    store, rails, bounds = catalog.store, catalog.store.guardrails, catalog.whole_bounds
    if rails.price_ending is not None:
        bounds = price_bounds(catalog.products, rails, store.money)
    highest = _by_product(catalog, dict(() if orders is None else orders.rival_caps))
    return Limits(
        rails=rails,
        base_prices=catalog.base_prices,
        bounds=bounds,
        whole_bounds=catalog.whole_bounds,
        frozen=_by_product(catalog, rails.frozen),
        is_markdown_only=np.array(
            [rails.allow_only_markdowns(product.sku, product.category) for product in catalog.products]
        ),
        rival_caps=not_above(highest, rails.price_ending, store.money),
        movable=int(rails.moving_share * len(catalog.products) + 1e-9),
        orders=orders if orders is not None and orders.are_ordered else None,
        money=store.money,
        standing=standing,
        links=price_links(catalog.products, store),
        calm=Calm.of(store) if are_calm else None,
    )


def _by_product(catalog: Catalog, prices: Mapping[str, float]) -> Floats:
    return np.array([prices.get(sku, np.nan) for sku in catalog.skus])


def caps_beside(limits: Limits, shown: Floats) -> dict[str, Floats]:
    """Return by rule the highest prices that shown ones allow, with the price ending, of the same shape."""
    caps = dict[str, Floats]()
    for link in limits.links:
        of_rule = caps.setdefault(link.rule, np.full(shown.shape, np.nan))
        most = not_above(shown[..., link.other] * link.ratio, limits.rails.price_ending, limits.money)
        of_rule[..., link.limited] = np.fmin(of_rule[..., link.limited], most)
    return caps


@dataclass(frozen=True)
class ShelfLimits:
    """The limits on shelves in one tick: what they leave of prices, and which prices may change or be tried.

    `limits` is None for shelves without guardrails; `may_move` is None while all products may change price; `stays`
    says which prices calm keeps as they are, None for none.
    """

    limits: Limits | None
    shelf: Shelf
    may_move: Flags | None = None
    stays: Flags | None = None

    def apply(self, prices: Floats) -> Floats:
        """Return what the limits leave of prices."""
        if self._leave_alone(prices):
            return prices
        *_, (_, prices) = self._in_order(prices)
        return prices

    def trail(self, prices: Floats, first_rule: int = 0) -> tuple[Floats, NDArray[Any]]:
        """Return the same for prices of shape (n_stores, n_products), and every change on the way as `CLAMP` records.

        Rules are numbered by their position in `limits.rules`, from `first_rule` on.
        """
        if self._leave_alone(prices):
            return prices, NO_CLAMPS
        rules, before, clamps = self.guardrails.rules, self._whole(prices), [NO_CLAMPS]
        for rule, after in self._in_order(prices):
            if after is not before:
                where = np.flatnonzero((after != before) & ~(np.isnan(after) & np.isnan(before)))
                clamps.append(changes := np.empty(len(where), dtype=CLAMP))
                changes["decision"], changes["rule"] = where, first_rule + rules.index(rule)
                changes["before"], changes["after"] = before.ravel()[where], after.ravel()[where]
                before = after
        return before, np.concatenate(clamps)

    def decide(self, prices: Floats, rule: Ints, first_rule: int) -> tuple[Floats, Ints, NDArray[Any]]:
        """Return what `trail` does, and by which rule each price stands; `rule` is the one that asked for it."""
        after, clamps = self.trail(prices, first_rule)
        rule = np.array(rule)
        rule.flat[clamps["decision"]] = clamps["rule"]
        if self.limits is None:
            return after, rule, clamps
        given = self.given_by  # an order decides also where it changes nothing
        return after, np.maximum(rule, np.where(given < 0, given, given + first_rule)), clamps

    def beside(self, prices: Floats) -> "ShelfLimits":
        """Return the same with the caps that hold where these prices are asked for, shape (n_stores, n_products)."""
        if self.limits is None or not self.limits.links:
            return self
        caps = caps_beside(self.limits, self.apply(prices))
        if np.array_equal([*caps.values()], [*self.limits.caps.values()], equal_nan=True):
            return self
        # links have no circle, so each round settles one more product of a chain
        return replace(self, limits=replace(self.limits, caps=caps)).beside(prices)

    def moving(self, wanted: Floats, gain: Floats) -> "ShelfLimits":
        """Return the same with the products chosen that may change price in this tick.

        Those that gain most in expectation come first, and equal ones take turns. The choice does not look at the dice,
        so an explored price has a chance that can be logged. Openings and prices that people gave are not counted.

        Parameters
        ----------
        wanted
            Prices as they would be if all might move, shape (n_stores, n_products).
        gain
            Expected gain of each move, EUR per visit.
        """
        n_products = wanted.shape[1]
        turn = np.broadcast_to((np.arange(n_products) + self.shelf.ticks_left) % n_products, wanted.shape)
        stays = self.is_uncounted | (wanted == self.shown)
        order = np.lexsort((turn, -gain, stays, self.is_uncounted), axis=1)
        rank = np.argsort(order, axis=1)
        return replace(self, may_move=(rank < self.guardrails.movable) | self.is_uncounted)

    def calmed(self, wanted: Floats, gain: Floats, revenue: Floats) -> "ShelfLimits":
        """Return the same with the prices that stay because their change would earn too little.

        Parameters
        ----------
        wanted
            Prices as they would be if all changed, EUR, shape (n_stores, n_products).
        gain, revenue
            Expected gain of each change, and expected revenue at the price shown, EUR per visit.
        """
        calm, left = self.guardrails.calm, self.shelf.ticks_left
        assert calm is not None  # noqa: S101 - asked for where prices are calm
        hurdle = calm.share * max(1.0, calm.trial / left) * np.where(wanted > self.shown, _DEARER, 1.0)
        return replace(self, stays=(gain <= hurdle * revenue) & ~self.is_uncounted)

    def in_zone(self, prices: Floats) -> Floats:
        """Return prices with the zone's one price in all of its stores.

        That is the middle price of its stores, the lower of two. A store with an empty shelf has no say, since it wants
        a high price that nobody pays, nor has a store whose price people gave. Unnamed shelves are no zone.
        """
        if not self.have_one_price:
            return prices
        is_free = np.broadcast_to(~self.given, self.shelf.stock.shape)
        has_voice = is_free & (self.shelf.stock > 0)
        for more in (is_free, np.ones_like(is_free)):
            has_voice = np.where(has_voice.any(axis=0), has_voice, more)
        ascending = np.sort(np.where(has_voice, prices, np.inf), axis=-2)
        middle = np.broadcast_to((has_voice.sum(axis=0) - 1) // 2, (*prices.shape[:-2], 1, prices.shape[-1]))
        return np.broadcast_to(np.take_along_axis(ascending, middle, axis=-2), prices.shape)

    @property
    def have_one_price(self) -> bool:
        """Whether the shelves are a zone's, which show one price."""
        return self.limits is not None and self.limits.rails.one_price is not None and self.shelf.stores is not None

    @cached_property
    def given_by(self) -> Ints:
        """The rule by which a price stands whatever is asked for, as its position in `limits.rules`; -1 without one.

        Shape (n_products,), or (n_stores, n_products) where people set some.
        """
        limits, place = self.guardrails, self.guardrails.rules.index
        rules = np.where(np.isnan(limits.frozen), -1, place("frozen"))
        for kind in STRENGTH[1:]:
            if (is_bound := self.ordered.bound_by(kind)).any():
                rules = np.where(is_bound, place("frozen" if kind == "freeze" else kind), rules)
        return np.full(rules.shape, place("kill_switch")) if limits.rails.kill_switch else rules

    @cached_property
    def may_explore(self) -> Flags:
        """Whether a price may be explored: not where it is fixed, may not move now, or others have to stay below it."""
        may = np.ones(self.shelf.stock.shape, dtype=bool)
        if self.limits is None or self.limits.are_bounds_alone:
            return may
        if self.limits.rails.kill_switch:
            return ~may
        may &= ~self.given & ~self.ordered.is_fixed
        may[:, [link.other for link in self.limits.links]] = False
        return may if self.may_move is None else may & self.may_move

    def candidates(self, ladder: Floats, usual: Floats | float) -> tuple[Floats, Flags]:
        """Return what the limits leave of candidate prices, and which may be tried: those that need no approval.

        A candidate that is brought to an approved price would be a new label that teaches nothing. Nor is a price tried
        from which the day cannot go back to the usual price: that trial would cost until closing what was budgeted for
        a while. Trials of the opening price may stand all day.

        Parameters
        ----------
        ladder
            Shape (n_prices, 1, n_products).
        usual
            Prices shown where nothing is tried, shape (n_stores, n_products).
        """
        limited, may = self.apply(ladder), np.ones(ladder.shape, dtype=bool)
        if self.limits is None:
            return limited, may
        rails, shown, ordered = self.limits.rails, self.shelf.shown_prices, self.ordered
        may = ~ordered.bound_by("price") | ((ordered.lowest <= ladder) & (ladder <= ordered.highest))
        if rails.down_only_within_day:
            may = may & ((limited >= usual) | np.isnan(shown))
        if rails.changes_per_day is not None:
            left = rails.changes_per_day - self.shelf.changes - (limited != shown)
            may = may & ((left >= 1) | np.isnan(shown))
        if (calm := self.limits.calm) is not None:
            if calm.may_try(left := self.shelf.ticks_left):
                lowest = -np.inf if left <= calm.trial else usual / _RISE
                may = may & (limited >= lowest) & (np.isnan(shown) | (ladder <= self.windows["calm"][1]))
            else:  # the price that is tried stands, or the usual one comes back
                may = may & (limited == shown)
        return limited, np.broadcast_to(may.all(axis=1, keepdims=True), may.shape) if self.have_one_price else may

    @property
    def counts_detours(self) -> bool:
        """Whether a trial may have left the usual price away from where the policy wants it; of calm ones, by now."""
        if self.limits is None or self.limits.are_static:
            return False
        return self.limits.calm is None or self.limits.calm.may_try(self.shelf.ticks_left)

    @property
    def guardrails(self) -> Limits:
        """The limits, where there are any."""
        assert self.limits is not None  # noqa: S101 - asked for where there are limits
        return self.limits

    @cached_property
    def shown(self) -> Floats:
        """Prices that stood in the tick before, in whole smallest units; NaN where none did, or no usable one."""
        return self._usable(self.shelf.shown_prices)

    @cached_property
    def base(self) -> Floats:
        """Base prices, shape (n_products,), or a retailer's own in each store, NaN where unknown."""
        standing = self.guardrails.standing
        return (
            self.guardrails.base_prices if standing is None else standing.of(self.shelf.stores, len(self.shelf.stock))
        )

    @cached_property
    def ordered(self) -> Windows:
        """What people decided about the prices in this tick."""
        orders, shelf = self.guardrails.orders, self.shelf
        return NO_WINDOWS if orders is None else orders.windows(shelf.stores, len(shelf.stock), shelf.ticks_left)

    @cached_property
    def given(self) -> Flags:
        """Which prices are frozen, an event's, or set by people."""
        return ~np.isnan(self.guardrails.frozen) | self.ordered.is_set

    @cached_property
    def is_uncounted(self) -> Flags:
        """Which moves are not counted: those of openings and given prices."""
        return np.isnan(self.shown) | self.given

    @property
    def has_turn(self) -> Flags | bool:
        """Which prices the moving share lets change now."""
        return True if self.may_move is None else self.may_move | self.is_uncounted

    @property
    def has_changes_left(self) -> Flags | bool:
        """Which prices have not yet changed as often as they may in a day."""
        at_most = self.guardrails.rails.changes_per_day
        return True if at_most is None else (self.shelf.changes < at_most) | self.is_uncounted

    @property
    def is_held(self) -> Flags:
        """Which prices have to stay as they are shown."""
        held = np.logical_not(self.has_turn & self.has_changes_left)
        return held if self.stays is None else held | self.stays

    @cached_property
    def windows(self) -> dict[str, tuple[Floats, Floats]]:
        """By rule, the lowest and highest price within reach of the price shown or the opening price; NaN without."""
        rails, money, opening = self.guardrails.rails, self.guardrails.money, self.shelf.opening_prices
        opened_at, calm = np.full(self.shown.shape, np.nan) if opening is None else self._usable(opening), {}
        if self.guardrails.calm is not None:
            rules, left = self.guardrails.calm, self.shelf.ticks_left
            lately = np.fmin.reduce([self._usable(prices) for prices in self.shelf.lately or (self.shown,)])
            rise = np.fmax(not_above(lately * _RISE, money=money), self.shown)
            lowest = not_below(self.shown / _RISE, money=money) if left > rules.trial else np.full(rise.shape, -np.inf)
            calm["calm"] = lowest, rise
        return calm | {
            rule: (not_below(center * (1 - share), money=money), not_above(center * (1 + share), money=money))
            for rule, center in (("largest_step", self.shown), ("largest_daily_move", opened_at))
            if (share := getattr(rails, rule)) is not None
        }

    def bounds(self, name: str, by_people: Flags) -> Floats:
        """Return floors, ceilings or costs: in whole smallest units for people's prices, else with the price ending."""
        return np.where(by_people, getattr(self.guardrails.whole_bounds, name), getattr(self.guardrails.bounds, name))

    def _leave_alone(self, prices: Floats) -> bool:
        """Return whether no limit can change any of these prices, which is the rule and costs little to see."""
        if self.limits is None:
            return True
        bounds, scale = self.limits.bounds, self.limits.money.scale
        if not self.limits.are_bounds_alone or not ((prices >= bounds.lowest) & (prices <= bounds.ceilings)).all():
            return False
        return bool((np.rint(prices * scale) / scale == prices).all())

    def _whole(self, prices: Floats) -> Floats:
        """Round to smallest units, NaN for an infinite price; one beyond any allowed becomes the highest allowed."""
        scale = self.guardrails.money.scale
        return np.where(np.isfinite(prices), np.rint(np.clip(prices, -_HIGHEST, _HIGHEST) * scale) / scale, np.nan)

    def _usable(self, prices: Floats) -> Floats:
        whole = self._whole(prices)
        return np.where(whole > 0, whole, np.nan)

    def _in_order(self, prices: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield each limit with the prices after it."""
        limits, after = self.guardrails, self._whole(prices)
        by_people = self.given  # and so in no need of the price ending
        for rule in ("kill_switch",) if limits.rails.kill_switch else limits.rules:
            lowest, highest, spares = _GUARDRAILS[rule](self, before := after, by_people)
            if not np.all(spares):
                inside = lowest if lowest is highest else np.clip(before, lowest, highest)
                after = np.where(spares, before, inside)
            if rule == "not_approved":
                by_people = by_people | (after != before)
            elif rule in _BEFORE_STEPS and limits.standing is not None:  # a store's own price needs nobody's leave
                by_people = self.given | (after == self.base)
            yield rule, after


Allowed = tuple[Floats | float, Floats | float, Flags | bool]
"""The lowest and highest price that a limit allows, and which prices it spares."""

Guardrail = Callable[[ShelfLimits, Floats, Flags], Allowed]
"""A limit: what it allows on shelves, given the prices before it and which of them need no price ending."""


def _exactly(price: Floats, spares: Flags | bool) -> Allowed:  # noqa: FBT001
    return price, price, spares


def _at_most(price: Floats, spares: Flags | None = None) -> Allowed:
    return -np.inf, price, np.isnan(price) if spares is None else spares | np.isnan(price)


def _in_reach(rule: str, on: ShelfLimits, _prices: Floats, by_people: Flags) -> Allowed:
    """Allow what is within a share of the price shown, or of the opening price."""
    lowest, highest = on.windows.get(rule, (-np.inf, np.inf))
    return lowest, highest, by_people | np.isnan(lowest) | on.is_held


def _calmly(on: ShelfLimits, _prices: Floats, by_people: Flags) -> Allowed:
    """Allow the price shown where it stays; elsewhere small falls, and a small rise once an hour."""
    lowest, highest = on.windows["calm"]
    if on.stays is not None:
        lowest, highest = np.where(on.stays, on.shown, lowest), np.where(on.stays, on.shown, highest)
    return lowest, highest, by_people | np.isnan(on.shown)


def _with_ending(on: ShelfLimits, prices: Floats, by_people: Flags) -> Allowed:
    """Allow the nearest price with the ending within reach, the lower of two; the price itself without one."""
    limits, ending = on.guardrails, on.guardrails.rails.price_ending
    if ending is None:
        return _exactly(prices, spares=True)
    low = reduce(np.fmax, (lowest for lowest, _ in on.windows.values()), limits.bounds.lowest)
    high = reduce(np.fmin, (highest for _, highest in on.windows.values()), limits.bounds.ceilings)
    below, above = not_above(prices, ending, limits.money), not_below(prices, ending, limits.money)
    has_below, has_above = below >= low, above <= high
    takes_below = has_below & (~has_above | (prices - below <= above - prices + 1e-9))
    nearest = np.where(takes_below, below, np.where(has_above, above, prices))
    return _exactly(nearest, by_people | on.is_held)


def _approved(on: ShelfLimits, prices: Floats, _by_people: Flags) -> Allowed:
    """Allow what was approved; a price that floor, ceiling or cost bring there is left to them."""
    ordered, bounds = on.ordered, on.guardrails.bounds
    bounded = np.maximum(np.clip(prices, bounds.floors, bounds.ceilings), bounds.cost_plus_margin)
    is_approved = (ordered.lowest <= bounded) & (bounded <= ordered.highest)
    return _exactly(np.clip(bounded, ordered.lowest, ordered.highest), ~ordered.bound_by("price") | is_approved)


def _frozen(on: ShelfLimits, _prices: Floats, _by_people: Flags) -> Allowed:
    price = np.where(on.ordered.bound_by("freeze"), on.ordered.lowest, on.guardrails.frozen)
    return _exactly(price, np.isnan(price))


def _marked_down(on: ShelfLimits, _prices: Floats, by_people: Flags) -> Allowed:
    limits = on.guardrails
    highest = np.where(by_people, on.base, not_above(on.base, limits.rails.price_ending, limits.money))
    return _at_most(highest, ~limits.is_markdown_only)


def _at_least(name: str, on: ShelfLimits, _prices: Floats, by_people: Flags) -> Allowed:
    """Allow no price below floor or cost, unless the cost is no higher than one that somebody accepted."""
    is_accepted = on.ordered.accepted_cost >= on.guardrails.whole_bounds.cost_plus_margin
    return on.bounds(name, by_people), np.inf, is_accepted


_BEFORE_STEPS = ("impossible_price", "calm", "moving_share", "changes_per_day")
_GUARDRAILS: dict[str, Guardrail] = {
    "impossible_price": lambda on, prices, _: _exactly(np.where(np.isnan(on.shown), on.base, on.shown), prices > 0),
    "calm": _calmly,
    "moving_share": lambda on, *_: _exactly(on.shown, on.has_turn),
    "changes_per_day": lambda on, *_: _exactly(on.shown, on.has_changes_left),
    "largest_step": partial(_in_reach, "largest_step"),
    "largest_daily_move": partial(_in_reach, "largest_daily_move"),
    "price_ending": _with_ending,
    "down_only_within_day": lambda on, *_: _at_most(on.shown, on.given),
    "one_price": lambda on, prices, _: _exactly(on.in_zone(prices), on.given),
    "rivals": lambda on, *_: _at_most(on.guardrails.rival_caps),
    "families": lambda on, *_: _at_most(on.guardrails.caps.get("families", np.array(np.nan))),
    "own_brands": lambda on, *_: _at_most(on.guardrails.caps.get("own_brands", np.array(np.nan))),
    "not_approved": _approved,
    "frozen": _frozen,
    "event": lambda on, *_: _exactly(on.ordered.lowest, ~on.ordered.bound_by("event")),
    "override": lambda on, *_: _exactly(on.ordered.lowest, ~on.ordered.bound_by("override")),
    "ceiling": lambda on, _, by_people: _at_most(on.bounds("ceilings", by_people)),
    "markdown_only": _marked_down,
    "floor": partial(_at_least, "floors"),
    "minimum_margin": partial(_at_least, "cost_plus_margin"),
    "kill_switch": lambda on, *_: _exactly(
        on.base, ~(on.ordered.bound_by("kill_switch") | on.guardrails.rails.kill_switch)
    ),
}


def anywhere(limits: Limits | None, shape: tuple[int, ...]) -> ShelfLimits:
    """Return the limits on stocked shelves that show no price yet, on which static limits alone bind."""
    return ShelfLimits(limits, Shelf(np.ones(shape, dtype=np.int64), np.full(shape, np.nan), 1, np.zeros(shape)))
