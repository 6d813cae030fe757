"""What a retailer's exported sales tell the engine. Implements `serving.belief.evidence.Evidence`.

They tell what stands on each shelf, and a first guess of how sales answer to the price, from which prices are drawn.
They move no price themselves.
"""

import datetime as dt

import duckdb

from catalog.arrays import Floats
from catalog.load import Catalog
from plugins.own_store.price_response import slopes_of, sold_by_week
from plugins.own_store.shelf_price import changes_of_shelves, shelf_prices
from serving.belief.evidence import Evidence
from serving.optimise.policies import ShelfPrices
from warehouse.checks.proof import Span
from warehouse.lake import Lake
from warehouse.query.sql_files import queries_beside

_query = queries_beside(__file__)


class ExportedSales(Evidence):
    """What exported sales say. Prices in EUR."""

    def changes_of_shelves(self, lake: Lake) -> tuple[object, ...]:
        """See `plugins.own_store.shelf_price.changes_of_shelves`."""
        return changes_of_shelves(lake)

    def shelf_prices(self, lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
        """See `plugins.own_store.shelf_price.shelf_prices`."""
        return shelf_prices(lake, catalog, before)

    def holds_exported(self, connection: duckdb.DuckDBPyConnection, after: dt.date, through: dt.date) -> bool:
        """Tell whether a decision after a date, up to another, was made at a price that somebody else set."""
        span = {"trained_through": after, "judged_through": through}
        has_files = _count(connection, "files_up_to", {"through": through}) > 0
        return has_files and _count(connection, "exported_holdout", span) > 0

    def spans_read(self, lake: Lake, date: dt.date) -> tuple[Span, ...]:
        """Read the promotions of all the log."""
        if not any(lake.partitions("ingested_files")):
            return ()
        return (Span("promotions", dt.date.min, date - dt.timedelta(days=1)),)

    def slopes(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
    ) -> tuple[Floats, Floats]:
        """See `plugins.own_store.price_response.slopes_of`."""
        return slopes_of(sold_by_week(connection, through), catalog.skus)


def _count(connection: duckdb.DuckDBPyConnection, name: str, span: dict[str, dt.date]) -> int:
    [(count,)] = connection.execute(_query(name), span).fetchall()
    return int(count)
