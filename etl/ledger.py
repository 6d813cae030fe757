"""The ledger of what priced each batch, and every catalog that ever did: what a day is replayed from.

A batch's row is committed with its decisions, so no decision is ever without one. The fingerprints of the data are not
repeated here: they stand in the receipts of the decisions and cells, and the view `past_days` joins them.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import CatalogError
from catalog.load import Catalog, fingerprint_of, restored
from catalog.tables.contracts import TABLES
from warehouse.commits.commit import Commit
from warehouse.commits.record import final_record
from warehouse.lake import CODE_VERSION, Lake, Partition

_NAME_LENGTH = 16  # of a kept catalog: the start of its fingerprint


@dataclass(frozen=True)
class LedgerRow:
    """What priced a batch from one tick on, as a row of `days_in_force`."""

    since: int
    stores: tuple[str, ...]
    seed: int
    catalog: str
    policy: str
    model_version: str | None
    book_made_for: dt.date | None = None
    book_sha256: str | None = None
    orders_sha256: str | None = None
    orders_at_once: str | None = None
    code_version: str = CODE_VERSION

    @property
    def at_once(self) -> dict[str, list[str]]:
        """Orders that bound each store although they counted from a later moment, by store."""
        orders: dict[str, list[str]] = json.loads(self.orders_at_once or "{}")
        return orders


def commit_of(business_date: dt.date, batch: str) -> str:
    """Return the name of the commit of a batch."""
    return f"batch-{business_date}-{batch}"


def write_down(lake: Lake, catalog: Catalog, business_date: dt.date, batch: str, now: LedgerRow) -> None:
    """Write down what prices a batch from a tick on, in place of what was written for that tick and later ones."""
    keep_catalog(lake, catalog)
    earlier = [row for row in in_force_in(lake, business_date, batch) if row.since < now.since] if now.since else []
    rows, name = (*earlier, now), commit_of(business_date, batch)
    record = final_record(lake.notes, name)  # the other tables of the batch stay as they are
    with lake.commit(name, inputs=record.inputs if record else repr(rows), seed=rows[0].seed, amends=True) as commit:
        publish_ledger(commit, business_date, batch, rows)


def publish_ledger(commit: Commit, business_date: dt.date, batch: str, rows: Sequence[LedgerRow]) -> None:
    """Stage what priced a batch, in order of time."""
    columns = [{"batch": batch, **vars(row), "stores": json.dumps(row.stores)} for row in rows]
    table = pa.Table.from_pylist(columns, schema=TABLES["days_in_force"].schema)
    commit.publish(Partition("days_in_force", business_date, batch), table, inputs=repr(tuple(rows)))


def in_force_in(lake: Lake, business_date: dt.date, batch: str) -> tuple[LedgerRow, ...]:
    """Return what priced a batch, in order of time; nothing when nobody played it here."""
    partition = Partition("days_in_force", business_date, batch)
    if lake.receipt(partition) is None:
        return ()
    rows = lake.read(partition).drop_columns(["batch"]).to_pylist()
    return tuple(LedgerRow(**{**row, "stores": tuple(json.loads(row["stores"]))}) for row in rows)


def keep_catalog(lake: Lake, catalog: Catalog) -> None:
    """Keep a catalog for days to come; nothing happens when it is kept already."""
    if is_kept(lake, catalog):
        return
    products, store = catalog.as_json
    row = {"fingerprint": [catalog.fingerprint], "products": [products], "store": [store]}
    lake.publish(
        _kept(catalog.fingerprint), pa.table(row, schema=TABLES["catalogs"].schema), inputs=catalog.fingerprint
    )


def is_kept(lake: Lake, catalog: Catalog) -> bool:
    """Return whether a catalog is kept."""
    return lake.is_current(_kept(catalog.fingerprint), catalog.fingerprint)


def kept_catalog(lake: Lake, fingerprint: str) -> Catalog:
    """Return the catalog with a fingerprint.

    Raises
    ------
    CatalogError
        When it is not kept, or cannot be read any more.
    """
    partition = _kept(fingerprint)
    if lake.receipt(partition) is None:
        raise CatalogError(f"the catalog {fingerprint[:_NAME_LENGTH]} was not kept")
    row = lake.read(partition).to_pylist()[0]
    if fingerprint_of(row["products"], row["store"]) != fingerprint:
        raise CatalogError(
            f"the kept catalog {fingerprint[:_NAME_LENGTH]} is not what it was; run `shelfprice health --files`"
        )
    return restored(row["products"], row["store"])


def _kept(fingerprint: str) -> Partition:
    return Partition("catalogs", None, fingerprint[:_NAME_LENGTH])
