"""A small model of what holds in a store, written apart from the product: whole cents, plain loops, its own memory.

It is told what was done and when, and what a policy wants; it asks nothing of the product.
"""

import datetime as dt
import math
from dataclasses import dataclass, field

STRONGEST_LAST = ("override", "freeze", "kill_switch")


def cents(price: float) -> int:
    """Return a price in whole cents."""
    return round(price * 100)


def up(price: float) -> int:
    """Return the lowest whole cents that are not below a price."""
    return math.ceil(round(price * 100, 6))


def down(price: float) -> int:
    """Return the highest whole cents that are not above a price."""
    return math.floor(round(price * 100, 6))


@dataclass
class Product:
    """What the catalog says of a product now, EUR."""

    base: float
    cost: float
    floor: float
    ceiling: float
    frozen: float | None = None


@dataclass
class Order:
    """What a person ordered: from when it counts in each store, and from when it no longer does."""

    number: int
    kind: str
    sku: str | None
    store: str | None
    price: float | None
    starts: dt.datetime | None
    ends: dt.datetime | None
    counts: dict[str, dt.datetime]
    accepted: float | None
    withdrawn: dict[str, dt.datetime] = field(default_factory=dict)

    def holds(self, store: str, sku: str, now: dt.datetime) -> bool:
        """Tell whether it holds for a product in a store at a moment."""
        if self.store not in {None, store} or self.sku not in {None, sku} or store not in self.counts:
            return False
        if now < max(self.counts[store], self.starts or self.counts[store]):
            return False
        is_over = self.ends is not None and now >= self.ends
        return not is_over and not (store in self.withdrawn and now >= self.withdrawn[store])


@dataclass
class Proposal:
    """What a policy proposed for a store, product and date, and what became of it."""

    old: float | None
    new: float
    approved_from: dt.datetime | None = None
    rejected: bool = False
    withdrawn: bool = False


@dataclass
class Model:
    """What the model remembers."""

    products: dict[str, Product]
    margin: float = 0.0
    within_base: float | None = None
    within_yesterday: float | None = None
    kill_in_file: bool = False
    orders: list[Order] = field(default_factory=list)
    proposals: dict[tuple[dt.date, str, str], Proposal] = field(default_factory=dict)
    opened: dict[tuple[str, str], float] = field(default_factory=dict)
    """Middle price of a store's newest day that is over, EUR."""
    usual: dict[tuple[str, str], float] = field(default_factory=dict)
    """A retailer's regular shelf price, which stands in place of the base price, EUR."""

    @property
    def asks_for_approval(self) -> bool:
        """Whether some price may wait for a person."""
        return self.within_base is not None or self.within_yesterday is not None

    def order_of(self, store: str, sku: str, now: dt.datetime) -> Order | None:
        """Return the strongest order that holds."""
        holding = [order for order in self.orders if order.holds(store, sku, now)]
        return max(holding, key=lambda own: (STRONGEST_LAST.index(own.kind), own.number), default=None)

    def is_peoples(self, store: str, sku: str, now: dt.datetime) -> bool:
        """Tell whether a price stands whatever a policy wants."""
        is_frozen = self.products[sku].frozen is not None
        return self.kill_in_file or is_frozen or self.order_of(store, sku, now) is not None

    def price(self, store: str, sku: str, date: dt.date, now: dt.datetime, want: float) -> float:
        """Return the price that stands, EUR, where the policy wants another one."""
        product = self.products[sku]
        base = self.usual.get((store, sku), product.base)
        if self.kill_in_file:
            return base
        least = max(up(product.floor), up(product.cost * (1 + self.margin)))
        most, price = down(product.ceiling), cents(want)
        if (store, sku) not in self.usual:  # a store's own price needs nobody's leave
            price = self._approved(store, sku, date, now, price, (least, most))
        if product.frozen is not None:
            price = cents(product.frozen)
        order = self.order_of(store, sku, now)
        if order is not None and order.kind == "kill_switch":
            return base
        if order is not None:
            assert order.price is not None
            price = cents(order.price)
        price = min(price, most)
        is_accepted = order is not None and order.accepted is not None
        if not (is_accepted and cents(order.accepted) >= up(product.cost * (1 + self.margin))):  # type: ignore[union-attr, arg-type]
            price = max(price, least)
        return price / 100

    def _approved(
        self, store: str, sku: str, date: dt.date, now: dt.datetime, price: int, bounds: tuple[int, int]
    ) -> int:
        proposal = self.proposals.get((date, store, sku))
        if not self.asks_for_approval:
            stands = proposal is not None and proposal.rejected and proposal.old is not None
            window = (cents(proposal.old), cents(proposal.old)) if stands else None  # type: ignore[union-attr, arg-type]
        else:
            window = self.passing(store, sku)
            if proposal is not None:
                passes = window
                is_declined = (proposal.rejected or proposal.withdrawn) and proposal.old is not None
                window = (cents(proposal.old), cents(proposal.old)) if is_declined else passes  # type: ignore[arg-type]
                if proposal.approved_from is not None and now >= proposal.approved_from and not proposal.withdrawn:
                    window = min(passes[0], cents(proposal.new)), max(passes[1], cents(proposal.new))
        least, most = bounds
        bounded = max(min(price, most), least)
        if window is None or window[0] <= bounded <= window[1]:
            return price
        return max(window[0], min(bounded, window[1]))

    def passing(self, store: str, sku: str) -> tuple[int, int]:
        """Return the lowest and the highest price that passes by itself, cents."""
        product = self.products[sku]
        old = self.opened.get((store, sku), product.base)
        low, high = max(up(product.floor), up(product.cost * (1 + self.margin))), down(product.ceiling)
        for center, share in ((old, self.within_yesterday), (product.base, self.within_base)):
            if share is not None:
                low, high = max(low, up(center * (1 - share))), min(high, down(center * (1 + share)))
        if low > high:
            return cents(old), cents(old)
        return low, high
