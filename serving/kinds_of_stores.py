"""Stores of several kinds, priced together: each by a storefront of its own kind.

The price book of a date is one for all stores. Where a belief knows kinds of stores, what stands on a shelf follows
from its own kind instead. Stores whose first hours differ clearly part during the day, each kind with the sales of its
own stores since opening. Where prices wait for a person, one price of a product is approved, so stores stay together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.pricing import Lesson, Marked, PriceDecision, Shelf, Sold
from serving.belief.belief import Belief, StoreKind
from serving.belief.learning_policy import LearningPolicy
from serving.belief.policy import Morning, morning_of
from serving.belief.store_kinds import SoldInStores, kinds_of_stores
from serving.belief.taken_from_log import stores_of_kinds
from serving.orders import Orders
from serving.storefront import LearningStorefront, storefront_that_learns

_NAMED = 5  # stores of a kind that a sentence names
_MOST_WATCHED = 5_000  # products of all stores of a batch; a larger one parts at night alone
_OF_STICKERS = ("sticker", "saving")
_BY_STORE = tuple(field.name for field in fields(PriceDecision) if field.name not in {"clamps", *_OF_STICKERS})


def kind_of(catalog: Catalog, belief: Belief, store: str) -> StoreKind | None:
    """Return the kind of a store, where it has one of its own and prices may follow it."""
    kinds = () if catalog.store.approval.is_asked_for else belief.kinds
    return next((kind for kind in kinds if store in kind.stores), None)


def kinds_in_words(catalog: Catalog, belief: pa.Table) -> str | None:
    """Say which stores are of which kind, and what the one price book then is for; None while all are alike."""
    kinds = stores_of_kinds(belief)
    if not kinds:
        return None
    named = "; ".join(
        ", ".join(own[:_NAMED]) + (f" and {len(own) - _NAMED} more" if own[_NAMED:] else "") for own in kinds
    )
    found = f"stores are of {len(kinds)} kinds ({named})"
    if catalog.store.approval.is_asked_for:
        return f"{found}, but prices wait for a person, so one price book holds in all of them"
    return f"{found}: each kind sells from a belief of its own, and the one price book is of all of them together"


def believed_in(catalog: Catalog, belief: Belief, store: str | None) -> tuple[Belief, int | None]:
    """Return what is believed of a store, and how many stores learn together; None is all of them.

    A kind of its own is believed by its own sales alone, without a word of the champion, which has seen all stores.
    """
    kind = None if store is None else kind_of(catalog, belief, store)
    return (belief, None) if kind is None else (belief.of_kind(kind), len(kind.stores))


def morning_in(catalog: Catalog, belief: Belief, version: str | None, store: str | None) -> Morning:
    """Return what a store's day begins with; without a store, that of all together."""
    own, learners = believed_in(catalog, belief, store)
    return replace(morning_of(catalog, own, version), learners=learners)


def storefront_of_stores(
    catalog: Catalog,
    belief: Belief,
    morning: Callable[[str | None], Morning],
    orders: Orders | None,
    stores: Sequence[str] | None,
) -> LearningStorefront:
    """Return what stores sell from that learn from their sales: one storefront, or one for each kind of them.

    Stores that are alike by the belief are watched; where it knows kinds, they are those of the whole day.

    Parameters
    ----------
    morning
        Returns what a store's day begins with by the belief; without a store, that of all together.
    stores
        The stores that are priced; None is every store.
    """
    named = catalog.store.stores if stores is None else tuple(stores)
    members: dict[tuple[str, ...], list[str]] = {}
    for store in named:
        kind = kind_of(catalog, belief, store)
        members.setdefault(() if kind is None else kind.stores, []).append(store)
    fronts = {tuple(own): storefront_that_learns(catalog, morning(own[0]), orders) for own in members.values()}
    if len(fronts) == 1:
        front = next(iter(fronts.values()))
        return front if belief.kinds else watching(front, named)
    rest = storefront_that_learns(catalog, morning(None), orders)
    kinds = tuple((own, replace(front, limits=rest.limits)) for own, front in fronts.items())
    return StorefrontOfKinds(**_steps_of(rest), kinds=kinds)


def watching(front: LearningStorefront, stores: Sequence[str]) -> LearningStorefront:
    """Return a storefront whose stores part during the day where they turn out to be of several kinds."""
    assert isinstance(front.policy, LearningPolicy)  # noqa: S101 - made by `storefront_that_learns` alone
    waits_for_people = front.policy.outlook.morning.catalog.store.approval.is_asked_for
    return front if len(stores) == 1 or waits_for_people else StorefrontOfKinds(**_steps_of(front))


@dataclass(frozen=True)
class StorefrontOfKinds(LearningStorefront):
    """Storefronts of several kinds of stores; a store of none of them sells from this one's own policy.

    Attributes
    ----------
    kinds
        Names of stores, and what they sell from; none while all are alike.
    told
        What all kinds together have taught.
    heard
        What was sold since opening, while there are no kinds.
    """

    kinds: tuple[tuple[tuple[str, ...], LearningStorefront], ...] = ()
    told: Lesson | None = None
    heard: tuple[Sold, ...] = ()

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick, each store by its kind."""
        if shelf.stores is None or not self.kinds:
            return super().decide(shelf)
        fronts, decided = self._fronts, list[tuple[Ints, PriceDecision]]()
        for at, rows in self._rows_of_kinds(shelf.stores):
            front = fronts[at]
            if self.exploration is None or front.limits is not self.limits:  # somebody changed this one's steps
                exploration = None if self.exploration is None else front.exploration
                front = replace(front, limits=self.limits, exploration=exploration)
            decided.append((rows, front.decide(shelf_of_rows(shelf, rows))))
        return _together(decided)

    def learned_all(self, ticks: Iterable[Sold]) -> "StorefrontOfKinds":
        """Return the storefronts for the ticks after some, each having seen its own stores."""
        ticks = tuple(ticks)
        if not self.kinds:
            known = self.heard[-1].tick if self.heard else -1
            heard = (*self.heard, *(own for own in ticks if own.tick > known and own.prices.size <= _MOST_WATCHED))
            after = replace(super().learned_all(ticks), heard=heard)
            return after if after.lesson is self.lesson else _parted(after)
        fronts, served = list(self._fronts), set[int]()
        for sold in ticks:
            assert sold.stores is not None  # noqa: S101 - who sells for several stores says which they are
            for at, rows in self._rows_of_kinds(sold.stores):
                fronts[at] = fronts[at].learned(_sold_in(sold, rows))
                served.add(at)
        *kinds, rest = fronts
        lessons = [lesson for at in sorted(served) if (lesson := fronts[at].lesson) is not None]
        is_new = any(now.lesson is not before.lesson for now, before in zip(fronts, self._fronts, strict=True))
        return replace(
            self,
            policy=rest.policy,
            curves=rest.curves,
            exploration=rest.exploration if self.exploration is not None else None,
            kinds=tuple((own, front) for (own, _), front in zip(self.kinds, kinds, strict=True)),
            told=_lesson_of(lessons) if is_new else self.told,
        )

    @property
    def lesson(self) -> Lesson | None:
        """What all stores together have taught; chances and visits are means over the kinds that learned."""
        return self.told if self.kinds else super().lesson

    @property
    def _fronts(self) -> tuple[LearningStorefront, ...]:
        """The storefront of each kind, and last that of stores of none."""
        return (*(front for _, front in self.kinds), LearningStorefront(**_steps_of(self)))

    def _rows_of_kinds(self, stores: Sequence[str]) -> Iterator[tuple[int, Ints]]:
        """Yield the place of a storefront and the rows of its stores, for each that has some."""
        place = {store: at for at, (own, _) in enumerate(self.kinds) for store in own}
        at = np.array([place.get(store, len(self.kinds)) for store in stores])
        for own in np.unique(at).tolist():
            yield own, np.flatnonzero(at == own)


def _parted(front: StorefrontOfKinds) -> StorefrontOfKinds:
    """Return a storefront with its stores parted, where what they sold since opening differs clearly."""
    assert isinstance(front.policy, LearningPolicy)  # noqa: S101 - as above
    morning, stores = front.policy.outlook.morning, front.heard[0].stores if front.heard else None
    if stores is None or any(sold.stores != stores for sold in front.heard):
        return front
    kind = _kinds_in(front.heard, morning.catalog)
    if not kind.any():
        return front
    kinds = []
    for rows in (np.flatnonzero(kind == own) for own in range(int(kind.max()) + 1)):
        heard = tuple(_sold_in(sold, rows) for sold in front.heard)
        outlook = replace(morning, learners=len(rows)).outlook().after(heard)
        steps = _steps_of(front) | {"policy": LearningPolicy(outlook), "curves": outlook.curves}
        exploration = None if front.exploration is None else outlook.exploration
        names = tuple(stores[row] for row in rows)
        kinds.append((names, LearningStorefront(**steps | {"exploration": exploration})))
    told = _lesson_of([own.lesson for _, own in kinds if own.lesson is not None])
    return replace(front, kinds=tuple(kinds), told=told, heard=())


def _steps_of(front: LearningStorefront) -> dict[str, Any]:
    """Return the fields that a storefront of one kind has."""
    return {field.name: getattr(front, field.name) for field in fields(LearningStorefront)}


def _kinds_in(heard: Sequence[Sold], catalog: Catalog) -> Ints:
    """Return the kind of each store by what was sold since opening, shape (n_stores,)."""
    n_stores, n_products = heard[0].prices.shape
    lowest = [own for sold in heard for own in sold.by_lowest_price()]
    prices, met, bought = (np.stack(own) for own in zip(*lowest, strict=True))
    some = met > 0
    store, product = (
        np.broadcast_to(own, met.shape)[some] for own in np.ix_(np.arange(n_stores), np.arange(n_products))
    )
    ratio = prices[some] / catalog.base_prices[product]
    sold = SoldInStores(store, product, ratio, met[some].astype(float), bought[some].astype(float))
    return kinds_of_stores(sold, n_stores, catalog.store.belief)


def shelf_of_rows(shelf: Shelf, rows: Ints | slice) -> Shelf:
    """Return the shelves of some stores."""
    opening = None if shelf.opening_prices is None else shelf.opening_prices[rows]
    stores = None if shelf.stores is None else tuple(shelf.stores[row] for row in np.arange(len(shelf.stock))[rows])
    own = (shelf.stock[rows], shelf.shown_prices[rows], shelf.ticks_left, shelf.dice[rows])
    changes = np.broadcast_to(shelf.changes, shelf.stock.shape)[rows]
    opened_with = None if shelf.opened_with is None else shelf.opened_with[rows]
    sticker = None if shelf.sticker is None else shelf.sticker[rows]
    on_last_day = None if shelf.on_last_day is None else shelf.on_last_day[rows]
    return Shelf(*own, opening, stores, changes, opened_with, shelf.business_date, sticker, on_last_day)


def _sold_in(sold: Sold, rows: Ints) -> Sold:
    marked = None if (own := sold.marked) is None else Marked(own.prices[rows], own.met[rows], own.bought[rows])
    return Sold(sold.tick, sold.prices[rows], sold.visits[rows], sold.met[rows], sold.bought[rows], marked=marked)


def _together(parts: Sequence[tuple[Ints, PriceDecision]]) -> PriceDecision:
    """Return the decisions of all stores in their order, with the trail of their limits."""
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    arrays = {name: np.concatenate([getattr(own, name) for _, own in parts])[order] for name in _BY_STORE}
    n_products = arrays["prices"].shape[1]
    trails = []
    for rows, own in parts:
        trail = own.clamps.copy()
        row, product = np.divmod(trail["decision"], n_products)
        trail["decision"] = rows[row] * n_products + product
        trails.append(trail)
    clamps = np.sort(np.concatenate(trails), order=["rule", "decision"], kind="stable")
    if parts[0][1].saving is not None:
        arrays |= {name: np.concatenate([getattr(own, name) for _, own in parts])[order] for name in _OF_STICKERS}
    elif parts[0][1].sticker is not None:
        arrays["sticker"] = np.concatenate([own.sticker for _, own in parts if own.sticker is not None])[order]
    return PriceDecision(**arrays, clamps=clamps)


def _lesson_of(lessons: Sequence[Lesson]) -> Lesson:
    share = 1 / len(lessons)
    return Lesson(
        ticks=max(own.ticks for own in lessons),
        met=np.sum([own.met for own in lessons], axis=0),
        bought=np.sum([own.bought for own in lessons], axis=0),
        p_base=share * np.sum([own.p_base for own in lessons], axis=0),
        visits_left=share * np.sum([own.visits_left for own in lessons], axis=0),
        changed=max(own.changed for own in lessons),
    )
