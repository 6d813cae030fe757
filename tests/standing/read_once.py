"""What has not changed is read once: an examiner asks the same lake the same things a hundred times for each state.

A partition is known by the SHA-256 of its receipt, a book by its partitions, a retailer's log by what the product
itself takes for its changes, and its shelf prices by that log and by the catalog. How these are read, and what damages
them, is tested beside each of them.
"""

import datetime as dt
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from catalog.load import Catalog
from plugins.own_store import shelf_price
from plugins.own_store.draws import drawn_prices, seller
from serving.book import store
from warehouse.checks.whole import parts_of_book
from warehouse.lake import Lake
from warehouse.origin import newest_closed


@contextmanager
def read_once() -> Iterator[None]:
    """Let everything in a block read the same bytes once."""
    with ExitStack() as patched:
        for owner, name, key in (
            (Lake, "read", lambda lake, part, *columns: (lake.root, part, lake.receipt(part), *columns)),
            (shelf_price, "_prices_by_day", lambda lake, last: (lake.root, last, shelf_price.changes_of_shelves(lake))),
            (seller, "regular_prices", _of_the_shelf),
            (drawn_prices, "regular_prices", _of_the_shelf),
            (store, "read_book", _of_the_book),
        ):
            patched.enter_context(patch.object(owner, name, _kept(getattr(owner, name), key)))
        yield


def _of_the_book(lake: Lake, date: dt.date) -> tuple[Hashable, ...]:
    return lake.root, *map(lake.receipt, parts_of_book(date))


def _of_the_shelf(lake: Lake, catalog: Catalog, before: dt.date | None = None) -> tuple[Hashable, ...]:
    """Return all that the last regular prices of a retailer's shelves follow from."""
    followed = catalog.store.stores, catalog.skus
    return lake.root, before, newest_closed(lake), shelf_price.changes_of_shelves(lake), *followed


def _kept(read: Callable[..., Any], key: Callable[..., Hashable]) -> Callable[..., Any]:
    """Return what reads, and keeps what it read with what it was asked, so that no id is given twice."""
    kept: dict[Hashable, tuple[Any, Any]] = {}

    def reading(*asked: Any, **how: Any) -> Any:
        name = key(*asked), *how.items()
        if name not in kept:
            kept[name] = asked, read(*asked, **how)
        return kept[name][1]

    return reading
