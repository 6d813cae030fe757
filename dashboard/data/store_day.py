"""A store day as the Store page shows it: what stood on the shelf, what was earned, and which cards are seen."""

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from catalog.records.shoppers import Opening


@dataclass(frozen=True)
class Clock:
    """Turns ticks into local times of one business date of a store in a time zone."""

    business_date: dt.date
    opening: Opening
    time_zone: str = "UTC"

    def starts(self, tick: int) -> dt.datetime:
        """Return when a tick starts, in local time; it says UTC, as figures shift no time that does."""
        midnight = dt.datetime.combine(self.business_date, dt.time(), tzinfo=dt.UTC)
        return midnight + dt.timedelta(minutes=self.opening.opens_minute + tick * self.opening.tick_minutes)

    def time(self, tick: int) -> str:
        """Write when a tick starts: `10:15`."""
        return f"{self.starts(tick):%H:%M}"


class UnitsThatKeep(NamedTuple):
    """Units that may be sold on so many days, today included; on any day where that is None."""

    days_left: int | None
    units: int


OpenedWith = Mapping[str, Sequence[UnitsThatKeep]]
"""By sku, the oldest first."""


@dataclass(frozen=True)
class ProductNow:
    """One product at a moment.

    Attributes
    ----------
    sku, name, icon, category
        What it is; the icon may be empty, and so is the category of a product the shelf does not know.
    price, base_price
        EUR; the price is None before anything happened, the base price None for a product the shelf does not know.
    stock, par_stock
        Units now and after restocking; None when unknown.
    is_low
        Whether fewer units are left than the store calls low.
    units, revenue
        Sold since opening, in units and EUR.
    prices
        The price in each tick since opening, EUR.
    last_day
        Units on the shelf, at most, that may not be sold after closing; they are thrown away if nobody buys them.
    opened_with
        Units on the shelf at opening, the oldest first; empty where nobody knows how long they keep.
    """

    sku: str
    name: str
    icon: str
    price: float | None
    base_price: float | None
    stock: int | None
    par_stock: int | None
    is_low: bool
    units: int
    revenue: float
    prices: tuple[float, ...]
    category: str = ""
    last_day: int = 0
    opened_with: tuple[UnitsThatKeep, ...] = ()


@dataclass(frozen=True)
class DayNow:
    """A store day up to a tick.

    Attributes
    ----------
    revenue, units
        EUR and units sold since opening.
    mean_stock
        Units of a product, over the products whose stock is known; None when no stock is.
    sales
        EUR and units sold in each tick, columns `revenue_eur` and `count_units`.
    """

    tick: int
    revenue: float
    units: int
    mean_stock: float | None
    model_version: str | None
    products: tuple[ProductNow, ...]
    course: "Course"
    sales: pd.DataFrame


@dataclass(frozen=True)
class Course:
    """What stood on the shelf in each tick: prices in EUR and stock in units, one row a tick and one column a sku."""

    prices: pd.DataFrame
    stock: pd.DataFrame


def last_tick(events: pd.DataFrame) -> int:
    """Return the newest tick in which something happened; -1 when nothing did."""
    return int(events["tick"].max()) if len(events) else -1


def course_of(events: pd.DataFrame, through: int) -> Course:
    """Carry prices and stock forward over the ticks in which nothing happened.

    Parameters
    ----------
    events
        The rows of `shelf_by_tick`.
    through
        Last tick to show.
    """
    ticks = range(through + 1)
    until = events[events["tick"] <= through]
    prices = until.pivot(index="tick", columns="sku", values="price_eur")
    stock = until.pivot(index="tick", columns="sku", values="stock_after")
    return Course(prices.reindex(ticks).ffill(), stock.reindex(ticks).ffill())


def day_at(
    events: pd.DataFrame, shelf: pd.DataFrame, through: int, low_stock: int, opened_with: OpenedWith | None = None
) -> DayNow:
    """Sum a store day up to a tick.

    Parameters
    ----------
    events
        The rows of `shelf_by_tick`.
    shelf
        The rows of `shelf`; products that it does not know are shown by the name they were sold under.
    through
        Last tick to count.
    low_stock
        Stock below which a product is marked, units.
    opened_with
        Units, by sku, that were on the shelf at opening, where that is known.
    """
    until = events[events["tick"] <= through]
    course = course_of(events, through)
    sums = until.groupby("sku")[["count_units", "revenue_eur"]].sum()
    sold = {str(sku): sums_of_product for sku, sums_of_product in sums.to_dict(orient="index").items()}
    shown = {str(row["sku"]): row for row in shelf.to_dict(orient="records")}
    order = [*(sku for sku in shown if sku in sold), *(sku for sku in sold if sku not in shown)]
    names = until.dropna(subset="product_name").groupby("sku")["product_name"].last().to_dict()
    prices, stocks_of = _by_product(course.prices), _by_product(course.stock)
    products = tuple(
        _product(
            sku,
            names.get(sku, sku),
            sold[sku],
            shown.get(sku),
            (prices.get(sku, []), stocks_of.get(sku, [])),
            low_stock,
            tuple((opened_with or {}).get(sku, ())),
        )
        for sku in order
    )
    versions = until["model_version"].dropna()
    stocks = [product.stock for product in products if product.stock is not None]
    return DayNow(
        tick=through,
        revenue=float(sums["revenue_eur"].sum()),
        units=int(sums["count_units"].sum()),
        mean_stock=sum(stocks) / len(stocks) if stocks else None,
        model_version=str(versions.iloc[-1]) if len(versions) else None,
        products=products,
        course=course,
        sales=until.groupby("tick")[["revenue_eur", "count_units"]].sum().reindex(range(through + 1), fill_value=0),
    )


def _by_product(course: pd.DataFrame) -> dict[str, list[float]]:
    """Return what is known of each product, tick by tick; ticks before anything is known are left out."""
    values = course.to_numpy(dtype=float, na_value=np.nan).T
    return {str(sku): value[~np.isnan(value)].tolist() for sku, value in zip(course.columns, values, strict=True)}


def _product(
    sku: str,
    name: str,
    sold: Mapping[Hashable, Any],
    product: Mapping[Hashable, Any] | None,
    course: tuple[list[float], list[float]],
    low_stock: int,
    opened_with: tuple[UnitsThatKeep, ...],
) -> ProductNow:
    prices, stocks = course
    stock = int(stocks[-1]) if stocks else None
    last_day = sum(lot.units for lot in opened_with if lot.days_left == 1)
    return ProductNow(
        sku=sku,
        name=str(product["product_name"] if product is not None else name),
        icon=str(product["icon"]) if product is not None else "",
        price=prices[-1] if prices else None,
        base_price=float(product["base_price"]) if product is not None else None,
        stock=stock,
        par_stock=int(product["par_stock"]) if product is not None else None,
        is_low=stock is not None and stock < low_stock,
        units=int(sold["count_units"]),
        revenue=float(sold["revenue_eur"]),
        prices=tuple(prices),
        category=str(product["category"]) if product is not None else "",
        last_day=max(0, min(last_day - int(sold["count_units"]), last_day if stock is None else stock)),
        opened_with=opened_with,
    )


PAGE_SIZE = 24
"""Products on a page."""


@dataclass(frozen=True)
class ShelfChoice:
    """What was asked for; an empty text and category match every product, pages count from 1."""

    text: str = ""
    category: str | None = None
    page: int = 1


EVERYTHING = ShelfChoice()
"""The first page of the whole shelf."""


@dataclass(frozen=True)
class ShelfPage:
    """One page of the products that match: its number, the number of pages, and how many match on all of them."""

    products: tuple[ProductNow, ...]
    page: int
    pages: int
    found: int


def shelf_page(products: Sequence[ProductNow], choice: ShelfChoice) -> ShelfPage:
    """Return one page of the products that match, in the order of the shelf; a page beyond the last is the last."""
    wanted = choice.text.casefold().split()
    matching = [product for product in products if _matches(product, wanted, choice.category)]
    pages = max(1, -(-len(matching) // PAGE_SIZE))
    page = min(max(1, choice.page), pages)
    return ShelfPage(tuple(matching[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), page, pages, len(matching))


def _matches(product: ProductNow, wanted: Sequence[str], category: str | None) -> bool:
    """Tell whether each word is part of a product's name or sku."""
    text = f"{product.name} {product.sku}".casefold()
    return (not category or product.category == category) and all(word in text for word in wanted)
