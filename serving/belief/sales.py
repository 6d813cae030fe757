"""What was sold at our own prices, by day and hour, shared out over the knots of each product's demand."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Floats, Ints
from serving.belief.gaussian import Counts, Knots

WEEKDAYS = 7
FIRST_OF_WEEKEND = 5


@dataclass(frozen=True)
class Sales:
    """What was sold in some days, one row per product, day, hour and knot, by product; n_rows rows.

    Attributes
    ----------
    dates
        The days, ascending.
    starts
        First row of each product, and the number of rows, shape (n_products + 1,).
    day, hour, knot
        Position of the day, of the hour and of the knot, shape (n_rows,).
    met, bought
        Visits that found the product on the shelf, and those that bought.
    n_hours
        Hour blocks of a day.
    """

    dates: tuple[dt.date, ...]
    starts: Ints
    day: Ints
    hour: Ints
    knot: Ints
    met: Floats
    bought: Floats
    n_hours: int

    @cached_property
    def product(self) -> Ints:
        """Position of each row's product."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def weekdays(self) -> Ints:
        """Weekday of each day, Monday is 0."""
        return np.array([date.weekday() for date in self.dates], dtype=np.int64)

    def of_products(self, chosen: Ints) -> "Sales":
        """Return the sales of some products, by their positions, in this order."""
        counts = np.diff(self.starts)[chosen]
        rows = np.concatenate([np.arange(self.starts[own], self.starts[own + 1]) for own in chosen])
        return Sales(
            self.dates,
            np.concatenate([[0], np.cumsum(counts)]),
            self.day[rows],
            self.hour[rows],
            self.knot[rows],
            self.met[rows],
            self.bought[rows],
            self.n_hours,
        )

    def at_knots(self, shape: tuple[int, int]) -> Counts:
        """Return the sales of all days together, shape (n_products, n_knots)."""
        cell = self.product * shape[1] + self.knot
        found = [np.bincount(cell, own, shape[0] * shape[1]).astype(float) for own in (self.met, self.bought)]
        return Counts(*(own.reshape(shape) for own in found))


def evenly_chosen(count: int, most: int) -> Ints:
    """Return positions of at most so many products of a shelf, evenly chosen, shape (n,)."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


@dataclass(frozen=True)
class SoldAtPrices:
    """Visits that found a product on the shelf, and those that bought, at any prices, EUR; arrays of shape (n_rows,).

    `day` and `hour` are positions, as in `Sales`.
    """

    product: Ints
    day: Ints
    hour: Ints
    price: Floats
    met: Floats
    bought: Floats


def sales_at_knots(knots: Knots, dates: tuple[dt.date, ...], n_hours: int, sold: SoldAtPrices) -> Sales:
    """Share sales at any prices out over the knots beside them."""
    (n_products, n_knots), order = knots.shape, np.argsort(sold.day, kind="stable")
    of_day = np.split(order, np.searchsorted(sold.day[order], np.arange(1, len(dates))))
    parts = [_at_knots_of_day(knots, n_hours, sold, own) for own in of_day]  # a day at a time: many days have millions
    cells, met, bought = (np.concatenate(own) for own in zip(*parts, strict=True))
    product, day = cells // (n_hours * n_knots), np.repeat(np.arange(len(parts)), [len(own) for own, _, _ in parts])
    rows = np.argsort(product, kind="stable")
    return Sales(
        dates,
        np.searchsorted(product[rows], np.arange(n_products + 1)),
        day[rows],
        cells[rows] // n_knots % n_hours,
        cells[rows] % n_knots,
        met[rows],
        bought[rows],
        n_hours,
    )


def _at_knots_of_day(knots: Knots, n_hours: int, sold: SoldAtPrices, own: Ints) -> tuple[Ints, Floats, Floats]:
    """Return the cells (product, hour and knot) of some rows that anybody met, ascending, how many did and bought."""
    below, share = knots.place(sold.product[own], sold.price[own])
    cell = (sold.product[own] * n_hours + sold.hour[own]) * knots.shape[1] + below
    cells, row = np.unique(np.concatenate([cell, cell + 1]), return_inverse=True)
    met, bought = (
        np.bincount(row, np.concatenate([counts * (1 - share), counts * share]), len(cells)).astype(float)
        for counts in (sold.met[own], sold.bought[own])
    )
    some = met > 0
    return cells[some], met[some], bought[some]
