"""The currency of a lake: that of its products, in which every amount in it stands."""

from catalog.currency import EUR, Currency, currency_of
from warehouse.lake import Lake, Partition

PRODUCTS = Partition("products", None, "all")


def currencies_in(lake: Lake) -> set[str]:
    """Return the codes that products in the lake have; a product from before there were any is in euros."""
    if lake.receipt(PRODUCTS) is None:
        return set()
    return {code or EUR.code for code in lake.read(PRODUCTS)["currency"].to_pylist()}


def money_of(lake: Lake) -> Currency:
    """Return the currency of a lake; euros while it holds no products."""
    return currency_of(min(currencies_in(lake), default=EUR.code))
