"""What the processes do that are killed: `python delta_work.py play` or `look`, in the lake of the environment."""

import datetime as dt
import json
import sys

from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from etl.batches import batches_of, play_batch
from etl.transform import transform
from flows.workspace import prepared
from plugins.operations.checks.proving import verify
from serving.store.in_force import pricing_on
from warehouse.lake import Lake

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
_TABLES = ("interactions", "repricings", "days_in_force", "demand_cells", "products", "shoppers")


def play(settings: Settings) -> None:
    """Play and group two dates."""
    workspace = prepared(settings, load(CLASSIC))
    for batch in batches_of(workspace.catalog, DATES, None):
        priced_by = pricing_on(workspace.lake, workspace.catalog, batch.business_date, "static")
        play_batch(workspace, batch, priced_by, 7)
    transform(workspace)


def look(settings: Settings) -> None:
    """Print what is wrong with the lake, and what is in force in it."""
    lake = Lake(settings)
    found = [(str(part), lake.receipt(part)) for table in _TABLES for part in lake.partitions(table)]
    faults = [f"{one.name}: {one.kind}" for one in verify(lake).findings]
    said = [faults, sorted((name, receipt.sha256 if receipt else "") for name, receipt in found)]
    sys.stdout.write(f"{json.dumps(said)}\n")


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    {"play": play, "look": look}[sys.argv[1]](read_settings())
