"""A lake and a catalog of an earlier version are read, verified, replayed and priced by today's code.

`lakes/2026-11-29.zip` holds what commit 58cb1131 made: a store with two products that closes at eleven, three days on
which it learned, a night that trained and made a price book, and a day that was sold from it. Keep it as it is: a lake
that today's code makes proves nothing. Another version's is added beside it when a contract changes.
"""

import datetime as dt
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.contracts import TABLES
from catalog.errors import Declined
from catalog.load import load
from catalog.settings import Settings, read_settings
from etl.batches import batches_of, play_batch
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from flows.workspace import prepared
from operate.replay.day import replay
from serving.book_store import commit_book
from serving.in_force import pricing_on
from serving.make_book import make_book
from serving.quote_desk import open_desk
from training.session import train
from warehouse.connection import workbench_with_marts
from warehouse.lake import Lake
from warehouse.parquet import is_readable_as
from warehouse.proof import verify
from warehouse.workspace import Workspace

LAKES = sorted((Path(__file__).parent / "lakes").glob("*.zip"))
FIRST, LAST = dt.date(2026, 1, 5), dt.date(2026, 1, 8)
SEED = 7


@pytest.fixture(params=LAKES, ids=lambda file: file.stem)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    with zipfile.ZipFile(request.param) as lake:
        lake.extractall(tmp_path)
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    """The lake as the first command of today's version leaves it."""
    return prepared(settings, load(settings.home / "catalog"))


def test_every_table_and_every_mart_is_read(settings: Settings, workspace: Workspace) -> None:
    before = {part: Lake(settings).receipt(part) for table in TABLES for part in workspace.lake.partitions(table)}
    with workbench_with_marts(settings) as connection:
        views = [
            name for (name,) in connection.execute("select view_name from duckdb_views() where not internal").fetchall()
        ]
        rows = {view: connection.execute(f'select count(*) from "{view}"').fetchone() for view in views}  # noqa: S608
    assert rows["interactions"] != (0,)
    assert rows["daily_sales"] == (4 * 2,)
    assert rows["price_book"] != (0,)
    assert {part: workspace.lake.receipt(part) for part in before} == before


def test_all_of_it_is_verified(settings: Settings, workspace: Workspace) -> None:
    assert verify(workspace.lake).findings == ()


def test_a_model_is_learned_from_it_and_prices(settings: Settings, workspace: Workspace) -> None:
    registry = MemoryRegistry()
    with pytest.raises(Declined, match="the champion is now 1; nothing was promoted"):  # its registry was not kept
        train(workspace, registry, LAST, SEED)
    commit_book(workspace.lake, make_book(workspace, registry.load("1"), LAST + dt.timedelta(days=1)))
    desk = open_desk(workspace.lake, workspace.catalog, settings.home / "catalog")
    assert desk.made_for == f"{LAST + dt.timedelta(days=1)}"
    assert verify(workspace.lake).findings == ()


def test_what_was_sold_is_replayed_to_the_byte(settings: Settings, workspace: Workspace) -> None:
    """Features are defined otherwise since, and nobody kept the registry: the replay says so."""
    days = [FIRST + dt.timedelta(days=day) for day in range(4)]
    parts = [part for day in days for part in replay(settings, day) if part.part not in {"features", "price book"}]
    assert len(parts) == 4 * 3 - 1
    assert [(part.part, part.remark) for part in parts if not part.is_same] == []


def test_the_next_day_is_sold_from_its_book(workspace: Workspace) -> None:
    date = LAST + dt.timedelta(days=1)
    (batch,) = batches_of(workspace.catalog, [date], 1)
    play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, date), SEED)
    transform(workspace)
    assert verify(workspace.lake).findings == ()


def test_a_file_may_lack_what_came_later_and_be_stricter_and_nothing_else() -> None:
    table = TABLES["beliefs"]
    stricter = [field.with_nullable(field.nullable and field.name != "stages") for field in table.schema]
    assert is_readable_as(pa.schema(stricter), table)
    assert is_readable_as(pa.schema([field for field in table.schema if field.name != "switch_level"]), table)
    needed = next(field for field in table.schema if not field.nullable)
    for wrong in (
        [field for field in table.schema if field.name != needed.name],
        [field.with_nullable(True) for field in table.schema],
        [*table.schema, pa.field("unknown", pa.int64())],
        [field.with_type(pa.int8()) if field.name == "drift_spread" else field for field in table.schema],
    ):
        assert not is_readable_as(pa.schema(wrong), table)
