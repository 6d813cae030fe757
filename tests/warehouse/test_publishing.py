import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from catalog.errors import ContractError, LakeError
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from plugins.operations.checks.proving import verify
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition
from warehouse.receipts import Receipt

DAY = dt.date(2026, 1, 5)


def test_what_is_published_is_what_is_read(lake: Lake, partition: Partition, cells: Callable[..., pa.Table]) -> None:
    done = lake.publish(partition, cells(), inputs="a", seed=3)
    assert done.action == "written"
    assert lake.read(partition).equals(cells())
    receipt = lake.receipt(partition)
    assert receipt == done.receipt
    assert (receipt.rows, receipt.inputs, receipt.seed) == (50, "a", 3)
    assert receipt.sha256 == sha256_of(lake.path(partition))
    assert receipt.bytes == lake.path(partition).stat().st_size
    assert list(lake.partitions("demand_cells")) == [partition]


def test_publishing_the_same_again_changes_nothing(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(), inputs="a")
    before, written_at = lake.path(partition).read_bytes(), lake.path(partition).stat().st_mtime_ns
    assert lake.publish(partition, cells(), inputs="a").action == "unchanged"
    assert lake.path(partition).read_bytes() == before
    assert lake.path(partition).stat().st_mtime_ns == written_at
    assert lake.is_current(partition, "a")
    assert not lake.is_current(partition, "b")


def test_the_same_rows_from_other_inputs_are_unchanged_and_their_receipt_says_so(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(), inputs="a")
    assert lake.publish(partition, cells(), inputs="b").action == "unchanged"
    assert lake.is_current(partition, "b")


def test_other_rows_replace_the_old_ones_whole_and_say_so(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(), inputs="a")
    assert lake.publish(partition, cells(7, offered=2), inputs="b").action == "replaced"
    assert lake.read(partition).equals(cells(7, offered=2))
    assert verify(lake).findings == ()


def test_two_lakes_given_the_same_rows_hold_the_same_bytes(
    tmp_path: Path, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    first, second = (Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / name)})) for name in "ab")
    first.publish(partition, cells(), inputs="x")
    second.publish(partition, cells(3), inputs="y")
    second.publish(partition, cells(), inputs="x")
    assert first.path(partition).read_bytes() == second.path(partition).read_bytes()


@given_settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 30_000), st.floats(0.01, 1e6), st.one_of(st.none(), st.integers(0, 99)))))
def test_any_rows_come_back_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float, int | None]]
) -> None:
    given_rows = pa.table(
        {
            "sku": pa.array(["<script>"] * len(rows), pa.string()).dictionary_encode(),
            "price_offered": pa.array([row[1] for row in rows], pa.float64()),
            "price_ratio": pa.array([row[1] for row in rows], pa.float64()),
            "inventory_level": pa.array([row[2] for row in rows], pa.int32()),
            "n_offered": pa.array([row[0] for row in rows], pa.int64()),
            "n_purchased": pa.array([row[0] for row in rows], pa.int64()),
        },
        schema=TABLES["demand_cells"].schema,
    )
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("lake"))}))
    partition = Partition("demand_cells", DAY, "any")
    lake.publish(partition, given_rows, inputs="")
    assert lake.read(partition).to_pylist() == given_rows.to_pylist()
    assert verify(lake).findings == ()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: rows.drop_columns(["n_offered"]), "expected the columns"),
        (lambda rows: rows.append_column("extra", rows["n_offered"]), "expected the columns"),
        (lambda rows: rows.select(rows.column_names[::-1]), "expected the columns"),
        (
            lambda rows: rows.set_column(1, "price_offered", rows["price_offered"].cast(pa.float32())),
            "price_offered: expected double, found float",
        ),
        (
            lambda rows: rows.set_column(1, "price_offered", pa.nulls(len(rows), pa.float64())),
            "price_offered: 50 nulls",
        ),
    ],
    ids=["missing", "extra", "order", "type", "null"],
)
def test_rows_that_break_the_contract_are_refused_and_nothing_is_left_behind(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table], spoil: Callable[[pa.Table], pa.Table], said: str
) -> None:
    with pytest.raises(ContractError, match=said):
        lake.publish(partition, spoil(cells()), inputs="a")
    assert not [path for path in lake.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("group", ["", ".", "..", "../x", "../../x", "a/b", "/etc/x", ".x", "a\0", "a\n", "x" * 65])
def test_a_group_whose_name_would_leave_the_lake_is_refused(
    lake: Lake, cells: Callable[..., pa.Table], settings: Settings, group: str
) -> None:
    with pytest.raises(ContractError, match="cannot name a partition"):
        lake.publish(Partition("demand_cells", DAY, group), cells(), inputs="a")
    assert not list(settings.home.rglob("*.parquet"))


@pytest.mark.parametrize(
    "wrong",
    [
        Partition("nothing", DAY, "a"),
        Partition("../x", DAY, "a"),
        Partition("products", DAY, "a"),
        Partition("demand_cells", None, "a"),
    ],
    ids=str,
)
def test_a_partition_that_no_contract_knows_is_refused(
    lake: Lake, cells: Callable[..., pa.Table], wrong: Partition
) -> None:
    with pytest.raises(ContractError):
        lake.publish(wrong, cells(), inputs="a")


def test_reading_what_is_not_there_or_is_no_parquet_points_to_verify(lake: Lake, partition: Partition) -> None:
    with pytest.raises(LakeError, match="shelfprice health --files"):
        lake.read(partition)
    lake.path(partition).parent.mkdir(parents=True)
    lake.path(partition).write_bytes(b"")
    with pytest.raises(LakeError, match="shelfprice health --files"):
        lake.read(partition)
    assert lake.receipt(partition) is None


def test_a_prepared_lake_is_sound_and_is_not_prepared_twice(lake: Lake) -> None:
    lake.prepare()
    files = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*.parquet")}
    lake.prepare()
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("*.parquet")} == files
    assert len(files) == len(TABLES)
    assert [list(lake.partitions(name)) for name in TABLES] == [[]] * len(TABLES)
    assert verify(lake).findings == ()


def test_a_date_is_named_once_however_many_parts_it_has_and_an_empty_table_has_none(
    lake: Lake, cells: Callable[..., pa.Table]
) -> None:
    lake.prepare()
    assert lake.dates("demand_cells") == []
    for day, group in ((1, "b"), (0, "a"), (0, "b")):
        lake.publish(Partition("demand_cells", DAY + dt.timedelta(days=day), group), cells(), inputs="a")
    assert lake.dates("demand_cells") == [DAY, DAY + dt.timedelta(days=1)]


def test_a_table_says_when_it_changed_and_a_date_that_did_not_change_keeps_its_moment(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    other = Partition("demand_cells", DAY + dt.timedelta(days=7), "all")
    assert lake.changed_at("demand_cells", other.business_date) == 0
    lake.publish(partition, cells(), inputs="a")
    of_date, of_table = lake.changed_at("demand_cells", partition.business_date), lake.changed_at("demand_cells")
    assert 0 < of_date <= of_table
    lake.publish(other, cells(7), inputs="b")
    assert lake.changed_at("demand_cells") > of_table
    assert lake.changed_at("demand_cells", partition.business_date) == of_date
    lake.publish(partition, cells(7), inputs="c")
    assert lake.changed_at("demand_cells", partition.business_date) > of_date


def test_pandas_polars_and_duckdb_read_the_folder_of_each_table_while_a_partition_of_it_is_staged(
    settings: Settings, fill_lake: Callable[[Settings], Lake]
) -> None:
    lake = fill_lake(settings)
    read = {}
    for table in TABLES.values():
        staged = Partition(table.name, DAY if table.by == "day" else None, "staged")
        rows = table.schema.empty_table()
        lake.store.stage(staged, rows, lambda size, sha256: Receipt(0, size, sha256, "", None, ""))
        folder = lake.root / table.name
        by_duckdb, _ = duckdb.read_parquet(f"{folder}/**", hive_partitioning=True).shape
        read[table.name] = {len(pd.read_parquet(folder)), pl.read_parquet(folder).height, by_duckdb}

    assert read == {name: {sum(len(lake.read(own)) for own in lake.partitions(name))} for name in TABLES}
    assert 0 not in read["interactions"]
