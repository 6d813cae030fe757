"""The closed loop, at small size, through real Prefect flows and a real registry."""

import datetime as dt
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from mlflow.artifacts import download_artifacts
from mlflow.models import Model
from mlflow.tracking import MlflowClient

from catalog.errors import DamagedError, DataError, Declined, ModelError
from catalog.load import CLASSIC, DEFAULT_DIR, load
from catalog.names import EARNS_MORE, EARNS_MORE_THAN_BASE, REGISTERED_MODEL
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from features.cells import feature_workbench
from flows.cli.main import app
from flows.nightly import price, train
from flows.pipeline import pipeline, transform
from plugins.operations.checks.proving import verify
from plugins.operations.replay.day import replay
from serving.book.store import book_in_force
from serving.champion import load_champion
from training.champion import Judged, history, settle
from training.fit.session import what_comes_of
from training.judge.conditions import Condition
from training.judge.gate import Verdict
from training.mlflow.experiments import TRAININGS
from training.mlflow.registry import MlflowRegistry
from training.registry import RegistryState
from warehouse.files import sha256_of
from warehouse.lake import Lake
from warehouse.query.connection import read_only
from warehouse.workspace import Workspace

Loop = Any  # the record that tests/flows/conftest.py yields
DAY = dt.date(2026, 3, 2)


def folder_of(settings: Settings, version: str) -> str:
    """Return the folder of a registered model."""
    client = MlflowClient(settings.tracking_uri)
    location = client.get_model_version_download_uri(REGISTERED_MODEL, version)
    return download_artifacts(location, tracking_uri=settings.tracking_uri)


def versions_of(settings: Settings) -> list[str]:
    return [str(one.version) for one in MlflowClient(settings.tracking_uri).search_model_versions()]


def bytes_of(settings: Settings) -> dict[str, str]:
    return {
        str(path.relative_to(settings.lake)): sha256_of(path) for path in sorted(settings.lake.rglob("part-*.parquet"))
    }


def test_the_last_days_are_sold_from_the_champions_price_book(in_the_loop: Loop) -> None:
    with read_only(in_the_loop.settings) as warehouse:
        days = warehouse.execute(
            "select business_date, any_value(policy), any_value(model_version) from interactions group by 1 order by 1"
        ).fetchall()
    assert [day[0] for day in days] == list(in_the_loop.dates)
    assert [day[1] for day in days] == ["static", "static", "stock_aware", "stock_aware"]
    assert [day[2] is None for day in days] == [True, True, False, False]


def test_every_file_of_the_lake_is_proven(in_the_loop: Loop) -> None:
    verdict = verify(Lake(in_the_loop.settings))
    assert verdict.findings == ()
    assert verdict.files > 20


def test_running_the_loop_again_changes_no_byte(in_the_loop: Loop) -> None:
    before = bytes_of(in_the_loop.settings)
    again = pipeline(in_the_loop.dates[2], 2, 6, 7)
    assert again.nights_done_before == 2
    assert bytes_of(in_the_loop.settings) == before


def test_a_training_from_the_same_days_is_the_version_that_there_is_and_the_registry_follows_it(
    in_the_loop: Loop,
) -> None:
    registry = MlflowRegistry(in_the_loop.settings)
    registry.follow("1", 0)  # as a kill leaves it right after the commit
    MlflowClient(in_the_loop.settings.tracking_uri).delete_registered_model_alias(REGISTERED_MODEL, "champion")
    versions = versions_of(in_the_loop.settings)
    known = train(in_the_loop.dates[1], 7)
    assert known.trained_before
    assert (known.version, known.verdict.promoted, known.judged_through) == ("1", True, in_the_loop.dates[1])
    assert registry.state() == RegistryState("1", 1)
    assert versions_of(in_the_loop.settings) == versions


def test_candidates_stand_side_by_side_under_one_parent(in_the_loop: Loop) -> None:
    client = MlflowClient(in_the_loop.settings.tracking_uri)
    experiment = client.get_experiment_by_name(TRAININGS)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert {run.info.run_name for run in children} == {
        f"{in_the_loop.dates[1]} {name}" for name in ("balanced_forest", "plain_forest", "demand_forest")
    }
    assert parents[0].info.run_name == f"{in_the_loop.dates[1]} training"
    assert len(parents[0].inputs.dataset_inputs) == len(("training", "holdout"))
    for run in children:
        assert {"accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier", "calibration_error"} <= set(
            run.data.metrics
        )
        assert "excess_log_loss" in run.data.metrics
        assert [seen.tags[0].value for seen in run.inputs.dataset_inputs] == ["training", "holdout"]
        assert all(seen.dataset.digest for seen in run.inputs.dataset_inputs)
        assert {"features", "seed", "trained_through", "decisions_fitted_on"} <= set(run.data.params)
        assert run.data.tags["mlflow.note.content"]
    with_model = [run for run in children if run.outputs.model_outputs]
    assert [run.data.tags["registered_version"] for run in with_model] == [parents[0].data.tags["registered_version"]]
    for run in children:
        drawn = {"reliability", "precision_recall", "importance"} if run in with_model else set()
        assert pictures_of(client, run.info.run_id) == drawn
    assert pictures_of(client, parents[0].info.run_id) == {"demand_curves"}


def pictures_of(client: MlflowClient, run_id: str) -> set[str]:
    return {Path(item.path).stem for item in client.list_artifacts(run_id, "figures")}


def test_mlflow_says_what_came_of_each_training_and_draws_them_as_lines(in_the_loop: Loop) -> None:
    client = MlflowClient(in_the_loop.settings.tracking_uri, registry_uri=in_the_loop.settings.tracking_uri)
    experiment = client.get_experiment_by_name(TRAININGS)
    assert experiment is not None
    assert "press Compare" in experiment.tags["mlflow.note.content"]
    columns = json.loads(experiment.tags["mlflow.sharedViewState.shelfprice"])["selectedColumns"]
    of_metrics = {name.split("`")[1] for name in columns if name.startswith("metrics.")}
    trainings = client.search_runs(
        [experiment.experiment_id], "tags.registered_version like '%' and tags.gate like '%'"
    )
    assert {run.data.tags["registered_version"]: run.data.tags["gate"] for run in trainings} == {
        "1": "promoted",
        "2": "waits",
    }
    first = next(run for run in trainings if run.data.tags["registered_version"] == "1")
    assert "Version 1: demand_forest, fitted on days" in first.data.tags["mlflow.note.content"]
    assert first.data.metrics["promoted"] == 1
    ends = [first.data.metrics[f"gain_eur/{end}"] for end in ("lower", "estimate", "upper")]
    assert ends == sorted(ends)
    assert first.data.tags["judged_against"] == "the belief without a champion"
    assert of_metrics <= set(first.data.metrics)
    second = next(run for run in trainings if run.data.tags["registered_version"] == "2")
    for step, run in enumerate((first, second), 1):
        assert [metric.step for metric in client.get_metric_history(run.info.run_id, "log_loss")] == [step]
    described = client.get_registered_model(REGISTERED_MODEL)
    assert "models:/shelfprice-demand@champion" in str(described.description)
    assert "- met: is calibrated" in str(client.get_model_version(REGISTERED_MODEL, "1").description)


def test_the_champion_is_data_with_a_signature_and_says_why_it_was_promoted(in_the_loop: Loop) -> None:
    champion = load_champion(in_the_loop.settings)
    assert champion is not None
    assert champion.features[0] == "price_ratio"
    version = MlflowClient(
        in_the_loop.settings.tracking_uri, registry_uri=in_the_loop.settings.tracking_uri
    ).get_model_version(REGISTERED_MODEL, champion.version)
    assert version.tags["candidate"] == "demand_forest"
    assert version.tags["gate"] == "promoted"
    assert "met - better than each product's base rate" in version.tags["gate_reasons"]
    model = Model.load(folder_of(in_the_loop.settings, champion.version))
    assert model.signature is not None
    assert model.flavors["sklearn"]["serialization_format"] == "skops"


def test_the_first_version_earned_its_place_and_the_next_one_waits(in_the_loop: Loop) -> None:
    with read_only(in_the_loop.settings) as warehouse:
        rows = warehouse.execute("select promoted, money, reasons from model_versions order by version").fetchall()
    first, second = (json.loads(row[1]) for row in rows)
    believed = first["believed"]
    assert believed["mean"] - 2.326 * believed["spread"] >= -0.01 * believed["usual"]
    by_log = second["off_policy"]
    assert by_log["dr"]["lower"] <= by_log["truth"] <= by_log["dr"]["upper"]
    assert [row[0] for row in rows] == [True, False]
    open_questions = [reason["condition"] for reason in json.loads(rows[1][2]) if not reason["met"]]
    assert open_questions == [EARNS_MORE]


@pytest.mark.parametrize(
    ("rival", "unmet", "said"),
    [
        ("champion 3", EARNS_MORE, "champion 3 stays; version 4 is sound, but not shown to earn more: gain +1"),
        (
            "base prices",
            EARNS_MORE_THAN_BASE,
            "base prices stay; version 4 is sound, but not shown to earn more: gain +1",
        ),
        ("champion 3", "is calibrated", "champion 3 stays; version 4 was refused: is calibrated: gain +1"),
    ],
)
def test_a_night_without_a_promotion_is_told_calmly_unless_something_is_wrong(
    rival: str, unmet: str, said: str
) -> None:
    verdict = Verdict((Condition("always", met=True, found="yes"), Condition(unmet, met=False, found="gain +1")))
    assert what_comes_of(verdict, "4", rival) == said


def test_the_price_book_holds_every_stock_level_and_time_of_every_product(in_the_loop: Loop) -> None:
    with read_only(in_the_loop.settings) as warehouse:
        counts = warehouse.execute(
            "select count(*), count(distinct (sku, inventory_level, ticks_left)) from price_book"
        ).fetchone()
    states = int((load().most_stock + 1).sum()) * load().store.opening.ticks
    assert counts == (states, states)


def test_a_registry_without_a_champion_is_told_from_one_that_is_away(copy_of_the_loop: Settings) -> None:
    with pytest.raises(DataError, match="expected a champion"):
        price(None, None)


def test_with_the_registry_away_the_last_known_good_book_stands_within_five_seconds(
    copy_of_the_loop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    begun = time.monotonic()
    priced = price(None, None)
    assert time.monotonic() - begun < 5
    assert priced.old_prices_hold is not None
    assert "registry" in priced.old_prices_hold
    known_good = book_in_force(Lake(copy_of_the_loop))
    assert known_good is not None
    assert priced.book.model_version == known_good[0].model_version


@pytest.mark.parametrize("harm", ["truncate", "untrusted", "pickle"])
def test_a_champion_that_is_damaged_or_could_run_code_is_refused(
    in_the_loop: Loop, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = load_champion(in_the_loop.settings)
    assert champion is not None
    folder = tmp_path / "model"
    shutil.copytree(folder_of(in_the_loop.settings, champion.version), folder)
    file = folder / "model.skops"
    if harm == "truncate":
        file.write_bytes(file.read_bytes()[:1000])
    elif harm == "pickle":
        described = (folder / "MLmodel").read_text(encoding="utf-8")
        (folder / "MLmodel").write_text(
            described.replace("serialization_format: skops", "serialization_format: cloudpickle")
        )
    else:
        monkeypatch.setattr("features.stored_model.TRUSTED_MODEL_TYPES", ())
    monkeypatch.setattr("mlflow.artifacts.download_artifacts", lambda **_: str(folder))
    with pytest.raises(ModelError, match=r"old prices hold"):
        load_champion(in_the_loop.settings)


def test_any_client_of_mlflow_gets_the_chances_of_the_champion(
    in_the_loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    champion = load_champion(in_the_loop.settings)
    assert champion is not None
    rows = pd.DataFrame({name: np.linspace(0.5, 1.5, 20) for name in champion.features})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", in_the_loop.settings.tracking_uri)
    found = mlflow.pyfunc.load_model(f"models:/{REGISTERED_MODEL}@champion").predict(rows)
    assert np.abs(found[:, 1] - champion.model.as_classified(rows)).max() == 0


def test_a_champion_of_another_shelf_is_refused_by_name_of_the_feature(in_the_loop: Loop) -> None:
    champion = load_champion(in_the_loop.settings)
    assert champion is not None
    with feature_workbench(in_the_loop.settings) as connection:
        rows = connection.sql("select price_ratio from training_rows limit 1").df()
    with pytest.raises(ModelError, match="expects the feature 'sku_"):
        champion.p_sale(rows)


def test_of_two_promotions_at_once_one_wins(in_the_loop: Loop) -> None:
    verdict = Verdict((Condition("always", met=True, found="yes"),))
    workspace = Workspace(in_the_loop.settings, load(CLASSIC), Lake(in_the_loop.settings))
    before = MlflowRegistry(in_the_loop.settings).state()
    judged = Judged("1", verdict, "99", in_the_loop.dates[-1], TABLES["model_versions"].schema.empty_table(), "x")
    with pytest.raises(Declined, match="but the champion is now"):
        settle(workspace, MlflowRegistry(in_the_loop.settings), judged)
    assert MlflowRegistry(in_the_loop.settings).state() == before


def test_the_first_champion_is_on_record_with_the_date_it_prices_from_and_why(in_the_loop: Loop) -> None:
    changes = history(Lake(in_the_loop.settings))
    assert [(c.version, c.previous, c.action, c.decided_by) for c in changes] == [
        ("1", None, "promoted_by_gate", "the gate")
    ]
    assert changes[0].prices_from == in_the_loop.dates[2]
    reason = "earns as much as the belief that prices without a champion: (as good: )?expected to earn [0-9.]+ EUR "
    assert re.match(reason, changes[0].reason)
    assert MlflowRegistry(in_the_loop.settings).state().change == 1


def test_every_day_of_the_loop_is_replayed_to_the_same_bytes(in_the_loop: Loop) -> None:
    before = bytes_of(in_the_loop.settings)
    parts = {date: replay(in_the_loop.settings, date) for date in in_the_loop.dates}
    assert [len(own) for own in parts.values()] == [4, 4, 7, 7]  # a learning day keeps what it learned
    for own in parts.values():
        assert [part.remark for part in own] == [""] * len(own)
        assert all(part.is_same and part.rebuilt for part in own)
    assert bytes_of(in_the_loop.settings) == before


def test_one_day_of_data_is_too_little_and_no_model_is_registered(in_the_loop: Loop) -> None:
    with pytest.raises(DataError, match="at least two days"):
        train(in_the_loop.dates[0], 7, None)


def test_without_any_data_training_says_what_to_run(empty_home: Path) -> None:
    with pytest.raises(DataError, match="run `shelfprice demo` or `shelfprice ingest FILE`"):
        train(None, 7, None)


def test_a_damaged_partition_is_named_and_the_good_ones_go_on(copy_of_the_loop: Settings) -> None:
    lake = Lake(copy_of_the_loop)
    for folder in ("demand_cells", "receipts/demand_cells"):
        shutil.rmtree(copy_of_the_loop.lake / folder)
    victim = next(iter(lake.partitions("interactions")))
    lake.path(victim).write_bytes(lake.path(victim).read_bytes()[:500])
    with pytest.raises(DamagedError, match=rf"{victim.business_date}/part-g000\.parquet.*backfill --start"):
        transform(None)
    assert [part.business_date for part in lake.partitions("demand_cells")] == list(lake.dates("interactions"))
    assert len(lake.dates("demand_cells")) == 3
    assert [finding.kind for finding in verify(lake).findings] == ["missing"]  # part of its batch, until it is played


def test_each_repricing_of_the_loop_tells_what_was_asked_for_and_what_is_left(in_the_loop: Loop) -> None:
    sentence = r": \d+ left with (\d+ h)?( ?\d+ min)? to go, a unit kept is worth -?\d+\.\d\d, chance of sale \d+ %$"
    with read_only(in_the_loop.settings) as warehouse:
        rows = warehouse.execute(
            "select unconstrained_price, new_price, clamps, clamp_cost, reason from repricings "
            "where binding_rule = 'stock_value'"
        ).fetchall()
    assert len(rows) > 50
    assert [row for row in rows if row[0] != row[1] or row[2] != [] or row[3] != 0] == []
    assert [row[4] for row in rows if not re.search(sentence, row[4])] == []


def test_no_book_of_the_loop_leaves_the_prices_that_were_observed_before_it(in_the_loop: Loop) -> None:
    with read_only(in_the_loop.settings) as warehouse:
        outside = warehouse.execute(
            "select book.business_date, book.sku, book.price from price_book_history as book where not exists "
            "(select 1 from demand_cells as cell where cell.sku = book.sku and cell.business_date < book.business_date "
            "and cell.price_offered <= book.price) or not exists (select 1 from demand_cells as cell where "
            "cell.sku = book.sku and cell.business_date < book.business_date and cell.price_offered >= book.price)"
        ).fetchall()
        flags = warehouse.execute("select bool_or(supported), count(*) from demand_curves group by sku").fetchall()
    assert outside == []
    assert flags == [(True, 20)] * 5


def test_quote_explains_itself_in_words_in_a_table_and_as_json(
    in_the_loop: Loop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(DEFAULT_DIR, shelf, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    store = (shelf / "store.yaml").read_text(encoding="utf-8")
    (shelf / "store.yaml").write_text(store.replace("largest_step: null", "largest_step: 0.05"), encoding="utf-8")
    asked = ["--sku", "MILK", "--stock", "3", "--ticks-left", "12", "--shown", "2.4", "--catalog", str(shelf)]
    quote = typer.main.get_command(app)
    quote.main(["quote", *asked, "--explain"], standalone_mode=False)
    words = " ".join(capfd.readouterr().out.split())
    quote.main(["quote", *asked, "--json"], standalone_mode=False)
    answer = json.loads(capfd.readouterr().out)
    assert answer["price"] == 2.28
    assert answer["clamps"] == [{"rule": "largest_step", "before": answer["unconstrained_price"], "after": 2.28}]
    assert answer["reason"].startswith("Lowered Milk 2.40 -> 2.28: the largest step allowed, the policy asked for ")
    assert answer["reason"] in words
    assert "Binding rule: largest_step; the limits cost " in words


def test_with_the_kill_switch_on_no_price_book_is_written(copy_of_the_loop: Settings, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(DEFAULT_DIR, shelf, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    store = (shelf / "store.yaml").read_text(encoding="utf-8")
    (shelf / "store.yaml").write_text(store.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    before = {name: sha for name, sha in bytes_of(copy_of_the_loop).items() if "booked_prices" in name}
    with pytest.raises(Declined, match="kill_switch is on"):
        price(None, str(shelf))
    assert {name: sha for name, sha in bytes_of(copy_of_the_loop).items() if "booked_prices" in name} == before
