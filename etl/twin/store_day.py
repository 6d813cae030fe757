"""Play one business date of a group of stores, from opening to closing, under one policy."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import (
    LearnsWhileSelling,
    Lesson,
    LetsTrialsStand,
    Marked,
    Policy,
    PriceDecision,
    Shelf,
    Sold,
    TellsLessons,
)
from catalog.decisions.store_day import DayPrices, KeptStock, ShelfState, StockMoves, StoreDay, Taken, Told
from catalog.errors import CatalogError
from catalog.load import Catalog
from etl.twin.selling import NOTHING, STAYED_AWAY, Choice, count_tick, sell_tick, sell_tick_with_stickers
from etl.twin.stock import close_shelves, open_shelves, opening_stock, take_units
from etl.twin.visits import Visits, draw_visits


def play(
    catalog: Catalog,
    policy: Policy,
    stores: Sequence[str],
    business_date: dt.date,
    seed: int,
    kept: KeptStock | None = None,
) -> StoreDay:
    """Play one business date. Equal arguments give equal results, to the last bit."""
    return meet(catalog, policy, stores, business_date, draw_visits(catalog, stores, business_date, seed), kept)


def meet(
    catalog: Catalog,
    policy: Policy,
    stores: Sequence[str],
    business_date: dt.date,
    visits: Visits,
    kept: KeptStock | None = None,
) -> StoreDay:
    """Play given visits under a policy's prices; so two policies can be compared on the same shoppers.

    `kept` is what the stores have from the day before; without it nobody knows, and they open with a full shelf.
    """
    stretch = Stretch(catalog, policy, stores, business_date, visits, kept=kept)
    for _ in range(len(visits.dice)):
        stretch.sell_tick()
    return stretch.played()


def standing_at_opening(
    catalog: Catalog, n_stores: int, business_date: dt.date, kept: KeptStock | None = None
) -> ShelfState:
    """Return the state of the shelves before the first tick: delivered, and without a price."""
    rules, by_life = catalog.stock_rules, None
    if rules is None:
        stock = np.tile(opening_stock(catalog, business_date), (n_stores, 1))
    else:
        by_life = open_shelves(catalog, rules, kept, n_stores, business_date).by_life
        stock = by_life.sum(axis=2)
    no_price = np.full(stock.shape, np.nan)
    return ShelfState(0, stock, no_price, no_price, np.zeros(stock.shape, dtype=stock.dtype), by_life, by_life)


_DENSE = ("prices", "propensity", "explored", "rule")
_SMALLER = {"rule": np.int8, "stock": np.int32}  # a shelf of 30,000 in 16 stores has 23 million of each


class Stretch:
    """Consecutive ticks of a business date that are sold under one policy.

    A batch is one stretch from opening to closing; a live day begins another one whenever its policy changes.
    """

    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        stores: Sequence[str],
        business_date: dt.date,
        visits: Visits,
        began: ShelfState | None = None,
        kept: KeptStock | None = None,
    ) -> None:
        """Begin with the shelves as given, by default as at opening; nothing is sold yet.

        `kept` is what the stores have from the day before, None where nobody knows.

        Raises
        ------
        CatalogError
            When it begins during the day and some shoppers wait: who comes again follows from the ticks before.
        """
        self._opened_with, self._policy = policy, policy
        self._stores, self._business_date, self._visits = tuple(stores), business_date, visits
        self._catalog, self._kept = catalog, kept
        self._began = began or standing_at_opening(catalog, len(stores), business_date, kept)
        if visits.first_visit is not None and self._began.tick > 0:
            raise CatalogError(
                f"waiting_share: expected 0 for a day that goes on at tick {self._began.tick}, found shoppers who "
                "wait; nothing was sold, play the day from its opening"
            )
        self._first_visit = np.empty(0, dtype=np.int64) if visits.first_visit is None else visits.first_visit
        self._picks = np.empty(0, dtype=np.bool_) if visits.picks_freshest is None else visits.picks_freshest
        self._willing_price = catalog.base_prices.astype(np.float32)[visits.product] * visits.multiplier
        self._choice = Choice.of(catalog, visits.multiplier, visits.switches)
        self._inventory = np.empty(visits.count, dtype=np.int32)
        self._outcome = np.empty(visits.count, dtype=np.int8)
        n_marked = visits.count if catalog.uses_stickers else 0
        self._price_met, self._sticker = np.full((2, n_marked), np.nan)
        self._kept_of_ticks: dict[str, NDArray[Any]] = {}
        self._clamps: list[NDArray[Any]] = []
        self._told: list[Told] = []
        self._sticker_at_opening: Floats | None = None
        self._lessons: list[Lesson] = []
        self.standing = self._began

    def sell_tick(self) -> None:
        """Ask the policy for prices, sell the next tick at them, and let a policy that learns see what that brought."""
        now, visits = self.standing, self._visits
        n_ticks, stock = len(visits.dice), now.stock.copy()
        begun = now.tick % self._policy.trial_ticks if isinstance(self._policy, LetsTrialsStand) else 0
        facts = (now.stock, now.shown, n_ticks - now.tick, visits.dice[now.tick - begun], now.opened_at)
        marks = (now.sticker, None if now.by_life is None else now.by_life[..., 0])
        shelf = Shelf(*facts, self._stores, now.changes, now.opened_with, self._business_date, *marks, now.lately)
        answer = self._policy.decide(shelf)
        spans = np.ascontiguousarray(visits.starts[:, now.tick : now.tick + 2])  # as of one store: compiled for both
        drawn = (visits.product, self._willing_price, self._first_visit)
        by_life, marked = None if now.by_life is None else now.by_life.copy(), None
        stuck = answer.sticker if self._catalog.uses_stickers else None
        if by_life is not None and stuck is not None and np.isfinite(stuck).any():
            marked = self._sell_with_stickers(spans, drawn, answer.prices, stuck, by_life)
            stock = by_life.sum(axis=2)
        else:
            sell_tick(spans, drawn, answer.prices, stock, self._inventory, self._outcome, self._choice)
            if by_life is not None:
                take_units(spans, visits.product, self._outcome, self._picks, by_life)
                if len(self._choice.taken):
                    take_units(spans, self._choice.taken, self._choice.outcome, self._picks, by_life)
        self._keep(answer, now)
        opened_at = answer.prices if now.tick == 0 else now.opened_at
        changes = now.changes + ((answer.prices != now.shown) & np.isfinite(now.shown))
        if stuck is None and self._catalog.uses_stickers:  # nobody sticks one later
            stuck = np.full(stock.shape, np.nan)
        units = (by_life, now.opened_with, stuck)
        lately = (*now.lately, answer.prices)[-self._catalog.store.opening.hour_ticks :]
        self.standing = ShelfState(now.tick + 1, stock, answer.prices, opened_at, changes, *units, lately)
        if isinstance(self._policy, LearnsWhileSelling):
            self._learn(self._policy, self._sold(now.tick, answer.prices, spans, marked))

    def _keep(self, answer: PriceDecision, now: ShelfState) -> None:
        """Write what was decided where the whole stretch has its place: a long shelf is joined without a copy."""
        tick = now.tick - self._began.tick
        if tick == 0:
            self._sticker_at_opening = answer.sticker  # stuck once
        for name in (*_DENSE, "stock"):
            value = now.stock if name == "stock" else getattr(answer, name)
            if tick == 0:
                shape = len(self._visits.dice) - now.tick, *value.shape
                self._kept_of_ticks[name] = np.empty(shape, _SMALLER.get(name, value.dtype))
            self._kept_of_ticks[name][tick] = value
        clamps = answer.clamps.copy()
        clamps["decision"] += tick * now.stock.size
        self._clamps.append(clamps)
        self._told.append(Told.of(answer, now.shown, tick * now.stock.size))

    def _sell_with_stickers(
        self, spans: Ints, drawn: tuple[Any, Any, Ints], labels: Floats, sticker: Floats, by_life: Ints
    ) -> Marked:
        met, bought = np.zeros((2, *labels.shape), dtype=np.int64)
        decided = (self._inventory, self._outcome, self._price_met, self._sticker)
        sell_tick_with_stickers(spans, drawn, self._picks, (labels, sticker), by_life, decided, (met, bought))
        return Marked(sticker, met, bought)

    @property
    def policy(self) -> Policy:
        """The policy of the next tick: what the one at the beginning has become."""
        return self._policy

    def played(self) -> StoreDay:
        """Return what was sold so far; at least one tick must have been sold."""
        visits, n_stores = self._visits, len(self._stores)
        kept = {name: values[: self.standing.tick - self._began.tick] for name, values in self._kept_of_ticks.items()}
        stock, details = kept.pop("stock"), Told(*map(np.concatenate, zip(*self._told, strict=True)))
        decisions = DayPrices(
            **kept, clamps=np.concatenate(self._clamps), told=details, sticker=self._sticker_at_opening
        )
        store, tick = _store_and_tick_of_visits(visits, n_stores)
        sold = self._sold_rows(tick)
        product, store, tick = visits.product[sold], store[sold], tick[sold]
        n_products = decisions.prices.shape[2]
        cell = ((tick.astype(np.int64) - self._began.tick) * n_stores + store) * n_products + product
        price, sticker = decisions.prices.ravel()[cell], None
        if len(self._sticker):
            price = np.where(np.isnan(self._price_met[sold]), price, self._price_met[sold])
            sticker = self._sticker[sold]
        return StoreDay(
            business_date=self._business_date,
            stores=self._stores,
            policy=self._opened_with.name,
            model_version=self._opened_with.model_version,
            rules=self._opened_with.rules,
            store=store,
            product=product,
            shopper=visits.shopper[sold],
            tick=tick,
            since_opening_us=visits.since_opening_us[sold],
            price=price,
            propensity=decisions.propensity.ravel()[cell],
            inventory=self._inventory[sold],
            multiplier=visits.multiplier[sold],
            outcome=self._outcome[sold],
            decisions=decisions,
            stock=stock,
            began=self._began,
            lessons=tuple(self._lessons),
            moves=self._moves() if self.standing.tick == len(visits.dice) else None,
            taken=self._taken(sold, cell - product, decisions.prices),
            sticker=sticker,
        )

    def _taken(self, sold: NDArray[np.bool_] | slice, first_cell: Ints, prices: Floats) -> Taken | None:
        """Return what was taken instead; `first_cell` is where the prices of each visit's tick begin, (n_visits,)."""
        if self._visits.switches is None:
            return None
        product = self._choice.taken[sold]
        visit = np.flatnonzero(product != NOTHING)
        price = prices.ravel()[first_cell[visit] + product[visit]]
        return Taken(visit, product[visit], price, self._choice.inventory[sold][visit])

    def _moves(self) -> StockMoves | None:
        """Return what became of each unit, once the last tick is sold."""
        rules, left = self._catalog.stock_rules, self.standing.by_life
        if rules is None or left is None:
            return None
        opened = open_shelves(self._catalog, rules, self._kept, len(self._stores), self._business_date)
        return close_shelves(rules, opened, left, self._kept, self._business_date)

    def _learn(self, policy: LearnsWhileSelling, sold: Sold) -> None:
        before, self._policy = _lesson_of(self._policy), policy.learned(sold)
        lesson = _lesson_of(self._policy)
        if lesson is not None and lesson is not before:
            self._lessons.append(lesson)

    def _sold_rows(self, tick: NDArray[np.int16]) -> NDArray[np.bool_] | slice:
        """Return which visits took place in the ticks that are sold; `tick` is that of each, shape (n_visits,)."""
        whole = self._began.tick == 0 and self.standing.tick == len(self._visits.dice)
        if whole and self._visits.first_visit is None:
            return slice(None)
        sold = (tick >= self._began.tick) & (tick < self.standing.tick)
        return sold if self._visits.first_visit is None else sold & (self._outcome != STAYED_AWAY)

    def _sold(self, tick: int, prices: Floats, spans: Ints, marked: Marked | None) -> Sold:
        visits, met, bought = (np.zeros(prices.shape, dtype=np.int64) for _ in range(3))
        count_tick(spans, self._visits.product, self._outcome, visits, met, bought)
        return Sold(tick, prices, visits, met, bought, self._stores, marked)


def _lesson_of(policy: Policy) -> Lesson | None:
    return policy.lesson if isinstance(policy, TellsLessons) else None


def _store_and_tick_of_visits(visits: Visits, n_stores: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    n_ticks = len(visits.dice)
    counts = np.diff(visits.starts, axis=1)
    store = np.repeat(np.arange(n_stores, dtype=np.int32), counts.sum(axis=1))
    tick = np.repeat(np.tile(np.arange(n_ticks, dtype=np.int16), n_stores), counts.ravel())
    return store, tick
