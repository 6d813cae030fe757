"""No shopper's data is an input of a price: other shoppers who do the same lead to the same bytes."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from etl.batches import Batch, play_batch
from etl.load import load_dimensions
from etl.transform import transform
from etl.twin.draws import shopper_names
from features.cells import feature_workbench
from serving.book.make import make_book
from serving.store.in_force import pricing_on
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
OF_A_SHOPPER = {"shopper_id", "budget_multiplier", "seen_at"}


def sold(home: Path) -> Workspace:
    """Sell two days of three stores from the catalog's own belief."""
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    workspace = Workspace(settings, load(CLASSIC), Lake(settings))
    workspace.lake.prepare()
    load_dimensions(workspace.lake, workspace.catalog, shopper_names(20, 1))
    for date in DATES:
        priced_by = pricing_on(workspace.lake, workspace.catalog, date)
        play_batch(workspace, Batch(date, "g000", ("S01", "S02", "S03")), priced_by, 7)
    return workspace


def with_other_shoppers(rows: pa.Table) -> pa.Table:
    """Return the same decisions of other shoppers: other names, other budgets, another moment of the same tick."""
    dice, count = np.random.default_rng(1), rows.num_rows
    others = {
        "shopper_id": pa.array(dice.permutation(np.arange(count)), pa.int32()),
        "budget_multiplier": pa.array(dice.random(count), pa.float32()),
        "seen_at": pa.array(np.sort(rows["seen_at"].to_numpy()), rows.schema.field("seen_at").type),
    }
    for name, values in others.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), values)
    return rows


def made(workspace: Workspace) -> tuple[list[str], dict[str, object]]:
    """Return the bytes of the demand cells, and of everything that the next day's prices are made of."""
    transform(workspace)
    lake = workspace.lake
    receipts = [lake.receipt(part) for part in lake.partitions("demand_cells")]
    book = make_book(workspace, None, DATES[-1] + dt.timedelta(days=1))
    return [own.sha256 for own in receipts if own], {part.table: rows for part, rows in book.tables.items()}


def test_other_shoppers_who_do_the_same_lead_to_the_same_features_belief_curves_and_book(tmp_path: Path) -> None:
    one, other = sold(tmp_path / "one"), sold(tmp_path / "other")
    for date in DATES:
        part = Partition("interactions", date, "g000")
        receipt, rows = other.lake.receipt(part), other.lake.read(part)
        assert receipt is not None
        other.lake.publish(part, with_other_shoppers(rows), inputs=receipt.inputs, seed=receipt.seed)
        assert other.lake.receipt(part) != receipt
    (cells, tables), (other_cells, other_tables) = made(one), made(other)
    assert cells == other_cells
    assert set(tables) == {"beliefs", "demand_curves", "booked_prices"}
    for name, rows in tables.items():
        assert rows == other_tables[name], name


def test_no_feature_of_the_model_depends_on_a_column_that_tells_of_a_shopper(tmp_path: Path) -> None:
    workspace = sold(tmp_path)
    transform(workspace)
    with feature_workbench(workspace.settings) as connection:
        features = [
            row[0]
            for row in connection.sql("describe training_rows").fetchall()
            if row[0] in {"price_offered", "inventory_level", "price_ratio"} or row[0].startswith("sku_")
        ]
        cells = {row[0] for row in connection.sql("describe demand_cells").fetchall()}
    assert len(features) == 3 + len(workspace.catalog.skus)
    assert not cells & OF_A_SHOPPER
