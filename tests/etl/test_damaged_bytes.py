"""Bits flip anywhere: what is read is either right or named, and good partitions go on."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.errors import DamagedError
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import read_settings
from etl.batches import Batch, play_batch
from etl.load import dimensions_are_current, load_dimensions
from etl.transform import transform
from etl.twin.draws import shopper_names
from plugins.operations.checks.check_up import check_cells
from plugins.operations.checks.proving import verify
from serving.book.make import commit_book, known_before, make_book
from serving.book.store import BookInForce, book_in_force
from serving.store.in_force import pricing_on
from training.fit.dataset import learning_days
from warehouse.checks.proof import Span, prove
from warehouse.commits.locks import held
from warehouse.commits.record import record_name
from warehouse.files import sha256_of
from warehouse.lake import EMPTY_DATE, Lake, Partition
from warehouse.query.connection import workbench
from warehouse.receipts import final_path
from warehouse.workspace import Workspace

DAYS = tuple(dt.date(2026, 1, day) for day in (5, 6, 7))
BAD = DAYS[1]
PRICED = dt.date(2026, 1, 8)
DECISIONS = [Partition("interactions", day, "g000") for day in DAYS]
CELLS = [Partition("demand_cells", day, "g000") for day in DAYS]
Kept = dict[Path, bytes]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(CLASSIC)


@pytest.fixture(scope="module")
def town(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sell three days in one store, group them, and make two books with their beliefs."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("town"))})
    workspace = Workspace(settings, catalog, Lake(settings))
    workspace.lake.prepare()
    load_dimensions(workspace.lake, catalog, shopper_names(50, 1))
    for day in DAYS:
        play_batch(workspace, Batch(day, "g000", ("S01",)), pricing_on(workspace.lake, catalog, day, "static"), 7)
    transform(workspace)
    for date in (DAYS[2], PRICED):
        commit_book(workspace.lake, make_book(workspace, None, date))
    return workspace


@pytest.fixture
def sold(town: Workspace) -> Iterator[Workspace]:
    """Lend the town to a test, and put every byte back after it."""
    kept = bytes_in(town.settings.home)
    yield town
    put_back(town, kept)


def bytes_in(folder: Path) -> Kept:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def put_back(town: Workspace, kept: Kept) -> None:
    for path in [path for path in town.settings.home.rglob("*") if path.is_file()]:
        if path not in kept:
            path.unlink()
    for path, content in kept.items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(content))


def cut_in_half(path: Path, _draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_the_receipt(path: Path, _draw: random.Random) -> None:
    final_path(path).unlink()


def flip_in_the_receipt(path: Path, draw: random.Random) -> None:
    flip(final_path(path), draw)


def forget_cells(town: Workspace) -> list[bytes]:
    """Take the cells away, as if nothing was grouped yet, and return what they were."""
    before = [town.lake.path(part).read_bytes() for part in CELLS]
    for part in CELLS:
        town.lake.remove(part)
    return before


def is_set_aside(town: Workspace, part: Partition) -> bool:
    path = town.lake.path(part)
    aside = town.settings.home / "set-aside" / path.relative_to(town.lake.root)
    return aside.exists() and not path.exists()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("damage", [flip, flip_in_the_receipt])
def test_flipped_decisions_are_named_and_set_aside_and_the_other_days_are_grouped(
    sold: Workspace, damage: Callable[[Path, random.Random], None], seed: int
) -> None:
    right = forget_cells(sold)
    damage(sold.lake.path(DECISIONS[1]), random.Random(seed))
    with pytest.raises(
        DamagedError, match=r"interactions/business_date=2026-01-06/part-g000\.parquet.*--start 2026-01"
    ):
        transform(sold)
    assert is_set_aside(sold, DECISIONS[1])
    assert [sold.lake.path(CELLS[day]).read_bytes() for day in (0, 2)] == [right[0], right[2]]
    assert not sold.lake.holds(CELLS[1])
    assert transform(sold).partitions == 0


@pytest.mark.parametrize("damage", [cut_in_half, lose_the_receipt, flip_in_the_receipt])
def test_cells_made_from_proven_decisions_outlive_them_and_the_day_can_be_played_again(
    sold: Workspace, damage: Callable[[Path, random.Random], None]
) -> None:
    before, decisions = sold.lake.path(CELLS[1]).read_bytes(), sha256_of(sold.lake.path(DECISIONS[1]))
    damage(sold.lake.path(DECISIONS[1]), random.Random(1))
    with pytest.raises(DamagedError, match="backfill --start 2026-01-06 --end 2026-01-06"):
        transform(sold)
    assert sold.lake.path(CELLS[1]).read_bytes() == before
    assert transform(sold, [DAYS[0], DAYS[2]]).partitions == 2

    play_batch(sold, Batch(BAD, "g000", ("S01",)), pricing_on(sold.lake, sold.catalog, BAD, "static"), 7)
    assert sha256_of(sold.lake.path(DECISIONS[1])) == decisions
    transform(sold)
    assert verify(sold.lake).findings == ()


def test_another_batch_of_a_damaged_day_is_grouped_and_asserted(sold: Workspace) -> None:
    other = Batch(BAD, "g001", ("S02",))
    play_batch(sold, other, pricing_on(sold.lake, sold.catalog, BAD, "static"), 7)
    flip(sold.lake.path(DECISIONS[1]), random.Random(4))
    with pytest.raises(DamagedError, match=r"part-g000\.parquet: expected the bytes"):
        transform(sold, [BAD])
    assert sold.lake.holds(Partition("demand_cells", BAD, "g001"))
    assert transform(sold, [BAD]).partitions == 1


def test_every_damaged_day_is_named_at_once(sold: Workspace) -> None:
    forget_cells(sold)
    for part in DECISIONS[:2]:
        flip(sold.lake.path(part), random.Random(3))
    with pytest.raises(DamagedError, match=r"2026-01-05/part.*2026-01-06/part.*--start 2026-01-05 --end 2026-01-06"):
        transform(sold)
    assert sold.lake.holds(CELLS[2])


def test_decisions_that_another_writes_right_now_are_left_to_it(sold: Workspace) -> None:
    lose_the_receipt(sold.lake.path(DECISIONS[1]), random.Random())
    with held(sold.lake.locks, DECISIONS[1].lock_name):
        assert transform(sold).partitions == 0
    assert sold.lake.holds(DECISIONS[1])
    assert check_cells(sold).state == "failed"


@pytest.mark.parametrize("seed", range(3))
def test_no_flipped_bit_in_cells_is_learned_from_and_transform_makes_them_again(sold: Workspace, seed: int) -> None:
    draw = random.Random(seed)
    part = draw.choice(CELLS)
    path = sold.lake.path(part)
    right = path.read_bytes()
    draw.choice((flip, flip_in_the_receipt))(path, draw)
    with pytest.raises(DamagedError, match=rf"demand_cells/business_date={part.business_date}.*`shelfprice transform`"):
        learning_days(sold, DAYS[2], None)
    assert transform(sold).partitions == 1
    assert path.read_bytes() == right
    assert learning_days(sold, DAYS[2], None).judged_through == DAYS[2]


def test_only_the_days_that_are_learned_from_are_proven(sold: Workspace) -> None:
    flip(sold.lake.path(CELLS[0]), random.Random(1))
    assert learning_days(sold, DAYS[2], DAYS[1]).learned_from == DAYS[1]
    assert sold.lake.holds(CELLS[0])


@pytest.mark.parametrize("seed", range(3))
def test_no_price_is_made_from_a_flipped_bit_in_decisions(sold: Workspace, seed: int) -> None:
    draw = random.Random(seed)
    draw.choice((flip, flip_in_the_receipt))(sold.lake.path(DECISIONS[1]), draw)
    with pytest.raises(DamagedError, match="interactions/business_date=2026-01-06"):
        known_before(sold.lake, None, sold.catalog, PRICED)
    assert is_set_aside(sold, DECISIONS[1])


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_in_a_book_its_curves_or_its_belief_never_prices(sold: Workspace, seed: int) -> None:
    right, older = book_in_force(sold.lake, PRICED), book_in_force(sold.lake, DAYS[2])
    draw = random.Random(seed)
    path = sold.lake.path(Partition(draw.choice(("booked_prices", "demand_curves", "beliefs")), PRICED, "all"))
    draw.choice((flip, flip_in_the_receipt))(path, draw)
    assert said(book_in_force(sold.lake, PRICED)) == said(older) != said(right)


def test_a_book_whose_belief_is_gone_never_prices_as_if_it_was_made_without_one(sold: Workspace) -> None:
    older = book_in_force(sold.lake, DAYS[2])
    path = sold.lake.path(Partition("beliefs", PRICED, "all"))
    path.unlink()
    final_path(path).unlink()
    assert said(book_in_force(sold.lake, PRICED)) == said(older)


def said(found: BookInForce | None) -> tuple[str, bool] | None:
    return None if found is None else (found.sha256, found.belief is not None)


@pytest.mark.parametrize("seed", range(10))
def test_a_flipped_bit_in_a_record_of_a_commit_proves_nothing_and_is_named(sold: Workspace, seed: int) -> None:
    path = sold.lake.root / record_name(f"prices-{PRICED}")
    flip(path, random.Random(seed))
    assert sold.lake.committed(f"prices-{PRICED}") is None
    assert [sold.lake.root / finding.name for finding in verify(sold.lake).findings] == [path]


@pytest.mark.parametrize("seed", range(3))
def test_the_shelf_and_the_columns_of_each_table_are_made_again_after_a_flip(sold: Workspace, seed: int) -> None:
    draw = random.Random(seed)
    for part in (Partition("products", None, "all"), Partition("demand_cells", EMPTY_DATE, "contract")):
        path = sold.lake.path(part)
        right = path.read_bytes()
        flip(path, draw)
        sold.lake.prepare()
        if not dimensions_are_current(sold.lake, sold.catalog):
            load_dimensions(sold.lake, sold.catalog, shopper_names(50, 1))
        assert path.read_bytes() == right


def test_files_that_are_cut_in_half_stop_who_reads_them_and_nobody_else(sold: Workspace) -> None:
    for table in ("booked_prices", "demand_curves"):
        cut_in_half(sold.lake.path(Partition(table, PRICED, "all")), random.Random())
    with workbench(sold.settings) as connection:
        assert connection.execute("select count(*) from closed_interactions").fetchone() != (0,)
        with pytest.raises(duckdb.Error, match="demand_curves"):
            connection.execute("from demand_curves_history").fetchall()
    assert transform(sold, DAYS).partitions == len(DAYS)


def test_cells_that_the_assertions_look_at_are_proven_as_well(sold: Workspace) -> None:
    second = Partition("demand_cells", BAD, "g001")
    sold.lake.publish(second, sold.lake.read(CELLS[0]).slice(0, 0), inputs="another batch of the day")
    flip(sold.lake.path(second), random.Random(2))
    with pytest.raises(DamagedError, match=r"part-g001.*transform"):
        transform(sold, [BAD])


def test_a_flipped_bit_anywhere_in_decisions_cells_or_their_receipts_is_found(sold: Workspace) -> None:
    draw = random.Random(11)
    for _ in range(150):
        part = draw.choice((*DECISIONS, *CELLS))
        path = draw.choice((sold.lake.path(part), final_path(sold.lake.path(part))))
        content = path.read_bytes()
        flip(path, draw)
        with pytest.raises(DamagedError, match=f"{part.table}/business_date={part.business_date}"):
            prove(sold.lake, (Span("interactions"), Span("demand_cells", DAYS[0], DAYS[2])), sets_aside=False)
        path.write_bytes(content)
    prove(sold.lake, (Span("interactions"), Span("demand_cells")), sets_aside=False)
