"""Where price books are kept: publish the newest, and find the one in force on a date.

The newest book whose bytes are proven is the last known good one, so pricing goes on when the registry is away
or a newer book is damaged.
"""

import datetime as dt
import hashlib

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.curves import DemandCurves, curves_from_table, curves_to_table
from serving.policies import policy_with_model
from serving.price_book import PriceBook, book_from_table, book_to_table, tabulate
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition

GROUP = "all"


def publish_book(lake: Lake, catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date) -> PriceBook:
    """Make and publish the price book of a business date and, before it, the demand curves it stands on.

    `visits` are the visits expected per store day, shape (n_products, n_ticks).
    """
    published_at = dt.datetime.combine(for_date, dt.time(), dt.UTC)
    book = tabulate(policy_with_model(catalog, curves, visits), catalog, published_at, curves)
    facts = (catalog.fingerprint, curves.model_version, curves.supported.tolist(), visits.tolist())
    inputs = hashlib.sha256(repr(facts).encode()).hexdigest()
    lake.publish(Partition("demand_curves", for_date, GROUP), curves_to_table(curves), inputs=inputs)
    lake.publish(Partition("price_book", for_date, GROUP), book_to_table(book), inputs=inputs)
    return book


def book_in_force(lake: Lake, on: dt.date | None = None) -> tuple[PriceBook, DemandCurves, str] | None:
    """Return the newest proven price book for a date or before, its curves, and its fingerprint; None without one."""
    made_for = [
        partition.business_date
        for partition in lake.partitions("price_book")
        if partition.business_date is not None and (on is None or partition.business_date <= on)
    ]
    for date in reversed(made_for):
        book, curves = Partition("price_book", date, GROUP), Partition("demand_curves", date, GROUP)
        if _is_proven(lake, book) and _is_proven(lake, curves):
            fingerprint = sha256_of(lake.path(book))
            return book_from_table(lake.read(book)), curves_from_table(lake.read(curves)), fingerprint
    return None


def _is_proven(lake: Lake, partition: Partition) -> bool:
    receipt = lake.receipt(partition)
    return receipt is not None and receipt.sha256 == sha256_of(lake.path(partition))
