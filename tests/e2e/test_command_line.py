"""The installed command, as a person at a terminal uses it: real processes, real kills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from catalog.settings import read_settings
from warehouse.files import sha256_of
from warehouse.lake import Lake

SHELFPRICE = [sys.executable, "-m", "flows"]
LONG_RUN = ["simulate", "--days", "60", "--stores", "200"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def world(tmp_path: Path, server: str) -> dict[str, str]:
    return {**os.environ, "SHELFPRICE_HOME": str(tmp_path / "home"), "PREFECT_API_URL": server, "COLUMNS": "200"}


def run(world: dict[str, str], *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SHELFPRICE, *arguments], env=world, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def parts(world: dict[str, str]) -> dict[str, str]:
    lake = Path(world["SHELFPRICE_HOME"]) / "lake"
    return {str(path.relative_to(lake)): sha256_of(path) for path in sorted(lake.rglob("part-*.parquet"))}


def wait_for_days(world: dict[str, str], days: int) -> None:
    lake = Lake(read_settings(world))
    limit = time.monotonic() + 60
    while len(list(lake.partitions("interactions"))) < days:
        assert time.monotonic() < limit, "no days appeared"
        time.sleep(0.02)


def test_killed_in_the_middle_it_verifies_clean_and_a_rerun_gives_the_same_bytes(
    world: dict[str, str], tmp_path: Path
) -> None:
    quiet = {**world, "SHELFPRICE_HOME": str(tmp_path / "undisturbed")}
    assert run(quiet, *LONG_RUN).returncode == 0
    process = subprocess.Popen(
        [*SHELFPRICE, *LONG_RUN], env=world, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    reads, failures = 0, []
    wait_for_days(world, 3)
    while len(list(Lake(read_settings(world)).partitions("interactions"))) < 25 and process.poll() is None:
        answer = run(world, "sql", "select count(*) from interactions")
        reads += 1
        failures += [answer.stderr] if answer.returncode else []
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert reads > 0
    assert failures == []
    assert process.returncode == -signal.SIGKILL
    verdict = run(world, "verify", "--json")
    assert verdict.returncode == 0, verdict.stdout
    assert json.loads(verdict.stdout)["findings"] == []
    again = run(world, *LONG_RUN, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] >= 20
    assert parts(world) == parts(quiet)


def test_asked_to_stop_it_stops_within_ten_seconds_and_leaves_a_clean_lake(world: dict[str, str]) -> None:
    process = subprocess.Popen(
        [*SHELFPRICE, *LONG_RUN], env=world, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_days(world, 2)
    process.terminate()
    assert process.wait(timeout=10) != 0
    assert run(world, "verify").returncode == 0


def test_another_shelf_and_store_go_the_whole_way_to_a_quote(world: dict[str, str], tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "products.yaml").write_text(
        "products:\n"
        '  - {sku: "\'); drop table x; --", name: <script>alert(1)</script>, category: odd, '
        "base_price: 2.0, unit_cost: 1.0, par_stock: 800}\n"
        "  - {sku: ../../x, name: مرحبا 🥨, category: odd, base_price: 3.0, unit_cost: 1.5, "
        "par_stock: 800}\n",  # enough for a day, so that both are tried at many prices
        encoding="utf-8",
    )
    (shelf / "store.yaml").write_text(
        'stores: [K1]\nopening: {opens: "09:00", closes: "17:00"}\nvisits_per_day: 300\nhourly_profile: [1, 2, 1]\n'
        "personas:\n  - {name: all, share: 1.0, mean: 1.0, standard_deviation: 0.25}\n",
        encoding="utf-8",
    )
    here = ["--catalog", str(shelf)]
    loop = run(world, "pipeline", "--days", "3", "--explore-days", "2", "--stores", "12", *here, "--json")
    assert loop.returncode == 0, loop.stderr
    assert json.loads(loop.stdout)["days"][2]["policy"] == "stock_aware"
    quote = run(world, "quote", "--sku", "'); drop table x; --", "--stock", "5", *here, "--json")
    assert quote.returncode == 0, quote.stderr
    assert 1.4 <= json.loads(quote.stdout)["price"] <= 3.2
    table = run(world, "quote", "--sku", "../../x", "--stock", "5", *here)
    assert "مرحبا 🥨" in table.stdout
    names = run(world, "sql", "--csv", "select product_name from products order by 1")
    assert "<script>alert(1)</script>" in names.stdout
    report = tmp_path / "report.html"
    trained = run(world, "train", *here, "--report", str(report))
    assert f", and {report}" in trained.stderr
    page = report.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "مرحبا 🥨" in page
    assert run(world, "verify").returncode == 0
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["quote", "--sku", "MILK", "--stock", "8"], 1, "run `shelfprice demo`"),
        (["quote", "--sku", "BEER", "--stock", "8"], 1, "the shelf has MILK"),
        (["quote", "--sku", "MILK", "--stock", "-1"], 2, "--stock"),
        (["sql", "select 1"], 1, "there is no warehouse yet"),
        (["verify"], 1, "expected a lake"),
        (["simulate", "--catalog", "/nowhere"], 1, "expected a folder"),
        (["train", "--report", "/nowhere/report.html"], 1, "found no folder /nowhere"),
        (["ingest", "/nowhere.csv"], 1, "/nowhere.csv: expected a file"),
        (["ingest", "/nowhere.csv", "--column", "sku"], 1, "--column sku: expected OURS=THEIRS"),
        (["ingest", "/nowhere.csv", "--decimal", ";"], 2, "--decimal"),
        (["simulate", "--days", "0"], 2, "--days"),
        (["simulate", "--start", "tomorrow"], 2, "tomorrow"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_a_mistake_gets_one_clear_line_and_an_honest_exit_code(
    world: dict[str, str], arguments: list[str], code: int, said: str
) -> None:
    answer = run(world, *arguments)
    assert answer.returncode == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_sql_answers_as_table_csv_json_and_from_standard_input_and_is_read_only(world: dict[str, str]) -> None:
    assert run(world, "simulate").returncode == 0
    question = "select sku, base_price from products where sku = 'MILK'"
    assert run(world, "sql", "--csv", question).stdout == "sku,base_price\nMILK,1.5\n"
    assert json.loads(run(world, "sql", "--json", question).stdout) == {
        "columns": ["sku", "base_price"],
        "rows": [["MILK", 1.5]],
    }
    assert "MILK" in run(world, "sql", stdin=question).stdout
    refused = run(world, "sql", "create table x as select 1")
    assert refused.returncode == 1
    assert "read-only" in refused.stderr
    wrong = run(world, "sql", "selec 1")
    assert wrong.returncode == 1
    assert "syntax error" in wrong.stderr


def test_verify_names_each_fault_and_setting_aside_lets_the_rest_go_on(world: dict[str, str]) -> None:
    assert run(world, "simulate", "--days", "3").returncode == 0
    lake = Lake(read_settings(world))
    damaged, missing, _ = (lake.path(partition) for partition in lake.partitions("interactions"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    missing.unlink()
    orphan = damaged.with_name("part-stray.parquet")
    shutil.copy(lake.path(next(iter(lake.partitions("products")))), orphan)
    answer = run(world, "verify", "--json")
    assert answer.returncode == 1
    findings = {finding["kind"]: finding["file"] for finding in json.loads(answer.stdout)["findings"]}
    assert findings["damaged"].endswith(damaged.name)
    assert findings["orphaned"].endswith("part-stray.parquet")
    assert "missing" in findings
    assert run(world, "verify", "--set-aside").returncode == 0
    assert run(world, "verify").returncode == 0
    assert run(world, "sql", "select count(*) from interactions").returncode == 0


def test_quick_commands_import_no_service() -> None:
    code = (
        "import sys; import flows.cli.main, serving.book_store, warehouse.verify, flows.cli.sql_prompt;"
        "sys.exit(len({'prefect', 'mlflow', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_every_command_explains_itself() -> None:
    overview = subprocess.run([*SHELFPRICE, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    for command in (
        "demo",
        "simulate",
        "ingest",
        "transform",
        "train",
        "price",
        "pipeline",
        "nightly",
        "backfill",
        "health",
        "live",
        "up",
        "quote",
        "sql",
        "verify",
        "reset",
    ):
        assert command in overview


def test_reset_removes_what_was_made_and_nothing_else(world: dict[str, str]) -> None:
    home = Path(world["SHELFPRICE_HOME"])
    assert run(world, "simulate").returncode == 0
    (home / "mine.txt").write_text("keep me", encoding="utf-8")
    declined = run(world, "reset", "--yes")
    assert declined.returncode == 1
    assert "mine.txt" in declined.stderr
    assert (home / "lake").is_dir()
    (home / "mine.txt").unlink()
    assert run(world, "reset", "--yes").returncode == 0
    assert not home.exists()


def test_compare_prints_the_tables_as_json_and_refuses_what_it_does_not_know(world: dict[str, str]) -> None:
    few = ("--scenario", "400 visits", "--decisions", "500", "--seeds", "2", "--days", "3", "--first-days", "9")
    answer = run(world, "compare", *few, "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [row["policy"] for row in found["table"]] == ["true_demand", "stock_aware", "greedy", "prototype"]
    shares = {row["policy"]: row["share"] for row in found["played"]}
    assert shares["clairvoyant"] == 1.0
    assert shares["greedy"] < shares["stock_aware"] <= 1.02
    assert found["regret"]["stock_aware"]["days 8 to 9"] < found["regret"]["greedy"]["days 8 to 9"]
    kept = run(world, "sql", "select count(*) from policy_results", "--csv")
    assert kept.stdout.split() == ["count_star()", str(2 * len(shares))]
    refused = run(world, "compare", "--policy", "magic")
    assert refused.returncode == 1
    assert "found 'magic'; nothing was compared" in refused.stderr
