"""Which policy prices a date: the price book in force, or base prices where there is none or the kill switch is on."""

import datetime as dt

import pyarrow as pa

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.priced_by import PricedBy
from serving.belief.policy import morning_of
from serving.belief.table import belief_from_table
from serving.book_store import book_in_force
from serving.cold_start import match_to_shelf
from serving.curves import DemandCurves
from serving.policies import GreedyPolicy, costs_that_count
from serving.price_book.book import PriceBook
from serving.storefront import (
    storefront_at_base_prices,
    storefront_before_champion,
    storefront_that_learns,
    storefront_with_book,
    storefront_with_model,
)
from warehouse.lake import Lake


def pricing_on(lake: Lake, catalog: Catalog, date: dt.date, name: str | None = None) -> PricedBy:
    """Return the policy that prices a date, with its exploration and its guardrails.

    Under the kill switch no book is read: base prices stand whatever state the books are in.

    Parameters
    ----------
    name
        `static`, `rule` or `greedy` in place of what is in force.

    Raises
    ------
    DataError
        When `greedy` is asked for and no price book is in force.
    """
    if catalog.store.guardrails.kill_switch:
        return PricedBy(storefront_at_base_prices(catalog), "kill_switch")
    if name not in {"static", "rule"}:
        found = book_in_force(lake, date)
        if found is not None:
            return pricing_by_book(catalog, *found, is_greedy=name == "greedy")
        if name == "greedy":
            raise DataError(
                f"expected a price book for {date} or before, found none; run `shelfprice train` and `shelfprice price`"
            )
    without = storefront_before_champion(catalog, name)
    return PricedBy(without, without.name)


def pricing_by_book(
    catalog: Catalog,
    book: PriceBook,
    curves: DemandCurves,
    sha256: str,
    belief: pa.Table | None = None,
    *,
    is_greedy: bool = False,
) -> PricedBy:
    """Return the policy that sells from a price book, or from its curves alone by `greedy`.

    With the belief behind the book its prices are corrected during the day.
    """
    made_for = book.published_at.date()
    if belief is not None and not is_greedy:
        learning = storefront_that_learns(catalog, morning_of(catalog, *belief_from_table(belief, catalog)))
        return PricedBy(learning, f"{learning.name}:{sha256}", made_for, sha256)
    book, curves = match_to_shelf(catalog, book, curves)
    if is_greedy:
        store = storefront_with_model(catalog, GreedyPolicy(curves, costs_that_count(catalog)), curves)
    else:
        store = storefront_with_book(catalog, book, curves)
    return PricedBy(store, f"{store.name}:{sha256}", made_for, sha256)
