"""What an export says about each product."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from catalog.load import Catalog
from own_data.exports.columns import Grain
from warehouse.connection import workbench
from warehouse.lake import Partition
from warehouse.proof import prove_all
from warehouse.sold import sold_partitions
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_query = queries_beside(__file__)
_MEMORY = "600MB"  # the rest goes to the disk


@dataclass(frozen=True)
class ProductProfile:
    """What was sold of one product.

    Attributes
    ----------
    days, store_days
        Business dates with a row, and pairs of a store and such a date.
    decisions, purchases
        Of visits, their number, and how many bought. Of units and receipts, store days by price, and units sold.
    prices, lowest, commonest, highest, median
        Number of distinct prices, and four of them, EUR.
    commonest_share
        Share of the decisions, or store days, that had the commonest price.
    base_price
        Base price on the shelf, EUR.
    """

    sku: str
    name: str
    grain: Grain
    days: int
    store_days: int
    decisions: int
    purchases: float
    prices: int
    lowest: float
    commonest: float
    highest: float
    commonest_share: float
    median: float
    base_price: float

    @property
    def purchase_rate(self) -> float:
        """Share of the visits that bought, or units a store day."""
        return self.purchases / (self.decisions if self.grain == "visits" else self.store_days)


def profile_of(workspace: Workspace, part: str) -> tuple[ProductProfile, ...]:
    """Profile what was sold in one export, product by product; a product without any is left out."""
    lake = workspace.lake
    parts = [own for own in sold_partitions(lake) if own.group == part and _has_rows(workspace, own)]
    if not parts:
        return ()
    prove_all(lake, parts)
    is_visits = parts[0].table == "interactions"
    with workbench(workspace.settings) as connection:
        connection.execute("set memory_limit = $1", [_MEMORY])
        connection.read_parquet(lake.places(parts), hive_partitioning=True).create_view("sold")
        connection.execute(_query("visits_seen" if is_visits else "units_seen"))
        found = connection.execute(_query("product_profile")).fetchall()
    return tuple(_profile(workspace.catalog, "visits" if is_visits else "units", row) for row in found)


def as_record(profile: ProductProfile) -> dict[str, Any]:
    """Return a profile as plain values, its purchase rate included."""
    return asdict(profile) | {"purchase_rate": profile.purchase_rate}


def _has_rows(workspace: Workspace, partition: Partition) -> bool:
    receipt = workspace.lake.receipt(partition)
    return receipt is not None and receipt.rows > 0


def _profile(catalog: Catalog, grain: Grain, row: Sequence[Any]) -> ProductProfile:
    sku, days, store_days, seen, bought, prices, lowest, commonest, highest, share, median = row
    product = catalog.product(sku)
    return ProductProfile(
        sku=sku,
        name=product.name,
        grain=grain,
        days=days,
        store_days=store_days,
        decisions=seen,
        purchases=int(bought) if grain == "visits" else bought,
        prices=prices,
        lowest=lowest,
        commonest=commonest,
        highest=highest,
        commonest_share=share,
        median=median,
        base_price=product.base_price,
    )
