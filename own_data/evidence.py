"""What a retailer's exported sales tell the engine. Implements `serving.evidence.Evidence`.

They tell what stands on each shelf, and how sales answer to the price, which is the first guess where prices are drawn.
They move no price themselves.
"""

import datetime as dt

import duckdb

from catalog.load import Catalog
from features.response import PriceResponse
from own_data.exported import drawn_by_owner, exported_cells, holds_exported
from own_data.shelf_price import changes_of_shelves, shelf_prices
from serving.evidence import Evidence, ShelfPrices
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

    def holds_exported(self, connection: duckdb.DuckDBPyConnection, after: dt.date, through: dt.date) -> bool:
        """See `own_data.exported.holds_exported`."""
        return holds_exported(connection, after, through)

    def spans_read(self, lake: Lake, date: dt.date) -> tuple[Span, ...]:
        """Read the promotions of all the log."""
        if not any(lake.partitions("ingested_files")):
            return ()
        return (Span("promotions", dt.date.min, date - dt.timedelta(days=1)),)

    def responses(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
    ) -> tuple[PriceResponse, ...]:
        """Return each product's response on the days up to a date: by its owner's own draw, or as a log tells it."""
        from own_data.price_response.decide import price_responses  # noqa: PLC0415 - slow, and a price needs none
        from own_data.price_response.declared import declared_responses, with_refuted  # noqa: PLC0415

        declared = declared_responses(drawn_by_owner(connection, through))
        others = [sku for sku in catalog.skus if sku not in declared.told]
        told = price_responses(exported_cells(connection, through), others, catalog.store.country) if others else ()
        found = {**declared.told} | {own.sku: own for own in with_refuted(told, declared.refuted)}
        return tuple(found[sku] for sku in catalog.skus)
