"""What an export says about each product, and whether that is what the gate asks of the data.

The gate decides; here is what it needs at least. Errors of a response count what a store's months have in common, so
they need many stores, or stores over many quarters; and a price must have moved within a store and four weeks, or
nothing tells it from the season.
"""

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
LEAST_BOUGHT = 30  # purchases, or units; and visits without a purchase: a share from fewer is off by a third
LEAST_CLUSTERS = 20  # stores, or quarters of stores: with fewer, errors are too small
_MEMORY = "600MB"  # the rest goes to the disk
LEAST_STORE_WEEKS = 40  # with a price change within their four weeks


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
    clusters, store_weeks
        Stores by quarter of a year, and weeks of stores in whose four weeks the price moved.
    why_not
        What the gate asks for that these data do not have, or None.
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
    clusters: int
    store_weeks: int
    why_not: str | None = None

    @property
    def purchase_rate(self) -> float:
        """Share of the visits that bought, or units a store day."""
        return self.purchases / (self.decisions if self.grain == "visits" else self.store_days)

    @property
    def verdict(self) -> str:
        """Whether its price can be judged, in words."""
        if self.why_not is None:
            return "enough data to test"
        return f"keeps its shelf price: {self.why_not}"


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
    """Return a profile as plain values, its purchase rate and verdict included."""
    return asdict(profile) | {"purchase_rate": profile.purchase_rate, "verdict": profile.verdict}


def _has_rows(workspace: Workspace, partition: Partition) -> bool:
    receipt = workspace.lake.receipt(partition)
    return receipt is not None and receipt.rows > 0


def _profile(catalog: Catalog, grain: Grain, row: Sequence[Any]) -> ProductProfile:
    sku, days, store_days, seen, bought, prices, lowest, commonest, highest, share, median, clusters, store_weeks = row
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
        clusters=clusters,
        store_weeks=store_weeks,
        why_not=_why_not(grain, row),
    )


def _why_not(grain: Grain, row: Sequence[Any]) -> str | None:
    """Say what the gate asks for and does not find; a single price or day says enough."""
    _, days, _, seen, bought, prices, *_, clusters, store_weeks = row
    if prices == 1:
        return "its price never varied"
    if days == 1:
        return "one day only, none is left to judge on"
    asked: list[tuple[str, float, int]] = [("purchases" if grain == "visits" else "units sold", bought, LEAST_BOUGHT)]
    if grain == "visits":
        asked.append(("visits without a purchase", seen - bought, LEAST_BOUGHT))
    asked.append(("stores or quarters of stores", clusters, LEAST_CLUSTERS))
    asked.append(("store-weeks with a price change", store_weeks, LEAST_STORE_WEEKS))
    lacking = [f"{least} {what} wanted, {found:.0f} found" for what, found, least in asked if found < least]
    return "; ".join(lacking) or None
