"""What prices are expected to bring on a store day by the book in force: the plan, a price that is kept, or one typed.

The plan opens at a proposed price and reprices by the book at each tick. Both sides of a comparison have the same
curves, footfall, stock, and worth of what is left at closing. Beyond the prices of the ladder nothing is known.
"""

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from plugins.desk.price_changes.change import Terms
from plugins.desk.price_changes.planned_day import Demand, PlannedDay, Proceeds, lies_on
from plugins.desk.standing import StoreStanding
from serving.book.book import PriceBook
from serving.book.make import limited_ladder, tabulate
from serving.book.store import BookInForce, OpenBook, catalog_of
from serving.learning.outlook import Outlook
from serving.optimise.days_ahead import Keeps, keeps_on, new_units
from serving.optimise.policies import StockAwarePolicy, sales_of
from serving.store.in_force import kinds_in
from warehouse.lake import Lake


@dataclass(frozen=True)
class OnShelf:
    """How a product stands in a store: its units at a tick, and what keeps of those that it opened with, or None."""

    stock: int
    tick: int = 0
    keeps: Keeps | None = None


@dataclass(frozen=True)
class Consequence:
    """What a price brings a store in the ticks that were asked about. None where no model knows.

    Attributes
    ----------
    price, policy_price
        EUR; the second is the plan's at the stock of the first of these ticks, as far as that is known before.
    p_sale
        Chance that a shopper who considers the product buys it.
    units, revenue, profit
        Expected units, and EUR; profit is revenue less the cost of the units.
    cost
        What is lost until closing against the plan, EUR, in revenue or in profit, whichever the catalog maximises;
        negative where more is expected.
    known_from, known_to
        Where the price is beyond what is known: the prices between which demand is, EUR.
    """

    price: float
    policy_price: float
    p_sale: float | None
    units: float | None
    revenue: float | None
    profit: float | None
    cost: float | None
    known_from: float | None = None
    known_to: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What a plan is expected to bring until closing, and what the price now would, if it were kept."""

    plan: Proceeds
    kept: Proceeds

    @property
    def gain(self) -> float:
        """What the plan brings more, EUR, in revenue or in profit, whichever the catalog maximises."""
        return self.plan.worth - self.kept.worth


class DayForecast:
    """The price book in force on a date, ready to say what prices bring; it is read once for many questions.

    Parameters
    ----------
    book
        The book on the shelf of the catalog.
    outlook
        The belief that it was made from, before the first visit.
    date
        Decides what is delivered when, where stock lives on.
    apart
        What stands for the book in stores of kinds of their own.

    Attributes
    ----------
    reasons
        Sentences that were made of it, see `reasons.reason_for`.
    """

    def __init__(
        self,
        catalog: Catalog,
        book: PriceBook,
        outlook: Outlook,
        date: dt.date,
        apart: Mapping[str, "DayForecast"] | None = None,
    ) -> None:
        self._catalog, self._book, self._apart = catalog, book, apart or {}
        self._outlook, self._curves, self._date = outlook, outlook.curves, date
        self._position = {sku: place for place, sku in enumerate(book.skus)}
        self._days = dict[tuple[int, Keeps | None, bool], PlannedDay | None]()
        self.reasons = dict[Hashable, str]()
        self._bounded = dict[tuple[int, Keeps | None, float, float], PlannedDay]()
        self._held = dict[tuple[int, OnShelf, float, float], Comparison | None]()
        self._sales = sales_of(catalog, outlook.curves, outlook.visits)
        self._limited = limited_ladder(catalog, outlook.curves.prices)

    def in_store(self, store: str | None) -> "DayForecast":
        """Return what holds in a store; without one, what all stores share."""
        return self if store is None else self._apart.get(store, self)

    @property
    def book(self) -> PriceBook:
        """The book, for the shelf of the catalog."""
        return self._book

    @property
    def skus(self) -> tuple[str, ...]:
        """The products that it knows."""
        return self._book.skus

    def opening_price(self, sku: str) -> float:
        """Return what the policy opens a full shelf with, EUR."""
        return float(self._book.opening.prices[self._position[sku]])

    def opening_prices(self, skus: Sequence[str]) -> Floats:
        """Return what the policy opens full shelves with, EUR, shape (n_skus,); NaN where nobody knows it."""
        positions = np.array([self._position.get(sku, -1) for sku in skus], dtype=np.int64)
        return np.where(positions < 0, np.nan, self._book.opening.prices[positions])

    def binding_rule(self, sku: str) -> str:
        """Return the rule that binds the price that the policy opens a full shelf with."""
        return self._book.rules[int(self._book.opening.rule[self._position[sku]])]

    def ladder(self, sku: str) -> Floats:
        """Return the prices whose demand is known, EUR, ascending; it is known between them, and not beyond."""
        return np.asarray(self._curves.prices[self._position[sku]])

    def p_sale(self, sku: str, price: float) -> float | None:
        """Return the chance that a shopper who considers a product buys it at a price; None where nobody knows."""
        position, ladder = self._position[sku], self.ladder(sku)
        chance = float(self._curves.p_sale_at(np.array([position]), np.array([price]))[0])
        return chance if lies_on(ladder, price) and np.isfinite(chance) else None

    def on_shelves(self, stock: Ints, tick: int, opened_with: Ints | None) -> list[OnShelf]:
        """Return how each product of a store stands.

        Parameters
        ----------
        stock
            Units at the tick, shape (n_products,).
        opened_with
            Units at opening by the days on which they may be sold, shape (1, n_products, n_lives), or None.
        """
        ahead = self._outlook.start.ahead
        units, tick = np.minimum(stock, self._catalog.most_stock).tolist(), min(tick, self._book.n_ticks - 1)
        if ahead is None:
            return [OnShelf(unit, tick) for unit in units]
        opened = new_units(ahead, self._catalog.par_stock) if opened_with is None else opened_with
        keeps = keeps_on(ahead, self._date, opened)
        return [OnShelf(stock, tick, tuple(kept[0].tolist())) for stock, kept in zip(units, keeps, strict=True)]

    def shelves_in(self, standing: StoreStanding) -> list[OnShelf | None]:
        """Return how each product of a store's shelf stands; None for one that the book does not know."""
        skus = standing.catalog.skus
        if skus == self.skus:
            return [*self.on_shelves(standing.stock, standing.now.tick, standing.opened_with)]
        positions = (self._position.get(sku) for sku in skus)  # its day has another shelf than the book
        return [None if stock is None else self.full_shelves[stock] for stock in positions]

    @cached_property
    def full_shelves(self) -> list[OnShelf]:
        """How each product stands at opening where all are new and as many as there are to be."""
        return self.on_shelves(self._catalog.par_stock, 0, None)

    def day_of(self, sku: str, shelf: OnShelf, *, is_free: bool = False) -> PlannedDay | None:
        """Return the day of a product as planned, or as if no limit held; None where no model knows."""
        key = self._position[sku], shelf.keeps, is_free
        if key not in self._days:
            self._days[key] = self._planned(*key)
        return self._days[key]

    def compared(self, sku: str, shelf: OnShelf, proposed: float, now: float) -> Comparison | None:
        """Compare the plan that opens at a proposed price, EUR, with keeping the price now; None where unknown.

        A store that is being sold goes on by the plan. Where no price changes within the day, the proposed one stands.
        """
        key = self._position[sku], shelf, proposed, now
        if key not in self._held:
            self._held[key] = self._compared(self.day_of(sku, shelf), shelf, proposed, now)
        return self._held[key]

    def cost_of_waiting(self, sku: str, shelf: OnShelf, lowest: float, highest: float) -> float | None:
        """Return what the plan earns more than the plan between two prices, EUR until closing; None where unknown."""
        day = self.day_of(sku, shelf)
        if day is None:
            return None
        key = self._position[sku], shelf.keeps, lowest, highest
        if key not in self._bounded:  # stores ask for the same prices again and again
            self._bounded[key] = replace(day, prices=np.clip(day.prices, lowest, highest))
        place = shelf.stock, shelf.tick
        return day.by_plan(*place).worth - self._bounded[key].by_plan(*place).worth

    def of(
        self, sku: str, price: float, first_tick: int = 0, end_tick: int | None = None, shelf: OnShelf | None = None
    ) -> Consequence:
        """Return what a price, EUR, brings in the ticks from a first one to an end; by default on a full shelf."""
        ladder, p_sale = self.ladder(sku), self.p_sale(sku, price)
        shelf = shelf or self.full_shelves[self._position[sku]]
        day = self.day_of(sku, shelf)
        if day is None or p_sale is None:
            policy_price = self.opening_price(sku) if day is None else day.price_at(shelf.stock, shelf.tick)
            known = (None, None) if lies_on(ladder, price) else (float(ladder[0]), float(ladder[-1]))
            return Consequence(price, policy_price, p_sale, None, None, None, None, *known)
        span = first_tick, day.n_ticks if end_tick is None else end_tick
        place = shelf.stock, shelf.tick
        held, lost = day.within(price, *place, span), day.by_plan(*place).worth - day.holding(price, *place, span).worth
        amounts = held.units, held.revenue, held.profit, lost
        return Consequence(price, day.price_at(*place), p_sale, *amounts)

    def _compared(self, day: PlannedDay | None, shelf: OnShelf, proposed: float, now: float) -> Comparison | None:
        if day is None or not (day.demand.knows(proposed) and day.demand.knows(now)):
            return None
        place = shelf.stock, shelf.tick
        if self._catalog.store.guardrails.changes_per_day == 0:
            plan = day.holding(proposed, *place)
        else:
            plan = day.by_plan(*place) if shelf.tick else day.holding(proposed, *place, (0, 1))
        return Comparison(plan, day.holding(now, *place))

    def _planned(self, product: int, keeps: Keeps | None, is_free: bool) -> PlannedDay | None:  # noqa: FBT001
        visits, ladder = self._outlook.visits[product], self._outlook.curves.prices[product]
        gains, chances = self._sales[0][product], self._sales[1][..., product, :]
        demand = Demand(ladder, gains, np.broadcast_to(chances, (len(visits), len(ladder))), visits)
        prices, evening = self._plan(product, keeps, is_free)
        is_known = np.isfinite(chances).all() and demand.knows(prices.min()) and demand.knows(prices.max())
        if not is_known:
            return None
        cost, is_for_profit = self._catalog.unit_costs[product], self._catalog.store.policies.objective != "revenue"
        return PlannedDay(demand, np.ascontiguousarray(prices), evening, float(cost), is_for_profit)

    def _plan(self, product: int, keeps: Keeps | None, is_free: bool) -> tuple[Floats, Floats]:  # noqa: FBT001
        """Return the plan's prices, and what units left at closing are worth, by what keeps of the shelf."""
        levels = int(self._catalog.most_stock[product]) + 1
        planned = self._book.of(product)
        prices = (planned.unconstrained if is_free else planned.prices)[:levels]
        ahead, policy = self._outlook.start.ahead, self._outlook.policy if keeps is not None else None
        if ahead is None or keeps is None:
            return prices, np.zeros(levels)
        best = policy.day_over(product, self._date, keeps) if isinstance(policy, StockAwarePolicy) else None
        candidates = self._outlook.curves.prices if is_free else self._limited
        return prices if best is None else candidates[product, best], ahead[product].at_closing(self._date, keeps)


def outlook_of(
    lake: Lake, catalog: Catalog, book: BookInForce, date: dt.date | None = None, opened: OpenBook | None = None
) -> DayForecast:
    """Return the book in force on the catalog of now, ready to say what prices bring on a date; None is the book's.

    In another catalog than the printed book's, and for stores of a kind of their own, the book is worked out anew.
    `opened` is the book where it was opened already on that catalog.
    """
    opened, made_at = opened or OpenBook(catalog, book), book.book.published_at
    on, apart = date or made_at.date(), dict[str, DayForecast]()
    is_printed = catalog_of(lake, made_at.date()) == catalog.fingerprint

    def of_stores(store: str | None) -> DayForecast:
        outlook, printed = opened.day_start(store).outlook(), book.book
        if store is not None or not is_printed:
            printed = tabulate(outlook.policy, catalog, made_at, outlook.curves)
        return DayForecast(catalog, printed, outlook, on, apart if store is None else None)

    for stores in kinds_in(catalog, book):
        apart |= dict.fromkeys(stores, of_stores(stores[0]))
    return of_stores(None)


def with_forecast(
    catalog: Catalog,
    outlooks: Callable[[dt.date], DayForecast | None],
    terms: Terms,
    of: Callable[..., Consequence] = DayForecast.of,
) -> Terms:
    """Return terms with what is predicted of the first store day on which they hold, to be held against what came.

    The alternative of a proposal is the old price, and that of an override or a freeze the price that the policy opens
    with. A chance of sale is of one price while it stands, so it can be compared with the visits of any ticks.

    Terms of several products, base prices, and a proposal that changes nothing stay as they are.

    Parameters
    ----------
    outlooks
        What prices bring on a date; None without a book.
    """
    is_proposal = terms.kind == "price"
    if terms.sku is None or terms.new_price is None or (is_proposal and terms.old_price in {None, terms.new_price}):
        return terms
    clock = catalog.store.clock_of(terms.store)
    date = clock.date_of(terms.valid_from)
    outlook = outlooks(date)
    if outlook is None:
        return terms
    store_outlook, ticks = outlook.in_store(terms.store), clock.ticks_within(date, terms.valid_from, terms.valid_until)
    wanted = of(store_outlook, terms.sku, terms.new_price, *(ticks or (0, None)))
    alternative = terms.old_price if is_proposal and terms.old_price is not None else wanted.policy_price
    otherwise = of(store_outlook, terms.sku, alternative, *(ticks or (0, None)))
    gain = otherwise.cost if is_proposal else (None if wanted.cost is None else -wanted.cost)
    return replace(
        terms,
        expected_p_sale=wanted.p_sale,
        expected_units=wanted.units,
        expected_revenue=wanted.revenue,
        expected_profit=wanted.profit,
        expected_gain=gain,
        otherwise_price=alternative,
        otherwise_p_sale=otherwise.p_sale,
    )
