"""What an export says about each product."""

from collections.abc import Mapping
from typing import Any

from warehouse.checks.proof import prove_all
from warehouse.lake import Partition
from warehouse.query.connection import workbench
from warehouse.query.sql_files import queries_beside
from warehouse.sold import sold_partitions
from warehouse.workspace import Workspace

_query = queries_beside(__file__)
_MEMORY = "600MB"  # the rest goes to the disk


def profile_of(workspace: Workspace, part: str) -> list[dict[str, Any]]:
    """Profile what was sold in one export, product by product; a product without any is left out.

    Returns
    -------
    list of dict
        The columns of `product_profile.sql` with the product's name, grain and base price (EUR). Of visits, `decisions`
        is their number and `purchases` how many bought; of units and receipts, store days by price, and units sold.
        `purchase_rate` is the share that bought, or units a store day.
    """
    lake = workspace.lake
    parts = [own for own in sold_partitions(lake) if own.group == part and _has_rows(workspace, own)]
    if not parts:
        return []
    prove_all(lake, parts)
    is_visits = parts[0].table == "interactions"
    with workbench(workspace.settings) as connection:
        connection.execute("set memory_limit = $1", [_MEMORY])
        connection.read_parquet(lake.places(parts), hive_partitioning=True).create_view("sold")
        connection.execute(_query("visits_seen" if is_visits else "units_seen"))
        found = connection.sql(_query("product_profile")).to_arrow_table().to_pylist()
    return [_profile(workspace, row, is_visits=is_visits) for row in found]


def _has_rows(workspace: Workspace, partition: Partition) -> bool:
    receipt = workspace.lake.receipt(partition)
    return receipt is not None and receipt.rows > 0


def _profile(workspace: Workspace, row: Mapping[str, Any], *, is_visits: bool) -> dict[str, Any]:
    product = workspace.catalog.product(row["sku"])
    return {
        **row,
        "name": product.name,
        "grain": "visits" if is_visits else "units",
        "purchases": int(row["purchases"]) if is_visits else row["purchases"],
        "base_price": product.base_price,
        "purchase_rate": row["purchases"] / row["decisions" if is_visits else "store_days"],
    }
