"""Rows, receipts and parts for the tests of Delta lakes, and what their processes run."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pyarrow as pa

from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from plugins.operations.delta.store import DeltaStore
from warehouse.commits.record import CommittedPart
from warehouse.partition import Partition
from warehouse.receipts import CODE_VERSION, Receipt

DAY = dt.date(2026, 1, 5)
CELLS = Partition("demand_cells", DAY, "g000")


def rows_of(table: str, count: int = 10) -> pa.Table:
    """Return rows that the contract of a table lets in."""
    return pa.table([_values(field.type, count) for field in TABLES[table].schema], schema=TABLES[table].schema)


def _values(kind: pa.DataType, count: int) -> pa.Array:
    if pa.types.is_dictionary(kind) or kind == pa.string():
        return pa.array(["milk"] * count).cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array([True] * count)
    if pa.types.is_timestamp(kind):
        return pa.array([0] * count, pa.int64()).cast(kind)
    return pa.array([number % 100 for number in range(count)]).cast(kind)


def staged(store: DeltaStore, partition: Partition, count: int = 10, commit: str = "test") -> Receipt:
    """Stage a partition of some rows."""
    return store.stage(
        partition,
        rows_of(partition.table, count),
        lambda size, sha256: Receipt(count, size, sha256, "inputs", 7, CODE_VERSION, commit),
    )


def published(store: DeltaStore, partition: Partition, count: int = 10) -> Receipt:
    """Stage a partition and put it in force, over whatever stands there."""
    receipt = staged(store, partition, count)
    store.put_in_force([CommittedPart(partition, receipt)])
    return receipt


def in_process(settings: Settings, action: str, partition: Partition, **said: object) -> subprocess.Popen[str]:
    """Start an action of this module in a process of its own; see `die_after_staging`."""
    secret = settings.s3_secret.get_secret_value() if settings.s3_secret else None
    environ = {
        "SHELFPRICE_HOME": str(settings.home),
        "SHELFPRICE_LAKE": settings.lake_address,
        "AWS_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_ACCESS_KEY_ID": settings.s3_key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    told = {"table": partition.table, "date": str(partition.business_date), "group": partition.group, **said}
    return subprocess.Popen(
        [sys.executable, __file__, action, json.dumps(told)],
        env=os.environ | {name: value for name, value in environ.items() if value},
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process, and return its exit code and what it said."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said.strip()


def die_after_staging(store: DeltaStore, partition: Partition, said: dict[str, Any]) -> None:
    """Stage a partition, then die as by kill -9."""
    staged(store, partition, said["count"])
    os.kill(os.getpid(), signal.SIGKILL)


def _main(action: str, text: str) -> None:
    said = json.loads(text)
    partition = Partition(said["table"], dt.date.fromisoformat(said["date"]), said["group"])
    {"die": die_after_staging}[action](DeltaStore(read_settings()), partition, said)


if __name__ == "__main__":
    _main(*sys.argv[1:])
