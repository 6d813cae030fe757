"""Which products of a shelf are looked at: those that match a text and a category, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.data.store_day import ProductNow

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
    found = [product for product in products if _matches(product, wanted, choice.category)]
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, choice.page), pages)
    return ShelfPage(tuple(found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]), page, pages, len(found))


def _matches(product: ProductNow, wanted: Sequence[str], category: str | None) -> bool:
    """Tell whether each word is part of a product's name or sku."""
    told = f"{product.name} {product.sku}".casefold()
    return (not category or product.category == category) and all(word in told for word in wanted)
