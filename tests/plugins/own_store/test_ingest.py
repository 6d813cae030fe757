"""A retailer's file through the flows: into the lake once, then transformed, trained on and priced like the twin's."""

import datetime as dt
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from once_a_run import living_in
from shell import PATIENCE, SHELFPRICE, Terminal
from workbooks import workbook

from catalog.errors import DataError, Declined
from catalog.load import DEFAULT_DIR, load
from catalog.settings import read_settings
from flows.nightly import price, train
from flows.pipeline import transform
from plugins.operations.checks.proving import verify
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import Ingested
from plugins.own_store.history.ingest import ingest as ingest_file
from plugins.own_store.price_response import with_guesses
from warehouse.files import sha256_of
from warehouse.lake import Lake

WEEKS, STORES = 26, 8
FIRST = np.datetime64("2026-01-05T09:00:00", "us")


def parts(home: Path) -> dict[str, str]:
    return {str(path.relative_to(home)): sha256_of(path) for path in sorted((home / "lake").rglob("part-*.parquet"))}


def ingest(file: Path, reading: Reading, shelf: Path | None = None) -> Ingested:
    return ingest_file(read_settings(), file, reading, shelf, dt.datetime.now(dt.UTC))


def own_lake() -> Lake:
    return Lake(read_settings())


def file_of(folder: Path, rows: str, name: str = "shop.csv") -> Path:
    file = folder / name
    file.write_text("time,sku,price,bought\n" + rows, encoding="utf-8")
    return file


@pytest.fixture
def empty_home(tmp_path: Path) -> Iterator[Path]:
    """Live in a home with nothing in it; whoever runs flows asks for `prefect_server`, too."""
    with living_in(tmp_path):
        yield tmp_path


@pytest.fixture
def shop(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder beside an empty home."""
    return tmp_path_factory.mktemp("shop")


def test_the_same_file_again_changes_nothing_and_an_edited_shelf_is_taken_as_it_is(
    shop: Path, empty_home: Path
) -> None:
    file = file_of(shop, "2026-01-05 10:00,A,1.00,1\n2026-01-06 10:00,A,1.20,0\nnever,A,1.20,0\n")
    first = ingest(file, Reading())
    assert (first.action, first.is_estimated, first.shelf) == ("ingested", True, empty_home / "shelf")
    assert {name: first.row[name] for name in ("rows", "valid", "rejected")} == {"rows": 3, "valid": 2, "rejected": 1}
    assert first.row["reasons"] == {"the time cannot be read": [1, 4]}
    before = parts(empty_home)
    again = ingest(file, Reading())
    assert (again.action, again.row["profile"]) == ("unchanged", first.row["profile"])
    assert parts(empty_home) == before
    products = empty_home / "shelf" / "products.yaml"
    products.write_text(products.read_text(encoding="utf-8").replace('name: "A"', 'name: "Apples"'), encoding="utf-8")
    edited = ingest(file, Reading())
    assert (edited.action, edited.is_estimated) == ("ingested", False)
    assert load(empty_home / "shelf").products[0].name == "Apples"
    assert verify(own_lake()).findings == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "--header", "time,sku"), "standard input line 1: --header names 2 columns"),
        (("-", "--header", "time,,price,bought"), "--header time,,price,bought: expected a name for each column"),
        (("-", "--sheet", "Sales"), "standard input: --sheet is for workbooks, and the file is CSV"),
    ],
)
def test_the_options_of_standard_input_reach_the_reader(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    done = terminal("ingest", *arguments, stdin="2026-01-05 10:00,A,1.00,1\n")
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (terminal.home / "incoming").exists()


def test_what_another_program_pipes_in_reaches_the_reader(terminal: Terminal) -> None:
    command, piped = [*SHELFPRICE, "ingest", "-"], "2026-01-05 10:00,A,1.00,1\n"
    done = subprocess.run(
        command, input=piped, env=terminal.environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    said = "standard input line 1: expected a header, found '2026-01-05 10:00', which looks like data"
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (terminal.home / "incoming").exists()


def test_a_workbook_without_a_header_goes_the_whole_way(shop: Path, empty_home: Path) -> None:
    file = shop / "shop.xlsx"
    ten = dt.datetime(2026, 1, 5, 10)  # noqa: DTZ001 - a workbook knows no zone
    file.write_bytes(
        workbook({"Notes": [["x"]], "Sales": [[ten, "A", 1.25, 1], [ten, "B", "cheap", 1], [ten, "C", 3, 0]]})
    )
    reading = Reading(header=["time", "sku", "price", "bought"], sheet="Sales")
    found = ingest(file, reading)
    assert (found.row["valid"], found.row["rejected"]) == (2, 1)
    assert found.row["reasons"] == {"price_offered cannot be read as a number with a decimal point": [1, 2]}
    assert list(load(empty_home / "shelf").base_prices) == [1.25, 3.0]
    assert ingest(file, reading).action == "unchanged"


def test_a_part_that_went_missing_is_made_again(shop: Path, empty_home: Path) -> None:
    file = file_of(shop, "2026-01-05 10:00,A,1.00,1\n2026-01-06 10:00,A,1.20,0\n")
    ingest(file, Reading())
    before = parts(empty_home)
    own_lake().remove(next(iter(own_lake().partitions("interactions"))))
    assert ingest(file, Reading()).action == "ingested"
    assert {name for name, digest in parts(empty_home).items() if before.get(name) != digest} == {
        name for name in before if "ingested_files/part-export" in name
    }, "all but the moment it was ingested at is as before"


def test_a_first_reading_that_was_wrong_leaves_no_shelf_behind_and_a_later_file_keeps_the_first_ones(
    shop: Path, empty_home: Path
) -> None:
    file = shop / "shop.csv"
    file.write_text("time,sku,price,weight,bought\n2026-01-05 10:00,A,1.00,25.0,1\n", encoding="utf-8")
    ingest(file, Reading(columns={"price_offered": "weight"}))
    assert load(empty_home / "shelf").base_prices == [25.0]
    assert ingest(file, Reading()).is_estimated
    assert load(empty_home / "shelf").base_prices == [1.0]
    later = ingest(file_of(shop, "2026-02-05 10:00,A,9.00,1\n2026-02-05 10:00,B,9.00,1\n", "later.csv"), Reading())
    assert not later.is_estimated
    assert later.row["reasons"] == {"the product is not in the catalog": [1, 3]}


def test_a_lake_of_another_shelf_is_left_alone(shop: Path, empty_home: Path) -> None:
    ingest(file_of(shop, "2026-01-05 10:00,Milk,1.00,1\n", "first.csv"), Reading(), DEFAULT_DIR)
    before = parts(empty_home)
    with pytest.raises(Declined, match="holds decisions about another shelf, such as 'BREAD'"):
        ingest(file_of(shop, "2026-01-07 10:00,A,1.00,1\n"), Reading())
    assert parts(empty_home) == before
    assert not (empty_home / "shelf").exists()
    on_it = ingest(file_of(shop, "2026-01-07 10:00,Milk,1.50,1\n"), Reading(), DEFAULT_DIR)
    assert (on_it.row["valid"], on_it.row["profile"][0]["sku"]) == (1, "MILK")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "line 1: expected rows below the header, found none"),
        ("never,A,1,1\n", "line 2: expected dates or times in 'time', found 'never'"),
        ("2026-01-05 03:00,Milk,1,1\n", "none of its 1 rows is a decision that can be used; 1 because the time"),
    ],
)
def test_a_file_without_a_decision_is_refused(shop: Path, empty_home: Path, rows: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ingest(file_of(shop, rows), Reading(), DEFAULT_DIR)
    assert not list(own_lake().partitions("interactions"))
    assert not (empty_home / "scratch").exists()


def test_one_day_of_the_prototypes_log_is_profiled(shop: Path) -> None:
    log = Path(__file__).parent / "history" / "exports" / "prototype_transactions.csv"
    found = ingest(log, Reading())
    assert (found.row["valid"], {product["days"] for product in found.row["profile"]}) == (325, {1})


def write_visits(file: Path) -> None:
    """Half a year, a day a week: a product that answers to its price, one that follows the season, one constant."""
    draw = np.random.default_rng(11)
    week, store, visit = (axis.ravel() for axis in np.mgrid[:WEEKS, :STORES, :60])
    season = np.sin(week.astype(float))
    drawn = draw.integers(0, 4, (WEEKS, STORES))[week, store]
    prices = {
        "answers": (2.0 * np.array([0.8, 0.9, 1.0, 1.2])[drawn], lambda price: -1.0 - 3.0 * np.log(price / 2)),
        "season": (2.0 * np.exp(-0.2 * season), lambda _price: -1.0 + season),
        "constant": (np.full(week.shape, 3.0), lambda _price: -1.0 + 0.0 * season),
    }
    frames = []
    for name, (shown, log_odds) in prices.items():
        moment = FIRST + (week * 7 * 86_400 + visit * 600 + store).astype("timedelta64[s]")
        chance = 1 / (1 + np.exp(-log_odds(shown)))
        frames.append(
            pd.DataFrame(
                {
                    "visited_at": moment,
                    "store": store + 300,
                    "household": visit,
                    "item": name,
                    "shelf_price": shown.round(2),
                    "bought": draw.random(len(chance)) < chance,
                }
            )
        )
    pq.write_table(pa.Table.from_pandas(pd.concat(frames).sort_values("visited_at"), preserve_index=False), file)


@pytest.fixture
def trained(shop: Path, prefect_server: str) -> Ingested:
    write_visits(shop / "visits.parquet")
    found = ingest(shop / "visits.parquet", Reading())
    transform(str(found.shelf))
    return found


def test_an_export_suggests_a_response_and_moves_no_price(trained: Ingested) -> None:
    shelf = str(trained.shelf)
    found = {own["sku"]: own["response"] for own in with_guesses(read_settings(), trained.row["profile"])}
    assert found["answers"] == pytest.approx(-2.2, abs=0.4), "-3 of the log odds, where a quarter buys"
    assert (found["season"], found["constant"]) == (None, None)
    outcome = train(catalog_dir=shelf)
    assert (outcome.verdict.promoted, outcome.verdict.waits, outcome.gain) == (False, True, None)
    with pytest.raises(Declined, match="the last regular price of each shelf stands until prices are drawn"):
        price(catalog_dir=shelf)
