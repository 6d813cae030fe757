"""`shelfprice sql` reads the lake and nothing else: every way out that DuckDB has is tried here."""

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from shell import Answer, Terminal

from catalog.settings import Settings
from dashboard.data.reader import Reader
from features.cells import ALL_VIEWS
from plugins.evaluation.bench.cookbook import PAGE, recipes
from warehouse.query.connection import build_file, read_only

SECRET = "nobody-may-read-this"  # noqa: S105 - a marker
LEFT_OUTSIDE = ("outside/secret.txt", "outside/lake/secret.txt", "home/mlflow/mlflow.db", "home/prefect/api-key")


@pytest.fixture(scope="module")
def shop(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home in which two days were sold, and files around the lake that hold a secret."""
    folder = tmp_path_factory.mktemp("shop").resolve()
    build_file(sell_two_days(folder / "home"), ALL_VIEWS)
    for name in LEFT_OUTSIDE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SECRET + "\n", encoding="utf-8")
    (folder / "home/lake/products/link.txt").symlink_to(folder / "outside/secret.txt")
    (folder / "home/lake/linked").symlink_to(folder / "outside")
    return folder


@pytest.fixture
def ask(shop: Path) -> Iterator[Callable[..., Answer]]:
    """Ask from a folder that has a `lake` of its own, as a person would."""
    with chdir(shop / "outside"):
        yield lambda *words, stdin="": Terminal(shop / "home")("sql", *words, stdin=stdin)


def everything(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(answer: Answer) -> str:
    """Return the one line in which an answer says no."""
    assert (answer.returncode, answer.stdout) == (1, "")
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert len(lines[0]) < 700
    assert SECRET not in lines[0]
    return lines[0]


PART = "lake/interactions/business_date=2026-01-05/part-all.parquet"
WRITES = [
    f"copy (select 1) to '{PART}'",
    "copy products to 'HOME/lake/products/part-x.parquet'",
    "copy (select 1) to '../outside/x.csv'",
    "COPY\n(select 1) to 'lake/x.csv' (header)",
    "/* harmless */ copy (select 1) to 'lake/x.csv'",
    "select 1; copy (select 1) to 'lake/x.csv'",
    f"explain analyze copy (select 1) to '{PART}'",
    "explain /**/ analyze copy (select 1) to 'lake/x.csv'",
    "explain (analyze, format json) copy (select 1) to 'lake/x.csv'",
    "explain analyze with a as (copy (select 1) to 'lake/x.csv') from a",
    f"with gone as (copy (select 1) to '{PART}') from gone",  # noqa: S608 - it is never run
    "from (with a as (copy (select 1) to 'lake/x.csv') from a)",
    "select 1 union all (with a as (copy (select 1) to 'lake/x.csv') from a)",
    "select (with a as (copy (select 1) to 'lake/x.csv') select count(*) from a)",
    "with a as (copy (select 1) to 'lake/x.csv') pivot a on \"Count\" using count(*)",
    "describe (with a as (copy (select 1) to 'lake/x.csv') from a)",
    "from query('with a as (copy (select 1) to ''lake/x.csv'') from a')",
    "from \"QUERY\"('with a as (copy (select 1) to ''lake/x.csv'') from a')",
    "from system.main.query('with a as (copy (select 1) to ''lake/x.csv'') from a')",
    "from json_execute_serialized_sql(json_serialize_sql('with a as (copy (select 1) to ''lake/x'') from a'))",
    "prepare v as copy (select 1) to 'lake/x.csv'; execute v",
    "execute v",
    "export database 'lake/everything'",
    "export database '../outside/everything'",
    "import database '../outside'",
    "attach '../outside/new.db'",
    "attach ':memory:' as other",
    "attach 'sqlite:mlflow/mlflow.db' as registry (type sqlite)",
    "detach warehouse",
    "install httpfs",
    "force install spatial from community",
    "load httpfs",
    "update extensions",
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "set global lock_configuration = false",
    "set temp_directory = '../outside'",
    "reset enable_external_access",
    "use memory",
    "pragma enable_profiling = 'json'",
    "pragma profiling_output = 'lake/x.json'",
    "pragma import_database('../outside')",
    "call enable_logging(storage = 'file', storage_path = 'lake/log')",
    "from enable_logging(storage := 'file', storage_path := 'lake/log')",
    "from truncate_duckdb_logs()",
    "from create_external_resource('x')",
    "checkpoint",
    "vacuum",
    "begin",
    "create table x as select 1",
    "create temp macro f() as table from read_text('/etc/passwd')",
    "create secret (type s3)",
    "insert into about values ('x')",
    "with a as (insert into about values ('x') returning *) from a",
    "with a as (delete from about returning *) from a",
    "delete from about",
    "update about set definitions_fingerprint = ''",
    "drop view products",
    "alter view products rename to x",
    "comment on view products is 'x'",
]
READS = [
    "from read_text('/etc/passwd')",
    "from '/etc/passwd'",
    "from read_csv('/etc/passwd')",
    "from read_blob('../outside/secret.txt')",
    "from read_text('HOME/lake/../../outside/secret.txt')",
    "from read_text('HOME/mlflow/mlflow.db')",
    "from read_blob('mlflow/mlflow.db')",
    "from read_text('prefect/api-key')",
    "from read_text('lake/../prefect/api-key')",
    "from read_text('lake/*/../../prefect/*')",
    "from read_text(['lake/receipts/products/part-all.receipt.json', '/etc/passwd'])",
    "from read_text('OUTSIDE/lake/secret.txt')",
    "from read_text('lake/products/link.txt')",
    "from read_text('lake/linked/secret.txt')",
    "from read_text('file:///etc/passwd')",
    "from sniff_csv('/etc/passwd')",
    "from parquet_metadata('/etc/passwd')",
    "from read_json('/proc/self/environ')",
    "from glob('/etc/*')",
    "from glob('*')",
    "from lake_by_key('/etc/passwd')",
    "from query_table('/etc/passwd')",
    "from sqlite_scan('mlflow/mlflow.db', 'experiments')",
    "from read_duckdb('../outside/other.db')",
    "from duckdb_secrets()",
    "select getenv('HOME')",
    "select current_setting('no_such')",
    "from settings",
    "from columns",
    "from read_text('s3://bucket/key')",
    "from read_parquet('ADDRESS/x.parquet')",
    "from 'ADDRESS/x.csv'",
]


@pytest.mark.parametrize("query", [*WRITES, *READS])
def test_an_attack_is_refused_in_one_line_and_changes_nothing(
    query: str, shop: Path, ask: Callable[..., Answer]
) -> None:
    before = everything(shop)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        named = query.replace("HOME", f"{shop}/home").replace("OUTSIDE", f"{shop}/outside").replace("ADDRESS", address)
        refused(ask(named))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert everything(shop) == before


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   \n",
        ";;",
        "-- only a comment",
        "/* and */ -- another",
        "select '\0'",
        "select '\udcff'",
        "(" * 1_000_000,
        "(" * 100_000,
        "select " + "(" * 100_000 + "1" + ")" * 100_000,
        "select " + "not " * 50_000 + "true",
        "/*" * 100_000,
        "select ?",
        "selec 1",
        "select repeat('x', 100000000000)",
    ],
    ids=range(15),
)
def test_what_is_no_query_is_one_line(query: str, ask: Callable[..., Answer]) -> None:
    refused(ask(stdin=query))


GOOD = [
    ("from daily_sales limit 1", 1),
    ("select * from interactions limit 3", 3),
    ("explain select 1", 1),
    ("explain analyze select count(*) from products", 1),
    ("explain (format json) select 1", 1),
    ("describe daily_sales", 10),
    ("pragma table_info('daily_sales')", 10),
    ("pivot daily_sales on sku using sum(count_units) group by business_date", 2),
    ("pivot daily_sales on sku in ('MILK') using sum(count_units) group by business_date", 2),
    ("with recursive n as (select 1 as i union all select i + 1 from n where i < 4) from n", 4),
    ("select count(*) as copy from read_parquet('lake/products/*.parquet')", 1),
    ("select content from read_text('lake/receipts/products/part-all.receipt.json')", 1),
    ("from range(3)", 3),
    ("select 1; select unnest([1, 2])", 2),
    ("from query_table('products')", 5),
    ("values (1), (2)", 2),
    ("select 'copy x to y; attach'", 1),
]


@pytest.mark.parametrize(("query", "rows"), GOOD)
def test_a_question_about_the_lake_is_answered(query: str, rows: int, ask: Callable[..., Answer]) -> None:
    answer = ask("--json", query)
    assert answer.stderr == ""
    assert len(json.loads(answer.stdout)["rows"]) == rows


@pytest.mark.parametrize("recipe", list(recipes(PAGE.read_text(encoding="utf-8"))), ids=lambda recipe: recipe.title)
def test_every_question_of_the_cookbook_is_taken(recipe: object, ask: Callable[..., Answer]) -> None:
    answer = ask("--json", recipe.query)  # type: ignore[attr-defined]
    assert (answer.returncode, answer.stderr) == (0, "")


def test_another_lake_where_one_is_standing_is_not_the_lake(ask: Callable[..., Answer]) -> None:
    assert json.loads(ask("--json", "from read_text('lake/secret.txt')").stdout)["rows"] == []
    assert json.loads(ask("--json", "from glob('lake/*.txt')").stdout)["rows"] == []


def test_moments_are_told_in_utc(ask: Callable[..., Answer]) -> None:
    assert json.loads(ask("--json", "select current_setting('TimeZone')").stdout)["rows"] == [["UTC"]]


def test_what_spills_stays_in_memory(ask: Callable[..., Answer]) -> None:
    answer = ask("--json", "select value from duckdb_settings() where name = 'temp_directory'")
    assert json.loads(answer.stdout)["rows"] == [[""]]


def test_whoever_opens_the_file_read_only_reads_the_lake_alone(shop: Path) -> None:
    settings = Settings.model_validate({"SHELFPRICE_HOME": shop / "home"})
    Reader(settings).ask("shelf", ("products",))
    for _ in range(2):  # a second connection to a file that is open already is locked as the first
        with read_only(settings) as first, read_only(settings) as second:
            for connection in (first, second):
                assert connection.execute("select count(*) from interactions").fetchone() != (0,)
                for query in ("from read_text('/etc/passwd')", "set threads = 1", "attach '/tmp/x.db'", "from SECRET"):
                    with pytest.raises(duckdb.Error):
                        connection.execute(query)


def test_a_lake_on_another_disk_is_read_through_its_link(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path
) -> None:
    settings = sell_two_days(tmp_path / "home")
    build_file(settings, ALL_VIEWS)
    settings.lake.rename(tmp_path / "elsewhere")
    settings.lake.symlink_to(tmp_path / "elsewhere")
    assert Terminal(settings.home)("sql", "--csv", "select count(*) from products").stdout.endswith("\n5\n")


def test_an_answer_is_kept_as_csv_json_or_parquet_and_replaced_only_when_told(
    shop: Path, ask: Callable[..., Answer], tmp_path: Path
) -> None:
    query = "select sku, base_price from products where sku = 'MILK'"
    for name, read in {
        "a.csv": lambda file: file.read_text() == "sku,base_price\nMILK,1.5\n",
        "a.json": lambda file: json.loads(file.read_text())["rows"] == [["MILK", 1.5]],
        "a.PARQUET": lambda file: pq.read_table(file).to_pylist() == [{"sku": "MILK", "base_price": 1.5}],
    }.items():
        file = tmp_path / name
        assert ask("--out", str(file), query).returncode == 0
        assert read(file)
        before = file.read_bytes()
        assert "found one; it is unchanged" in refused(ask("--out", str(file), "select 1"))
        assert file.read_bytes() == before
        assert ask("--force", "--out", str(file), "select 1 as one").returncode == 0
        assert file.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PARQUET", "a.csv", "a.json"]


@pytest.mark.parametrize("place", ["lake/products/part-x.parquet", "x.csv", "../outside/through/x.csv"])
def test_an_answer_is_never_kept_in_the_data_folder(place: str, shop: Path, ask: Callable[..., Answer]) -> None:
    (shop / "outside/through").unlink(missing_ok=True)
    (shop / "outside/through").symlink_to(shop / "home/lake")
    before = everything(shop)
    assert "outside the data folder" in refused(ask("--force", "--out", str(shop / "home" / place), "select 1"))
    assert everything(shop) == before
    (shop / "outside/through").unlink()


@pytest.mark.parametrize(
    "words",
    [("--out", "x.xlsx"), ("--out", "x"), ("--force",), ("--csv", "--json"), ("--csv", "--out", "x.csv")],
)
def test_options_that_do_not_go_together_are_wrong_usage(words: tuple[str, ...], ask: Callable[..., Answer]) -> None:
    assert ask(*words, "select 1").returncode == 2
    assert not Path("x.csv").exists()


def test_a_query_that_fails_leaves_no_file(ask: Callable[..., Answer], tmp_path: Path) -> None:
    refused(ask("--out", str(tmp_path / "a.csv"), "select no_such from products"))
    assert "cast the column" in refused(ask("--out", str(tmp_path / "a.parquet"), "select interval 1 day as i"))
    assert list(tmp_path.iterdir()) == []


def test_a_cell_that_a_spreadsheet_would_run_is_text_and_a_number_stays_one(
    ask: Callable[..., Answer], tmp_path: Path
) -> None:
    query = (
        "select unnest(['=1+1', '+a', '-a', '@a', chr(9) || '=a', chr(13) || '=a', '-3.5', 'a=b']) as \"=head\", "
        "-3.5 as n, 'x' as x"
    )
    expected = "'=head,n,x\n" + "".join(
        f"{cell},-3.5,x\n" for cell in ("'=1+1", "'+a", "'-a", "'@a", "'\t=a", '"\'\r=a"', "-3.5", "a=b")
    )
    assert ask("--csv", query).stdout == expected
    file = tmp_path / "a.csv"
    assert ask("--out", str(file), query).returncode == 0
    assert file.read_bytes().decode() == expected
