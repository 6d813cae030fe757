"""What a retailer's exported sales tell the engine. Implements `serving.evidence.Evidence`.

A product moves on exported decisions alone only where its response can be told from other causes, and by that response.
Any other product keeps the regular price of its store until the store has explored prices of its own.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from features.response import PriceResponse, observed_prices, own_prices, slopes_of
from own_data import small_steps
from own_data.exported import exported_cells, holds_exported, stored_responses
from own_data.price_response.decide import price_responses
from own_data.shelf_price import changes_of_shelves, shelf_prices
from serving.curves import DemandCurves
from serving.evidence import AskedCurves, Evidence, OwnPrices, ShelfPrices
from serving.price_book import PriceBook
from serving.shelf_limits import with_support
from warehouse.lake import Lake
from warehouse.proof import Span


class ExportedSales(Evidence):
    """What exported sales say. Prices in EUR."""

    def changes_of_shelves(self, lake: Lake) -> tuple[object, ...]:
        """See `own_data.shelf_price.changes_of_shelves`."""
        return changes_of_shelves(lake)

    def shelf_prices(self, lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
        """See `own_data.shelf_price.shelf_prices`."""
        return shelf_prices(lake, catalog, before)

    def own_prices_under(self, lake: Lake, catalog: Catalog, date: dt.date, book_of: dt.date) -> OwnPrices | None:
        """See `own_data.small_steps.own_prices_under`."""
        return small_steps.own_prices_under(lake, catalog, date, book_of)

    def holds_exported(self, connection: duckdb.DuckDBPyConnection, after: dt.date, through: dt.date) -> bool:
        """See `own_data.exported.holds_exported`."""
        return holds_exported(connection, after, through)

    def supported(self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, asked: AskedCurves) -> DemandCurves:
        """Let a product that was sold at exported prices alone move in small steps by its told response, or not."""
        observed = observed_prices(connection, catalog, asked.through, asked.learned_from)
        own = own_prices(connection, catalog, asked.through, asked.learned_from)
        was_tried = own[:, 1] > own[:, 0]
        told = slopes_of(_responses_of(connection, catalog, asked), catalog.skus)
        told = replace(told, slope=np.where(was_tried, np.nan, told.slope))
        old = asked.old
        if old is None:
            old = small_steps.old_prices(connection, catalog, asked.through + dt.timedelta(days=1))
        curves, moves = small_steps.in_small_steps(asked.curves, catalog, told, old, observed)
        return with_support(curves, np.where(moves[:, None], observed, own))

    def steps_from(self, lake: Lake, catalog: Catalog, date: dt.date) -> Floats | None:
        """Return the prices in the middle of the stores that a book steps from."""
        before = small_steps.step_from(lake, catalog, date)
        return None if before is None else before.usual

    def spans_read(self, lake: Lake, date: dt.date) -> tuple[Span, ...]:
        """Read the promotions of all the log, the responses that models were judged by, and the book of a week ago."""
        if not any(lake.partitions("ingested_files")):
            return ()
        promotions = Span("promotions", dt.date.min, date - dt.timedelta(days=1))
        return promotions, Span("model_versions"), *small_steps.books_before(lake, date)

    def responses(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
    ) -> tuple[PriceResponse, ...]:
        """Return each product's response on the days up to a date."""
        return price_responses(exported_cells(connection, through), catalog.skus, catalog.store.country)

    def kept_prices(
        self, catalog: Catalog, curves: DemandCurves, date: dt.date, own: ShelfPrices | None = None
    ) -> Mapping[str, Floats]:
        """See `own_data.small_steps.kept_prices`."""
        return small_steps.kept_prices(catalog, curves, date, own)

    def stores_that_keep(
        self, catalog: Catalog, curves: DemandCurves, book: PriceBook, date: dt.date
    ) -> list[dict[str, Any]]:
        """See `own_data.small_steps.stores_that_keep`."""
        return small_steps.stores_that_keep(catalog, curves, book, date)


def _responses_of(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, asked: AskedCurves
) -> tuple[PriceResponse, ...]:
    """Return the responses that a model was judged by; for one without them, those of the days it learned from."""
    stored = stored_responses(connection, asked.version)
    if stored is not None:
        return stored
    cells = exported_cells(connection, asked.trained_through or asked.through)
    return price_responses(cells, catalog.skus, catalog.store.country)
