"""What an export says about each product."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.names import EXPORT_GROUP
from catalog.tables.contracts import TABLES
from plugins.own_store.history.admission import Admitted
from plugins.own_store.history.read import Export
from warehouse.checks.proof import prove_all
from warehouse.lake import Lake, Partition
from warehouse.origin import sold_partitions
from warehouse.query.connection import queries_beside, workbench
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


_JSON = ("columns", "reasons", "profile", "summary")


@dataclass(frozen=True)
class GivenFile:
    """A file to ingest: how it is read, the SHA-256 of its bytes, the folder of its shelf, and the time, UTC."""

    export: Export
    digest: str
    shelf: Path
    now: dt.datetime

    @property
    def part(self) -> str:
        """Name of its partitions in the lake."""
        return EXPORT_GROUP + self.digest[:16]


def publish_row(workspace: Workspace, own: GivenFile, inputs: str, days: Sequence[Admitted]) -> None:
    """Profile what is in the lake now and publish the file's row."""
    reasons = reasons_of(day.rejected for day in days)
    valid, rejected = sum(day.valid for day in days), sum(rows for rows, _ in reasons.values())
    dates = [day.business_date for day in days if day.valid]
    counts: dict[str, float] = {}
    for day in days:
        for name, count in day.counts.items():
            counts[name] = counts.get(name, 0) + count
    replaced = [dict(day.replaced) for day in days if day.replaced is not None]
    summary = {"kept": sum(day.kept for day in days), "counts": counts, "replaced": replaced}
    row = {
        "part": own.part,
        "file": own.export.path.name,
        "sha256": own.digest,
        "rows": valid + rejected,
        "valid": valid,
        "rejected": rejected,
        "first_date": min(dates),
        "last_date": max(dates),
        "columns": json.dumps(own.export.columns.theirs, ensure_ascii=False),
        "reasons": json.dumps(reasons, ensure_ascii=False),
        "profile": json.dumps(profile_of(workspace, own.part), ensure_ascii=False),
        "grain": own.export.columns.grain,
        "summary": json.dumps(summary, ensure_ascii=False),
        "ingested_at": own.now,
    }
    table = pa.Table.from_pylist([row], schema=TABLES["ingested_files"].schema)
    workspace.lake.publish(Partition("ingested_files", None, own.part), table, inputs=inputs)


def reasons_of(found: Iterable[Mapping[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    """Return for each reason the rejected rows and the first line, over all dates."""
    reasons: dict[str, tuple[int, int]] = {}
    for day in found:
        for reason, (rows, line) in day.items():
            known, first = reasons.get(reason, (0, line))
            reasons[reason] = (known + rows, min(first, line))
    return reasons


def row_of(lake: Lake, part: str) -> dict[str, Any]:
    """Return a file's row of `ingested_files`, with its JSON read."""
    row: dict[str, Any] = lake.read(Partition("ingested_files", None, part)).to_pylist()[0]
    return row | {name: json.loads(row[name]) for name in _JSON}


def is_done(lake: Lake, part: str, inputs: str) -> bool:
    """Tell whether the whole file, read in this way, is in the lake and still complete."""
    if not lake.is_current(Partition("ingested_files", None, part), inputs):
        return False
    receipts = [lake.receipt(own) for own in sold_partitions(lake) if own.group == part]
    kept: int = row_of(lake, part)["summary"]["kept"]
    return sum(receipt.rows for receipt in receipts if receipt) == kept
