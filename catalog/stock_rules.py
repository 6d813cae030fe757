"""How the stock of a shelf lives: how long units keep, when they are delivered, and what unsold ones cost.

Units are counted by the days on which they may still be sold: column i of an array by life holds those with i + 1 days
left, today included, and the last column those that keep for ever.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.currency import Currency
from catalog.records.product import Product
from catalog.records.shoppers import WEEKDAYS, Weekday

_A_WEEK = 7


@dataclass(frozen=True)
class StockRules:
    """The stock of some products over days. Arrays have shape (n_products,) where nothing else is said."""

    products: tuple[Product, ...]
    closed_days: tuple[Weekday, ...] = ()

    @cached_property
    def lives_on(self) -> Flags:
        """Whether unsold units are there the next day or are thrown away; the shelf of others is simply full."""
        return np.array([product.lives_on for product in self.products])

    @cached_property
    def columns(self) -> int:
        """Columns of an array by life."""
        return max((product.shelf_life_days or 0 for product in self.products), default=0) + 1

    @cached_property
    def newest(self) -> Ints:
        """Column of a unit on the day of its delivery."""
        return np.array([(product.shelf_life_days or self.columns) - 1 for product in self.products])

    @cached_property
    def par(self) -> Ints:
        """Units up to which an order fills the shelf."""
        return np.array([product.par_stock for product in self.products])

    @cached_property
    def quantity(self) -> Ints:
        """Units of each delivery; 0 where an order fills the shelf up to par."""
        return np.array([product.delivered.quantity or 0 for product in self.products])

    @cached_property
    def lost_with_a_unit(self) -> Floats:
        """What a unit that is thrown away costs: what it was bought for, and its disposal, EUR."""
        return np.array([product.unit_cost + product.disposal_cost for product in self.products])

    @cached_property
    def holding_costs(self) -> Floats:
        """Cost of keeping one unit for one night, EUR."""
        return np.array([product.holding_cost for product in self.products])

    def is_delivered_on(self, date: dt.date) -> Flags:
        """Tell which products are delivered before the opening of a date."""
        return self._by_weekday[date.weekday()]

    def is_ordered_after(self, date: dt.date) -> Flags:
        """Tell of which products an order that fills the shelf is made at the closing of a date."""
        ordered = [
            product.delivered.quantity is None and (date.weekday() + product.delivered.lead_time_days) % _A_WEEK in days
            for product, days in zip(self.products, self._days, strict=True)
        ]
        return np.array(ordered) & self.lives_on

    def days_to_delivery(self, date: dt.date) -> Ints:
        """Return the days from a date to the next delivery after it, at least 1."""
        return self._days_ahead[date.weekday()]

    @cached_property
    def _days_ahead(self) -> list[Ints]:
        """Days from each weekday to the next delivery."""
        return [
            np.array([min((day - today - 1) % _A_WEEK + 1 for day in days) for days in self._days])
            for today in range(_A_WEEK)
        ]

    @cached_property
    def _days(self) -> list[tuple[int, ...]]:
        """Weekdays on which each product is delivered, 0 for Monday."""
        return [product.delivered.days(self.closed_days) for product in self.products]

    @cached_property
    def _by_weekday(self) -> list[Flags]:
        return [np.array([day in days for days in self._days]) for day in range(_A_WEEK)]


def fate_of_unsold(product: Product, money: Currency, closed_days: tuple[Weekday, ...]) -> str:
    """Say what happens to a unit that nobody buys; nothing of a product whose shelf is simply full at each opening."""
    if not product.lives_on:
        return ""
    cost = (
        f"it cost {money.format_money(product.unit_cost)} and {money.format_money(product.disposal_cost)} to dispose of"
    )
    days, named = product.delivered.days(closed_days), ", ".join
    when = "every day" if len(days) == _A_WEEK else f"on {named(WEEKDAYS[day] for day in days)}"
    how_much = f"{product.delivered.quantity} units" if product.delivered.quantity else f"up to {product.par_stock}"
    if product.shelf_life_days == 1:
        return f"What nobody buys today is thrown away at closing: {cost}. It is delivered {when}, {how_much}."
    kept = "What nobody buys today stays on the shelf"
    if product.shelf_life_days is not None:
        kept += f"; {product.shelf_life_days} days after its delivery it is thrown away: {cost}"
    return f"{kept}. It is delivered {when}, {how_much}."


def delivery_conflicts(products: Sequence[Product], closed_days: tuple[Weekday, ...]) -> Iterator[str]:
    """Yield deliveries that cannot be, each as `sku: field: what was found and what to do`."""
    for product in products:
        if product.deliveries is None:
            continue
        for day in product.deliveries.weekdays:
            if day in closed_days:
                yield (
                    f"{product.sku}: deliveries: weekdays: {day!r} is one of the closed_days of store.yaml; name days "
                    "on which the stores open"
                )
                return
        gap, lead = product.deliveries.shortest_gap(closed_days), product.deliveries.lead_time_days
        if lead > gap:
            yield (
                f"{product.sku}: deliveries: lead_time_days: expected at most {gap}, the fewest days between two of "
                f"its deliveries, found {lead}: one order is under way at a time; shorten it, or name weekdays that "
                "are further apart"
            )
