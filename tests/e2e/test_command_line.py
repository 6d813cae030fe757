"""The command line from end to end; a process of its own only where a signal or a fresh start is the point."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.settings import Settings, read_settings
from warehouse.files import sha256_of
from warehouse.lake import Lake

DAYS = 10
LONG_RUN = ["simulate", "--days", str(DAYS), "--stores", "3", "--catalog", "classic"]
"""Long enough to be interrupted: a process learns through a day for a second or more before it publishes it."""


@pytest.fixture
def sold(terminal: Terminal, sell_two_days: Callable[[Path], Settings]) -> Terminal:
    """Return a shell in a home where two days were sold."""
    sell_two_days(terminal.home)
    return terminal


def lake_of(terminal: Terminal) -> Lake:
    return Lake(read_settings(terminal.environ))


def days_in(terminal: Terminal) -> int:
    return len(list(lake_of(terminal).partitions("interactions")))


def parts(terminal: Terminal) -> dict[str, str]:
    lake = terminal.home / "lake"
    return {str(path.relative_to(lake)): sha256_of(path) for path in sorted(lake.rglob("part-*.parquet"))}


def wait_for_days(terminal: Terminal, days: int) -> None:
    limit = time.monotonic() + 300
    while days_in(terminal) < days:
        assert time.monotonic() < limit, "no days appeared"
        time.sleep(0.02)


def test_stopped_or_killed_in_the_middle_it_verifies_clean_and_a_rerun_gives_the_same_bytes(
    terminal: Terminal, tmp_path: Path, prefect_server: str
) -> None:
    stopped = terminal.start(*LONG_RUN)
    wait_for_days(terminal, 2)
    stopped.terminate()
    asked = time.monotonic()
    stopped.communicate(timeout=20)
    assert time.monotonic() - asked < 10
    assert stopped.returncode not in {0, -signal.SIGKILL}
    assert terminal("health", "--files").returncode == 0
    before = days_in(terminal)
    assert 2 <= before < DAYS - 2

    killed = terminal.start(*LONG_RUN)
    reads, failures = 0, []
    while days_in(terminal) < before + 2 and killed.poll() is None:
        answer = terminal("sql", "select count(*) from interactions")
        reads += 1
        failures += [answer.stderr] if answer.returncode else []
        time.sleep(0.1)  # it is to come forward beside the reader
    killed.kill()
    killed.communicate(timeout=10)
    assert reads > 0
    assert failures == []
    assert killed.returncode == -signal.SIGKILL
    found = days_in(terminal)
    assert found < DAYS
    verdict = terminal("health", "--files", "--json")
    assert verdict.returncode == 0, verdict.stdout
    assert json.loads(verdict.stdout)["findings"] == []
    Lake(read_settings({"SHELFPRICE_HOME": str(terminal.home)})).finish_interrupted()  # as the next command does first
    found = days_in(terminal)

    again = terminal(*LONG_RUN, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] == found
    undisturbed = Terminal(tmp_path / "undisturbed")
    assert undisturbed(*LONG_RUN).returncode == 0
    assert parts(terminal) == parts(undisturbed)


@pytest.mark.slow
def test_another_shelf_and_store_go_the_whole_way_to_a_quote(
    terminal: Terminal, tmp_path: Path, prefect_server: str
) -> None:
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
    loop = terminal("pipeline", "--days", "3", "--stores", "12", *here, "--json")
    assert loop.returncode == 0, loop.stderr
    assert json.loads(loop.stdout)["days"][2]["policy"] == "stock_aware"
    quote = terminal("quote", "--sku", "'); drop table x; --", "--stock", "5", *here, "--json")
    assert quote.returncode == 0, quote.stderr
    assert 1.4 <= json.loads(quote.stdout)["price"] <= 3.2
    table = terminal("quote", "--sku", "../../x", "--stock", "5", *here)
    assert "مرحبا 🥨" in table.stdout
    names = terminal("sql", "--csv", "select product_name from products order by 1")
    assert "<script>alert(1)</script>" in names.stdout
    assert terminal("health", "--files").returncode == 0
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["quote", "--sku", "MILK", "--stock", "8"], 1, "run `shelfprice demo`"),
        (["quote", "--sku", "BEER", "--stock", "8"], 1, "the shelf has MILK"),
        (["quote", "--sku", "MILK", "--stock", "-1"], 2, "--stock"),
        (["sql", "select 1"], 1, "there is no warehouse yet"),
        (["health", "--files"], 1, "expected a lake"),
        (["ingest", "/nowhere.csv"], 1, "/nowhere.csv: expected a file"),
        (["ingest", "/nowhere.csv", "--column", "sku"], 1, "--column sku: expected OURS=THEIRS"),
        (["ingest", "/nowhere.csv", "--decimal", ";"], 2, "--decimal"),
        (["simulate", "--days", "0"], 2, "--days"),
        (["simulate", "--start", "tomorrow"], 2, "tomorrow"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_a_mistake_gets_one_clear_line_and_an_honest_exit_code(
    terminal: Terminal, arguments: list[str], code: int, said: str
) -> None:
    answer = terminal(*arguments)
    assert answer.returncode == code
    assert said in answer.stderr
    assert answer.stdout == ""


def test_a_mistake_that_a_flow_finds_gets_one_line_from_the_program_as_installed(
    terminal: Terminal, prefect_server: str
) -> None:
    answer = terminal.process("simulate", "--catalog", "/nowhere")
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: --catalog /nowhere: expected a folder")
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""


def test_sql_answers_as_table_csv_json_and_from_standard_input_and_is_read_only(sold: Terminal) -> None:
    question = "select sku, base_price from products where sku = 'MILK'"
    assert sold("sql", "--csv", question).stdout == "sku,base_price\nMILK,1.5\n"
    assert json.loads(sold("sql", "--json", question).stdout) == {
        "columns": ["sku", "base_price"],
        "rows": [["MILK", 1.5]],
    }
    assert "MILK" in sold("sql", stdin=question).stdout
    refused = sold("sql", "create table x as select 1")
    assert refused.returncode == 1
    assert "read-only" in refused.stderr
    wrong = sold("sql", "selec 1")
    assert wrong.returncode == 1
    assert "syntax error" in wrong.stderr


@pytest.mark.parametrize(
    ("modules", "slow"),
    [
        (
            "flows.cli.main, serving.book.store, warehouse.checks.proof, flows.cli.sql",
            {"prefect", "mlflow", "sklearn", "matplotlib"},
        ),
        # whoever deploys, sells or groups trains no model
        (
            "flows.nightly, flows.pipeline, plugins.live.flow, plugins.evaluation.flows",
            {"mlflow", "sqlalchemy", "sklearn", "skops", "scipy.stats", "matplotlib", "river"},
        ),
    ],
)
def test_nothing_slow_is_imported_before_it_is_used(modules: str, slow: set[str]) -> None:
    code = f"import sys; import {modules}; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_reset_removes_what_was_made_and_nothing_else(sold: Terminal) -> None:
    mine = sold.home / "mine.txt"
    mine.write_text("keep me", encoding="utf-8")
    declined = sold("reset", "--yes")
    assert declined.returncode == 1
    assert "mine.txt" in declined.stderr
    assert (sold.home / "lake").is_dir()
    mine.unlink()
    assert sold("reset", "--yes").returncode == 0
    assert not sold.home.exists()


@pytest.mark.slow
def test_compare_prints_the_tables_as_json_and_refuses_what_it_does_not_know(
    terminal: Terminal, prefect_server: str
) -> None:
    answer = terminal("compare", "--world", "classic", "--days", "2", "--seeds", "2", "--json")
    assert answer.returncode == 0, answer.stderr
    (found,) = json.loads(answer.stdout)["worlds"]
    assert {"as_shipped", "static"} < {row["learner"] for row in found["learners"]}
    kept = terminal("sql", "select count(distinct seed) from regret_by_day", "--csv")
    assert kept.stdout.split()[-1] == "2"
    refused = terminal("compare", "--world", "magic")
    assert refused.returncode == 1
    assert "found 'magic'; nothing was played" in refused.stderr
