"""The price that an announced reduction has to name, worked out when it is asked for and kept with it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from catalog.load import Catalog
from desk.price_changes.change import PriceChange, Terms
from desk.price_law.shown import StoreDecisions, prior_price_of
from warehouse.lake import Lake


def with_prior_price(
    lake: Lake,
    catalog: Catalog,
    terms: Terms,
    begins: dt.datetime,
    others: Sequence[PriceChange],
    decisions: StoreDecisions | None = None,
) -> Terms:
    """Return terms with the price that their announcement has to name; in several stores, the lowest of theirs.

    Parameters
    ----------
    begins
        When the reduction can begin: what is wanted from an earlier moment on looks back from there.
    decisions
        See `desk.price_law.shown.read_once`.
    """
    if not terms.announced or terms.sku is None or terms.new_price is None:
        return terms
    stores = catalog.store.stores if terms.store is None else (terms.store,)
    found = [
        prior_price_of(lake, catalog, (store, terms.sku), begins, terms.new_price, list(others), decisions).price
        for store in stores
    ]
    return replace(terms, prior_price=min((price for price in found if price is not None), default=None))
