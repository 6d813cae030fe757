"""One product on the shelf: its prices, which are in order and lose no money, and what its label says."""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from catalog.arrays import Flags
from catalog.currency import EUR, Currency
from catalog.records.deliveries import Deliveries
from catalog.records.fields import Cost, Name, Record, ShelfPrice, Sku
from catalog.records.shoppers import WEEKDAYS, Persona, Weekday, check_shares

Unit = Literal["g", "kg", "ml", "cl", "l", "m", "piece"]

_PRICED_BY: dict[Unit, tuple[str, float]] = {
    "g": ("kg", 1_000),
    "kg": ("kg", 1),
    "ml": ("l", 1_000),
    "cl": ("l", 100),
    "l": ("l", 1),
    "m": ("m", 1),
    "piece": ("piece", 1),
}
"""The unit that a price is told for, and how many of the measure's own make one."""

_EAN_DIGITS = (8, 12, 13, 14)


class Measure(Record):
    """How much one unit of a product holds."""

    amount: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    """how many of `unit`"""
    unit: Unit
    """g and kg are priced per kg, ml, cl and l per l, m and piece as they are"""

    def per_unit(self, price: float) -> tuple[float, str]:
        """Return the price of one kg, l, m or piece, EUR, and which of them it is."""
        unit, in_one = _PRICED_BY[self.unit]
        return price * in_one / self.amount, unit


def check_ean(number: str) -> str:
    """Return a number of the GS1 family (EAN-8, UPC-A, EAN-13 or GTIN-14).

    Raises
    ------
    ValueError
        When it has another length, holds something else than digits, or its last digit does not fit the others.
    """
    if not (number.isascii() and number.isdigit() and len(number) in _EAN_DIGITS):
        raise ValueError(f"expected an EAN of 8, 12, 13 or 14 digits in quotes, found {number!r}")
    digits = [int(digit) for digit in number]
    weighted = sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits[-2::-1]))
    expected = -weighted % 10
    if digits[-1] != expected:
        raise ValueError(f"expected {expected} as the check digit of EAN {number}, found {digits[-1]}; see the package")
    return number


FLOOR_RATIO = 0.7
CEILING_RATIO = 1.6
MOST_CHANCES = 10_000_000
MOST_STOCK = 30_000  # units; a price book tells them apart in 16 bits
_A_WEEK = len(WEEKDAYS)
_MOST_DAYS = 365
_NOISE = 1e-6  # smallest units, of decimals kept as binary
LEAST_CHANCES = 20  # of a day: with fewer, a chance of sale is no longer like a rate


class Product(Record):
    """One product on the shelf. Prices and cost in EUR, stock in units."""

    sku: Sku
    """stock-keeping unit, unique on the shelf"""
    name: Name
    """name for people"""
    category: Name
    """group of products"""
    brand: Name | None = None
    """who makes it; products of a brand are believed to sell alike until sales tell them apart, as are those of the
    same `category`, `tier` and `tags`, and of the same size"""
    tier: Name | None = None
    """its place among products of its category, such as `value`, `standard` or `premium`"""
    tags: tuple[Name, ...] = Field(default=(), strict=False)
    """anything else that may tell how it sells, such as `organic`"""
    icon: str = ""
    """one character that the monitor shows for it"""
    base_price: ShelfPrice
    """usual price, EUR, whole cents (in another `currency` whole smallest units)"""
    unit_cost: Cost
    """cost of one unit, EUR; 0 when it is not known; no `floor_price` may be below it"""
    floor_price: ShelfPrice | None = Field(
        default=None,
        description=f"lowest price that may be shown, EUR; null is {FLOOR_RATIO} x `base_price`, at least `unit_cost`",
    )
    ceiling_price: ShelfPrice | None = Field(
        default=None, description=f"highest price that may be shown, EUR; null is {CEILING_RATIO} x `base_price`"
    )
    par_stock: int = Field(default=100, ge=1, le=MOST_STOCK)
    """units on the shelf after restocking, before each opening"""
    shelf_life_days: int | None = Field(default=None, ge=1, le=_MOST_DAYS)
    """days on which a unit may be sold, that of its delivery included; what is left then is thrown away at closing;
    null keeps for ever"""
    deliveries: Deliveries | None = None
    """when it is delivered and how much, below; what is not sold stays on the shelf; null is every day up to
    `par_stock`, and without `shelf_life_days` the shelf is simply full at each opening"""
    disposal_cost: Cost = 0.0
    """cost of throwing one unit away, beside what it cost to buy, EUR"""
    holding_cost: Cost = 0.0
    """cost of keeping one unit for one night, EUR"""
    most_units_per_day: int | None = Field(default=None, ge=1, le=MOST_CHANCES)
    """units that a store could sell on a day if everyone bought: what a retailer's units are counted against; null is
    `par_stock`, at least 20"""

    substitutes_with: tuple[Sku, ...] = Field(default=(), strict=False)
    """products of the same category that a shopper may take instead of it, by sku; said of one, it holds for both"""
    personas: tuple[Persona, ...] = Field(default=(), strict=False)
    """segments of this product's shoppers in the twin, each with the fields of the store's `personas`; none is the
    store's"""
    measure: Measure | None = None
    """how much one unit holds, for the price per kg or l on its label, such as `{amount: 1.0, unit: l}`; units are g,
    kg, ml, cl, l, m and piece"""
    ean: str | None = None
    """its number at the till, for its label: 8, 12, 13 or 14 digits in quotes, the last one checks the others"""

    @property
    def chances_per_day(self) -> int:
        """Chances to sell one unit that a whole day in a store stands for, where nobody counted shoppers."""
        return self.most_units_per_day or max(LEAST_CHANCES, self.par_stock)

    @property
    def measured(self) -> tuple[float, str]:
        """How much one unit holds, and of which unit that prices are told for: 0.5 of l; a piece without a measure."""
        if self.measure is None:
            return 1.0, "piece"
        per_unit, unit = self.measure.per_unit(1.0)
        return 1 / per_unit, unit

    @property
    def lives_on(self) -> bool:
        """Whether unsold units are there the next day, or are thrown away: the shelf is not simply full each day."""
        return self.shelf_life_days is not None or self.deliveries is not None

    @property
    def delivered(self) -> Deliveries:
        """Its deliveries: every day, where nothing else is said."""
        return self.deliveries or Deliveries()

    def units_a_day(self, closed: tuple[Weekday, ...] = ()) -> float:
        """Return how many units a day's orders bring a store, as if what is ordered sells.

        An order up to par lasts until the delivery after it and one day more, where the units keep as long. `closed`
        are weekdays on which no store opens.
        """
        if not self.lives_on:
            return float(self.par_stock)
        open_days, deliveries = max(_A_WEEK - len(closed), 1), max(len(self.delivered.days(closed)), 1)
        if self.delivered.quantity is not None:
            return self.delivered.quantity * deliveries / open_days
        lasts = open_days / deliveries + self.delivered.lead_time_days
        return self.par_stock / min(lasts, self.shelf_life_days or lasts)

    @property
    def most_stock(self) -> int:
        """Most units that are ever on the shelf."""
        quantity = None if self.deliveries is None else self.deliveries.quantity
        if quantity is None or self.shelf_life_days is None:
            return self.par_stock
        return max(self.par_stock, quantity * self.delivered.most_within(self.shelf_life_days))

    @property
    def floor(self) -> float:
        """Lowest price that may be shown, EUR."""
        return self.limits_in(EUR)[0]

    @property
    def ceiling(self) -> float:
        """Highest price that may be shown, EUR."""
        return self.limits_in(EUR)[1]

    def limits_in(self, money: Currency) -> tuple[float, float]:
        """Return floor and ceiling, EUR; those by default are prices of a currency around the base price.

        A default floor covers the cost of a unit.
        """
        base, floor, ceiling = self.base_price, self.floor_price, self.ceiling_price
        if floor is None:
            covered = math.ceil(self.unit_cost * money.scale - _NOISE) / money.scale
            floor = min(base, max(round(FLOOR_RATIO * base, money.digits), covered, money.smallest))
        if ceiling is None:
            ceiling = max(base, round(CEILING_RATIO * base, money.digits))
        return floor, ceiling

    @field_validator("ean")
    @classmethod
    def _is_an_ean(cls, ean: str | None) -> str | None:
        return None if ean is None else check_ean(ean)

    @field_validator("personas")
    @classmethod
    def _shares_add_up(cls, personas: tuple[Persona, ...]) -> tuple[Persona, ...]:
        if personas:
            check_shares(personas)
        return personas

    @model_validator(mode="after")
    def _stock_is_described(self) -> "Product":
        for field, remedy in (("disposal_cost", "shelf_life_days"), ("holding_cost", "shelf_life_days or deliveries")):
            if getattr(self, field) and not self.lives_on:
                raise ValueError(
                    f"{field} {getattr(self, field)} of {self.sku} would never be paid: its shelf is full at each "
                    f"opening whatever was left; give it {remedy}, or leave {field} out"
                )
        if self.disposal_cost and self.shelf_life_days is None:
            raise ValueError(
                f"disposal_cost {self.disposal_cost} of {self.sku} would never be paid: without shelf_life_days it "
                "keeps for ever; give it shelf_life_days, or leave disposal_cost out"
            )
        if self.delivered.quantity is not None and self.shelf_life_days is None:
            raise ValueError(
                f"deliveries: quantity {self.delivered.quantity} of {self.sku} comes whatever is left, so its stock "
                "could grow without end: give it shelf_life_days, or leave quantity out to order up to par_stock"
            )
        if self.most_stock > MOST_STOCK:
            raise ValueError(
                f"deliveries: quantity {self.delivered.quantity} of {self.sku} for {self.shelf_life_days} days is "
                f"{self.most_stock} units on the shelf, expected at most {MOST_STOCK}; lower quantity or "
                "shelf_life_days"
            )
        return self

    @model_validator(mode="after")
    def _prices_are_in_order(self) -> "Product":
        """Refuse prices that contradict each other; the message names fields that were written, no default."""
        base, floor, ceiling, cost = self.base_price, self.floor_price, self.ceiling_price, self.unit_cost
        if floor is not None and ceiling is not None and floor > ceiling:
            raise ValueError(f"floor_price {floor} of {self.sku} is above its ceiling_price {ceiling}")
        if floor is not None and floor < cost:
            raise ValueError(
                f"floor_price {floor} of {self.sku} is below its unit_cost {cost}: every sale there loses money"
            )
        if floor is not None and base < floor:
            raise ValueError(f"base_price {base} of {self.sku} is below its floor_price {floor}")
        if ceiling is not None and base > ceiling:
            raise ValueError(f"base_price {base} of {self.sku} is above its ceiling_price {ceiling}")
        if base < cost:
            raise ValueError(f"base_price {base} of {self.sku} is below its unit_cost {cost}: every sale loses money")
        return self


def substitute_conflicts(products: Sequence[Product]) -> Iterator[str]:
    """Yield substitutes that cannot be, each as `products[i].substitutes_with: what was found and what to do`."""
    category = {product.sku: product.category for product in products}
    for position, product in enumerate(products):
        for sku in product.substitutes_with:
            if sku == product.sku:
                why = "is the product itself; name others of its category"
            elif sku not in category:
                why = "is not on the shelf; name products of products.yaml"
            elif category[sku] != product.category:
                why = f"is of category {category[sku]!r}, and {product.sku} of {product.category!r}; name one of that"
            else:
                continue
            yield f"products[{position}].substitutes_with: {sku!r} {why}"


def substitutes_among(products: Sequence[Product]) -> Flags:
    """Return which products a shopper may take instead of which, both ways, shape (n_products, n_products)."""
    position = {product.sku: place for place, product in enumerate(products)}
    named = np.zeros((len(products), len(products)), dtype=np.bool_)
    for place, product in enumerate(products):
        named[place, [position[sku] for sku in product.substitutes_with]] = True
    return np.asarray(named | named.T)
