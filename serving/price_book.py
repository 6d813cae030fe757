"""What a price book holds, and how a price is looked up in it."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Grown, Ints
from catalog.errors import DataError
from serving.limited_steps import Limited
from serving.price_steps import Steps, by_product, pieces, shown
from serving.single_price import Addresses, PriceAt, addresses_of, compiled_price_at, prices_at

_BEGINS = "first_step", "first", "chance_from", "asked_from"  # where pieces begin


class BookedPrice(NamedTuple):
    """What a book holds for one product in one state: prices, revenue and values in EUR.

    `unit_value` is None where the policy does not value stock.
    """

    sku: str
    stock: int
    ticks_left: int
    price: float
    p_sale: float
    expected_revenue: float
    unit_value: float | None
    binding_rule: str
    model_version: str | None


class BookedStates(NamedTuple):
    """What a book holds in some states, as in `PriceBook`; `unit_value` is in EUR, NaN where stock is not valued."""

    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    p_unconstrained: Floats
    unit_value: Floats
    rule: NDArray[np.int16]
    policy_rule: NDArray[np.int16]


@dataclass(frozen=True)
class PriceBook:
    """Prices by product, stock and time, as steps: see `serving.price_steps`.

    A stock above a product's par has the answer at par.

    Attributes
    ----------
    n_ticks
        Ticks of the day that it prices, up to closing.
    prices
        Price to show under the static limits, EUR, shape (n_steps,).
    rule, policy_rule
        Index into `rules`: the last limit that changed the price, else the policy's rule; and the policy's rule.
    chance_from
        Where the chances of each step begin, and where the last ones end, shape (n_steps + 1,): one of each step, or
        one for each tick.
    p_sale
        Chance of sale at the price; 0 with an empty shelf, NaN where nobody knows, shape (n_chances,).
    limited
        What the policy asked for in the steps that have another price than that.
    """

    skus: tuple[str, ...]
    par_stock: Ints
    n_ticks: int
    steps: Steps
    prices: Floats
    rule: NDArray[np.int16]
    policy_rule: NDArray[np.int16]
    chance_from: NDArray[np.int32]
    p_sale: Floats
    limited: Limited
    rules: tuple[str, ...]
    policy: str
    model_version: str
    published_at: dt.datetime

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each sku."""
        return {sku: position for position, sku in enumerate(self.skus)}

    @cached_property
    def _places(self) -> Addresses:
        """Where a single price is looked up."""
        own: tuple[Any, ...] = self.steps
        kinds: tuple[Any, ...] = (np.int64, np.int64, *[own.dtype for own in self.steps[2:6]], np.float64)
        rest = (self.prices, np.float64), (self.rule, np.int16), (self.chance_from, np.int32), (self.p_sale, np.float64)
        return addresses_of([*zip(own, kinds, strict=True), *rest])

    @cached_property
    def _at_hand(self) -> tuple[Callable[[str], int | None], PriceAt, int, tuple[str, ...], int]:
        """What one quote needs, looked up once: the position of a sku, how and where prices are found, rules, ticks."""
        return self.positions.get, compiled_price_at(), self._places.place, self.rules, self.n_ticks

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone, for a book that is sent."""
        return {own.name: getattr(self, own.name) for own in fields(self)}

    @property
    def n_levels(self) -> int:
        """Stock levels up to the highest par, 0 included."""
        return int(self.par_stock.max()) + 1

    def at(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> BookedStates:
        """Look many states up at once, in the shape of the arguments."""
        return self._booked(*self.steps.found(product, stock, ticks_left))

    @cached_property
    def opening(self) -> BookedStates:
        """What each product has on a full shelf with all ticks left, shape (n_products,)."""
        return self._booked(*self.steps.at_opening())

    def _booked(self, step: Ints, since: Ints, unit_value: Floats) -> BookedStates:
        prices = self.prices[step]
        p_sale = self.p_sale[np.minimum(self.chance_from[step] + since, self.chance_from[step + 1] - 1)]
        unconstrained, p_unconstrained = self.limited.before_limits(step, since, prices, p_sale)
        return BookedStates(
            prices,
            unconstrained,
            p_sale,
            p_unconstrained,
            unit_value,
            self.rule[step],
            self.policy_rule[step],
        )

    def of(self, products: Ints | int | slice = slice(None)) -> BookedStates:
        """Return all states of some products, shape (..., n_levels, n_ticks); position t has t + 1 ticks left."""
        own = np.arange(len(self.skus))[products]
        return self.at(own[..., None, None], np.arange(self.n_levels)[:, None], np.arange(1, self.n_ticks + 1))

    def shown(self, products: Ints | slice = slice(None)) -> Floats:
        """Return the prices of all states of some products alone, EUR, shape (n_products, n_levels, n_ticks)."""
        own = np.arange(len(self.skus))[products]
        return np.asarray(shown(self.steps, self.prices, own, self.n_levels, self.n_ticks))

    def quote(self, sku: str, stock: int, ticks_left: int) -> BookedPrice:
        """Look up one price.

        Raises
        ------
        DataError
            When the book does not hold the product, or stock or time cannot be.
        """
        product_of, price_at, place, rules, n_ticks = self._at_hand
        product = product_of(sku)
        if product is None:
            raise DataError(
                f"the price book made for {self.published_at:%Y-%m-%d} does not hold {sku!r}; price it again"
            )
        if stock < 0 or not 1 <= ticks_left <= n_ticks:
            raise DataError(
                f"expected a stock of at least 0 and 1 to {n_ticks} ticks left, "
                f"found {stock} units and {ticks_left} ticks"
            )
        price, chance, rule, value = price_at(place, product, stock, ticks_left)
        known = None if math.isnan(value) else value
        fields = sku, stock, ticks_left, price, chance, price * chance, known, rules[rule], self.model_version
        return tuple.__new__(BookedPrice, fields)  # to name nine fields takes a tenth of a quote

    def quotes(self, product: Ints, stock: Ints, ticks_left: Ints) -> tuple[Floats, Floats]:
        """Look up many prices at once: prices (EUR) and chances of sale, in the shape of the arguments."""
        prices, chances = by_product(partial(prices_at, self._places.place), product, stock, ticks_left)
        return prices, chances

    def take(self, products: Ints) -> "PriceBook":
        """Return the book of some products, in this order."""
        steps, own = self.steps.take(products)
        chance_from, chances = pieces(self.chance_from, own)
        return replace(
            self,
            skus=tuple(self.skus[product] for product in products.tolist()),
            par_stock=self.par_stock[products],
            steps=steps,
            chance_from=chance_from,
            p_sale=self.p_sale[chances],
            limited=self.limited.take(own),
            **{name: getattr(self, name)[own] for name in ("prices", "rule", "policy_rule")},
        )


def joined(books: Iterable[PriceBook]) -> PriceBook:
    """Return one book of the products of several, which are of one policy and day.

    They are taken one after another, and none of them is kept: what they hold grows in place.
    """
    grown, skus, rules, n_steps = defaultdict[str, Grown](Grown), list[str](), dict[str, int](), 0
    for book in books:
        place = np.array([rules.setdefault(rule, len(rules)) for rule in book.rules], dtype=np.int16)
        limited = book.limited.after(n_steps)._asdict()
        own, n_steps = book.__getstate__() | book.steps._asdict() | limited, n_steps + len(book.prices)
        own |= {name: place[own[name]] for name in ("rule", "policy_rule")}
        for name, values in own.items():
            if name in _BEGINS:
                grown[name].add_begins(values)
            elif isinstance(values, np.ndarray):
                grown[name].add(values)
        skus.extend(book.skus)
    whole: dict[str, Any] = {name: own.cut() for name, own in grown.items()}
    steps = Steps(**{name: whole.pop(name) for name in Steps._fields})
    limits = Limited(**{name: whole.pop(name) for name in Limited._fields})
    return replace(book, skus=tuple(skus), steps=steps, limited=limits, rules=tuple(rules), **whole)
