"""The examination in a store that other people wrote: the exchange, our side, and the store itself where it is."""

import datetime as dt
import gzip
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import pytest

from catalog.errors import DataError
from catalog.load import load
from evaluation.outside_store.grocery.draw_in_store import DRAWN, KNOWING, DrawingEngine, by_the_key, examine_draws
from evaluation.outside_store.grocery.examination import FIXED, OURS, OWNER, Examination, LearnedFromReceipts, examine
from evaluation.outside_store.grocery.examination_report import as_record, drawn_record, drawn_report, held, report
from evaluation.outside_store.grocery.exchange import OutsideStore, PricesFrom, StoreOutcome, StorePlay, run_driver
from evaluation.outside_store.grocery.learn_from_receipts import baskets_as_visits, learn
from evaluation.outside_store.grocery.question import ExaminationQuestion
from features.response import PriceResponse, Slope

pytestmark = pytest.mark.play

RECEIPTS = Path(__file__).with_name("outside_store_receipts.csv.gz")
OUTSIDE_PYTHON = os.environ.get("SHELFPRICE_OUTSIDE_PYTHON")
COMMAND = (sys.executable, "-m", "evaluation.outside_store", "grocery-sim", "--python")

DOUBLE = """#!{python}
import gzip, json, pathlib, sys
file = pathlib.Path(sys.argv[-1])
request = json.loads(file.read_text())
outcome = dict(revenue_eur=3.0, margin_eur=2.0, spoiled_eur=0.5, units=1.0, spoiled_units=1.0, shelves_empty=0.1)
plays = {{play["name"]: outcome for play in request["plays"]}}
(file.parent / "answer.json").write_text(json.dumps({{"version": "0", "plays": plays}}))
(file.parent / "answer_key.csv").write_text("sku,elasticity,list_price\\nA,-1.0,2.0\\nB,-2.0,2.0\\n")
(file.parent / "receipts.csv").write_bytes(gzip.decompress(pathlib.Path({receipts!r}).read_bytes()))
"""


@pytest.fixture
def double(tmp_path: Path) -> Path:
    """A Python that answers every request at once, whatever is asked."""
    file = tmp_path / "python"
    file.write_text(DOUBLE.format(python=sys.executable, receipts=str(RECEIPTS)), encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def response(sku: str, lower: float, upper: float, verdict: Any = "told", why: str = "because of 2.5") -> PriceResponse:
    slope = Slope((lower + upper) / 2, lower, upper, 0.1, 0.1, 1e-6)
    return PriceResponse(sku, 100, 50, slope, slope, slope, verdict, why)


def learned(**prices: float) -> LearnedFromReceipts:
    responses = (response("A", -1.5, -0.5), response("B", -1.5, -0.5, "too thin", "from -1.5 to -0.5"))
    return LearnedFromReceipts(10, 1, responses, () if prices else ("calibrated: no",), prices)


def test_without_the_package_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found none .* nothing was played: .*pip install grocery-sim==0\.1\.7"):
        run_driver(Path(sys.executable), tmp_path / "request.json")


def test_the_command_ends_with_1_and_one_line_where_the_package_is_missing() -> None:
    done = subprocess.run([*COMMAND, sys.executable], capture_output=True, text=True, check=False)
    *told, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert told == ["learning from receipts and pricing: 0 of 1"]
    assert last.startswith(f"--python {sys.executable}: expected the package grocery-sim")


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"--python {tmp_path / 'none'}: expected a Python .* name the python of"):
        run_driver(tmp_path / "none", tmp_path / "request.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--learn-days", "300"), "at most 365 days together, found 391"),
        (("--play-days", "3"), "expected at least 28 days, found 3"),
        (("--variation", "0.9"), "expected a share from 0 to 0.5, found 0.9"),
    ],
)
def test_what_the_store_cannot_play_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run([*COMMAND, "python", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_wrong_usage_is_refused_before_anything_slow_is_imported() -> None:
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "python", "--play-days", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "evaluation.outside_store.grocery.question" in imported
    assert imported & {"pandas", "sklearn", "mlflow", "duckdb"} == set()


def test_each_round_reads_what_was_sold_at_the_prices_before(double: Path) -> None:
    asked = ExaminationQuestion(double, learn_days=40, play_days=30, relearn_days=14)
    read: list[Any] = []

    def learner(home: Path, export: Path, question: ExaminationQuestion) -> LearnedFromReceipts:
        request = json.loads((export.parent / "request.json").read_text(encoding="utf-8"))
        read.append(
            (home.name, request["export_through"], request["plays"][0]["changes"], question.objective, question.seed)
        )
        return learned(A=1.0 + len(read))

    found = examine(asked, learner=learner)
    first, second = ({"day": 41, "prices": {"A": 2.0}}, {"day": 55, "prices": {"A": 3.0}})
    assert read == [
        ("home-40", 40, [], "revenue", 1124),
        ("home-54", 54, [first], "revenue", 1124),
        ("home-68", 68, [first, second], "revenue", 1124),
    ]
    assert found.days == (40, 54, 68) == asked.round_days
    assert list(found.outcomes) == [OWNER, FIXED, OURS]
    assert found.truth == {"A": -1.0, "B": -2.0}


def test_only_the_owner_prices_after_the_learning_period_in_his_own_play(double: Path, tmp_path: Path) -> None:
    store = OutsideStore(ExaminationQuestion(double, 1, 40, 30, 0.1), tmp_path)
    answer = store.play([StorePlay(OWNER, owner_prices=True), StorePlay(OURS, changes=[PricesFrom(41, {"A": 2.0})])])
    request = json.loads((answer.folder / "request.json").read_text(encoding="utf-8"))
    assert request["plays"] == [
        {"name": OWNER, "owner_prices": True, "changes": []},
        {"name": OURS, "owner_prices": False, "changes": [{"day": 41, "prices": {"A": 2.0}}]},
    ]
    assert (request["counted"], request["variation"], request["export_through"]) == ([41, 70], 0.1, 0)


def test_every_receipt_is_a_visit_to_each_product_that_was_on_the_shelf(tmp_path: Path) -> None:
    header = (
        "store,receipt_id,timestamp,sku,product_name,category,quantity,unit_price,promotion,regular_price,unit_cost"
    )
    rows = [
        "S,1,2025-01-02 08:00:00,A,Apple,Fruit,2,1.00,0,1.00,0.5",
        "S,2,2025-01-02 09:00:00,B,Bread,Bakery,1,2.00,0,2.00,",
        "S,2,2025-01-02 09:00:00,B,Bread,Bakery,1,2.00,0,2.00,",  # the till posted it twice
        "S,3,2025-01-03 09:00:00,A,Apple,Fruit,1,0.80,1,1.00,0.5",
        "S,3,2025-01-03 09:00:00,B,Bread,Bakery,1,2.00,0,2.00,",
        "S,3,2025-01-03 09:00:00,B,Bread,Bakery,-1,2.00,0,2.00,",  # and voided
    ]
    file = tmp_path / "receipts.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    visits = duckdb.sql(f"from read_csv('{baskets_as_visits(file)}')").df()
    told = visits[["shopper", "sku", "unit_price", "purchased"]].to_numpy().tolist()
    assert told == [
        [1, "A", 1.0, 1],
        [1, "B", 2.0, 0],
        [2, "A", 1.0, 0],
        [2, "B", 2.0, 1],
        [3, "A", 0.8, 1],
        [3, "B", 2.0, 0],
    ]


@pytest.mark.parametrize("grain", ["receipts", pytest.param("visits", marks=pytest.mark.slow)])
def test_the_recorded_receipts_go_through_the_engine_and_say_why_nothing_is_priced(
    grain: Literal["receipts", "visits"], tmp_path: Path
) -> None:
    receipts = tmp_path / "receipts.csv"
    receipts.write_bytes(gzip.decompress(RECEIPTS.read_bytes()))
    found = learn(tmp_path / "home", receipts, ExaminationQuestion(Path(), seed=7, grain=grain, objective="margin"))
    assert {own.sku for own in found.responses} == set(pd.read_csv(RECEIPTS)["sku"])
    assert found.rows > 10 * found.rejected
    assert all(own.why for own in found.responses)
    assert found.unmet
    assert found.prices == {}
    assert load(tmp_path / "home" / "shelf").store.policies.objective == "margin"


def test_the_report_counts_what_was_told_and_held() -> None:
    outcome = StoreOutcome(3000.0, 2000.0, 500.0, 900.0, 100.0, 0.05)
    outcomes = {OWNER: outcome, FIXED: outcome, OURS: replace(outcome, margin_eur=2150.0)}
    found = Examination("0.1.7", (181,), (learned(A=1.1),), {"A": -1.0, "B": -2.0}, outcomes)
    asked = ExaminationQuestion(Path("python"))
    text = report(asked, found)
    assert held(found.rounds[0].responses, found.truth) == (1, 2)
    assert "Told: 1 of 2 products, 1 priced. The model became champion." in text
    assert "for 1 of 1 told products" in text
    assert "for 1 of 2 all products" in text
    assert "| too thin | from … to … | 1 |" in text
    assert "| our prices | 3,000 | 2,150 | 500 | 1,650 | +10.0% | 5.0% |" in text
    record = json.loads(json.dumps(as_record(asked, found)))
    assert [own["true_elasticity"] for own in record["rounds"][0]["responses"]] == [-1.0, -2.0]
    assert record["outcomes"][OURS]["kept_eur"] == 1650.0


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    """The receipts up to a Sunday, and all of them."""
    every = pd.read_csv(RECEIPTS, parse_dates=["timestamp"])
    history, whole = tmp_path / "history.csv", tmp_path / "receipts.csv"
    every[every["timestamp"] < "2025-02-03"].to_csv(history, index=False)
    every.to_csv(whole, index=False)
    return history, whole


def test_nights_draw_within_the_owners_rules_from_what_the_tills_took(
    tmp_path: Path, halves: tuple[Path, Path]
) -> None:
    history, whole = halves
    engine = DrawingEngine(tmp_path / "engine", history, ExaminationQuestion(Path("python"), learn_days=33, draws=True))
    product, monday = engine.catalog.products[0], dt.date(2025, 2, 3)
    stands = product.base_price
    for week in range(2):
        price = engine.prices_from(monday + dt.timedelta(weeks=week))[product.sku]
        assert max(0.75 * product.base_price, product.unit_cost) <= price <= 1.25 * product.base_price
        assert abs(price / stands - 1) <= 0.1 + 0.005 / stands
        stands = price
        engine.take(whole, monday + dt.timedelta(weeks=week))
    sold = pd.read_csv(whole, parse_dates=["timestamp"])
    assert engine.answers == {"taken": int((sold["timestamp"] >= "2025-02-03").sum())}
    assert len(engine.engine.workspace.lake.dates("price_draws")) == 2
    assert {round(float(price), 2) for price in (product.base_price, stands)} != {product.base_price}


def test_drawn_prices_begin_on_a_monday_and_are_played_beside_those_of_the_answer_key(double: Path) -> None:
    question = ExaminationQuestion(double, learn_days=36, play_days=13, draws=True).in_whole_weeks()
    assert (question.learn_days, question.play_days) == (40, 7)
    found = examine_draws(question)
    assert found.first_monday == dt.date(2025, 2, 10)
    assert list(found.outcomes) == [OWNER, FIXED, DRAWN, KNOWING]
    text = drawn_report(question, found)
    assert "Till lines: none." in text
    assert "cannot say what its prices brought" in text
    assert json.loads(json.dumps(drawn_record(question, found)))["earned"] is None


def test_the_way_to_the_prices_of_the_answer_key_keeps_the_owners_step(
    tmp_path: Path, halves: tuple[Path, Path]
) -> None:
    question = ExaminationQuestion(Path("python"), learn_days=33, draws=True)
    catalog = DrawingEngine(tmp_path / "engine", halves[0], question).catalog
    base = catalog.products[0].base_price
    ways = {slope: by_the_key(catalog, {catalog.skus[0]: slope}, question, 4) for slope in (-0.5, -4.0)}
    ratios = {slope: [one.prices[catalog.skus[0]] / base for one in way] for slope, way in ways.items()}
    assert ratios[-0.5] == pytest.approx([1.1, 1.21, 1.25, 1.25], abs=0.002)
    best = catalog.products[0].unit_cost / base * 4 / 3
    assert ratios[-4.0][-1] == pytest.approx(best, abs=0.002)


@pytest.mark.parametrize("beside", [("--variation", "0.1"), ("--relearn-days", "14"), ("--grain", "visits")])
def test_draws_stand_beside_no_other_way_to_learn(beside: tuple[str, str]) -> None:
    done = subprocess.run([*COMMAND, "python", "--draws", *beside], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "expected none of --variation, --relearn-days and --grain" in done.stderr


@pytest.mark.skipif(
    OUTSIDE_PYTHON is None,
    reason="SHELFPRICE_OUTSIDE_PYTHON names no Python that has grocery-sim (docs/outside-store.md says how to get one)",
)
def test_the_store_sells_at_our_prices_and_meets_the_same_shoppers_before(tmp_path: Path) -> None:
    store = OutsideStore(ExaminationQuestion(Path(str(OUTSIDE_PYTHON)), 1124, 40, 28, 0.1), tmp_path)
    before = store.play([StorePlay(FIXED)], export_through=40)
    truth = before.elasticities()
    assert len(truth) > 100
    assert all(value < 0 for value in truth.values())
    sku = pd.read_csv(before.receipts)["sku"].value_counts().idxmax()
    after = store.play([StorePlay(FIXED), StorePlay(OURS, changes=[PricesFrom(41, {sku: 9.87})])], export_through=60)
    lines = pd.read_csv(after.receipts, parse_dates=["timestamp"])
    learning = lines[lines["timestamp"] < "2025-02-10"].reset_index(drop=True)
    assert len(pd.read_csv(before.receipts)) == pytest.approx(len(learning), rel=0.02)  # slips of paper differ
    ours = lines[(lines["timestamp"] >= "2025-02-10") & (lines["sku"] == sku)]
    ours = ours[(ours["promotion"] == 0) & (ours["quantity"] > 0)]
    assert set(ours["unit_price"]) == {9.87}
    assert after.outcomes[FIXED] == before.outcomes[FIXED] != after.outcomes[OURS]
