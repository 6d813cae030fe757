"""Challengers that are bad on purpose: each is refused, and the refusal names the condition and the culprit."""

import datetime as dt
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from mlflow.models import infer_signature
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import FunctionTransformer

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.names import TRUSTED_MODEL_TYPES
from plugins.evaluation.truth import chance_of_sale
from training.fit.candidates import CANDIDATES, FittedModel, fit
from training.fit.dataset import Dataset
from training.judge import load_check as parent
from training.judge.believed_gain import BelievedGain
from training.judge.conditions import Condition
from training.judge.gate import GateInput, Incumbent, Verdict, pass_gate
from training.judge.load_check import SECONDS_ALLOWED, Task, answer, fresh_process, judge_in, verdict_on
from training.mlflow.runs import metadata_of

pytestmark = pytest.mark.play

CATALOG = load(CLASSIC)
AT_BASE = Catalog(
    CATALOG.products,
    CATALOG.store.model_copy(
        update={"policies": CATALOG.store.policies.model_copy(update={"before_champion": "static"})}
    ),
)
LADDER = price_ladder(CATALOG)
RATIO = LADDER / CATALOG.base_prices[:, None]
ONE_HOT = tuple(sorted(f"sku_{sku}" for sku in CATALOG.skus))
FEATURES = ["price_ratio", *ONE_HOT]
BALANCED, _, DEMAND, _ = CANDIDATES
PASSED = Condition("trial", met=True, found="passed")


def ladder_cells(decisions: int, seed: int) -> pd.DataFrame:
    """Decisions spread evenly over the ladder, answered by the default shelf's shoppers."""
    draw = np.random.default_rng(seed)
    offered = draw.multinomial(decisions, np.full(LADDER.size, 1 / LADDER.size))
    cells = pd.DataFrame(
        {
            "sku": np.repeat(np.array(CATALOG.skus, dtype=object), LADDER.shape[1]),
            "price_offered": LADDER.ravel(),
            "price_ratio": RATIO.ravel(),
            "inventory_level": 50.0,
            "n_offered": offered,
            "n_purchased": draw.binomial(offered, chance_of_sale(CATALOG, RATIO.ravel())),
        }
    )
    return cells.assign(**{name: (cells["sku"] == name.removeprefix("sku_")).astype(float) for name in ONE_HOT})


DATA = Dataset(
    ladder_cells(20_000, 1), ladder_cells(10_000, 2), ONE_HOT, dt.date(2026, 3, 8), dt.date(2026, 3, 9), "f" * 64
)
TRUTH = chance_of_sale(CATALOG, DATA.holdout["price_ratio"].to_numpy())


@cache
def good() -> FittedModel:
    """A sound model, fitted where a test first asks for it: what is only collected waits for no forest."""
    return fit(DEMAND, DATA, 0)


@cache
def good_chances() -> np.ndarray:
    return good().p_sale(DATA.holdout)


class Double:
    """A classifier that answers as it is told."""

    classes_ = np.array([0, 1])

    def __init__(self, chance: Callable[[pd.DataFrame], Any]) -> None:
        self.chance = chance

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        p = np.broadcast_to(self.chance(X), len(X)).astype(float)
        return np.column_stack([1 - p, p])


def double(chance: Callable[[pd.DataFrame], Any], features: list[str] | None = None) -> FittedModel:
    return FittedModel(DEMAND, features or FEATURES, Double(chance))


def true_of(X: pd.DataFrame) -> np.ndarray:
    return chance_of_sale(CATALOG, X["price_ratio"].to_numpy())


def sharpened(chance: np.ndarray, factor: float) -> np.ndarray:
    odds = (chance / (1 - chance)) ** factor
    return odds / (1 + odds)


def gain(lower: float, upper: float) -> BelievedGain:
    """Return a gain with a 95 % interval over prices that earn 600 EUR."""
    return BelievedGain((lower + upper) / 2, (upper - lower) / 3.92, 600.0)


EARNS = gain(10, 20)


def gate(
    challenger: FittedModel,
    data: Dataset = DATA,
    *,
    load_check: Condition = PASSED,
    earns: BelievedGain | None = EARNS,
    champion: Incumbent | None = None,
    rolled_back_on: dt.date | None = None,
    borne_out: float = 0.0,
    shares: dict[str, float] | None = None,
) -> Verdict:
    found = GateInput(challenger, data, AT_BASE, load_check, earns, champion, rolled_back_on=rolled_back_on)
    return pass_gate(replace(found, borne_out=borne_out, shares=shares or {}))


def champion_trained(days_ago: int, p_sale: np.ndarray = TRUTH) -> Incumbent:
    return Incumbent(p_sale, DATA.judged_through - dt.timedelta(days=days_ago))


def one_class() -> FittedModel:
    return replace(good(), model=RandomForestClassifier(3).fit(DATA.training[FEATURES], np.zeros(len(DATA.training))))


def leaky(column: str) -> FittedModel:
    return double(true_of, [*FEATURES, column])


LEAKS = replace(DATA, holdout=DATA.holdout.assign(budget_multiplier=1.0, purchased=1.0))
NO_MILK = replace(DATA, training=DATA.training[DATA.training["sku"] != "MILK"])
ONE_PRICE = replace(DATA, training=DATA.training[(DATA.training["sku"] != "MEAT") | (DATA.training.index % 20 == 3)])

BAD: dict[str, tuple[Callable[[], FittedModel], Dataset, list[str]]] = {
    "constant": (lambda: double(lambda _: 0.35), DATA, ["base rate", "at least 0.001 less wanted"]),
    "single class": (one_class, DATA, ["base rate"]),
    "sees the budget": (lambda: leaky("budget_multiplier"), LEAKS, ["known when pricing", "it sees budget_multiplier"]),
    "sees the purchase": (lambda: leaky("purchased"), LEAKS, ["known when pricing", "it sees purchased"]),
    "rising in price": (
        lambda: double(lambda X: np.clip(X["price_ratio"] / 2, 0, 1)),
        DATA,
        ["10 % higher never sells more", "for BREAD, CHEESE, EGGS, MEAT, MILK", "by 0.0"],
    ),
    "rising for one product": (
        lambda: double(lambda X: np.where(X["sku_EGGS"] == 1, X["price_ratio"] / 2, true_of(X))),
        DATA,
        ["10 % higher never sells more", "for EGGS; worst EGGS at 1.60, by 0.080"],
    ),
    "not a number": (lambda: double(lambda _: np.nan), DATA, ["is a probability", "100 of 100"]),
    "infinite": (lambda: double(lambda _: np.inf), DATA, ["is a probability", "100 of 100"]),
    "above one": (lambda: double(lambda X: true_of(X) * 1.5), DATA, ["is a probability", "of 100 are not"]),
    "negative": (lambda: double(lambda X: true_of(X) - 0.2), DATA, ["is a probability", "of 100 are not"]),
    "nearly sure of everything": (
        lambda: double(lambda X: sharpened(true_of(X), 2.7)),
        DATA,
        ["is calibrated", "calibration error 0.1", "of which 0.005"],
    ),
    "overconfident": (
        lambda: double(lambda X: sharpened(true_of(X), 1.7)),
        DATA,
        ["is reliable", "slope 0.6", "of 0.7 to 1.4"],
    ),
    "underconfident": (lambda: double(lambda X: sharpened(true_of(X), 0.4)), DATA, ["is reliable", "slope 2."]),
    "too hopeful": (
        lambda: double(lambda X: np.minimum(true_of(X) + 0.15, 1)),
        DATA,
        ["is calibrated", "calibration error 0.1"],
    ),
    "balanced and not corrected": (
        lambda: replace(fit(BALANCED, DATA, 0), odds_factor=1.0),
        DATA,
        ["is calibrated", "mean chance +0."],
    ),
    "a product nobody saw": (good, NO_MILK, ["every product was seen", "MILK"]),
    "a price that never varied": (good, ONE_PRICE, ["every price varied", "one price only for MEAT"]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_challenger_that_predicts_badly_is_refused_for_that(name: str) -> None:
    challenger, data, said = BAD[name]
    verdict = gate(challenger(), data)
    assert not verdict.promoted
    assert not verdict.waits
    refusals = "; ".join(verdict.refusals)
    assert [part for part in said if part not in refusals] == []


def test_a_good_challenger_passes_with_and_without_a_champion() -> None:
    assert gate(good()).refusals == []
    assert gate(good(), champion=champion_trained(3)).refusals == []
    assert gate(double(true_of)).refusals == []


def forgets_meat(X: pd.DataFrame) -> np.ndarray:
    return np.where(X["sku_MEAT"] == 1, true_of(X) * 0.75, true_of(X))


MONEY: dict[str, tuple[Callable[[], dict[str, Any]], list[str]]] = {
    "one product regresses": (
        lambda: {"champion": champion_trained(3), "challenger": double(forgets_meat)},
        ["no product regresses", "worst MEAT: log loss +0.0"],
    ),
    "earns less than base prices": (
        lambda: {"earns": gain(-30, -10)},
        ["more than the base prices", "20.00 EUR less", "to 10.00 EUR less"],
    ),
    "not shown to earn more than base prices": (
        lambda: {"earns": gain(-1, 9)},
        ["base prices", "from 1.00 EUR less to 9.00 EUR more"],
    ),
    "no price book": (lambda: {"earns": None}, ["base prices", "no estimate"]),
    "no better than a fresh champion": (
        lambda: {"earns": gain(-4, 9), "champion": champion_trained(7, good_chances())},
        ["stale", "2.50 EUR more", "not seen the last 7 days, stale after 7"],
    ),
    "worse than a stale champion": (
        lambda: {"earns": gain(-20, -10), "champion": champion_trained(8, good_chances())},
        ["not worse than the champion", "15.00 EUR less", "to 10.00 EUR less"],
    ),
    "judges worse than a stale champion": (
        lambda: {
            "earns": gain(-4, 9),
            "champion": champion_trained(8),
            "challenger": double(lambda X: true_of(X) * 0.95),
        },
        ["not worse than the champion", "0.001 tolerated"],
    ),
}


@pytest.mark.parametrize("name", MONEY)
def test_a_challenger_that_promises_no_money_is_refused_by_how_much(name: str) -> None:
    given, said = MONEY[name]
    verdict = gate(**({"challenger": good()} | given()))
    assert len(verdict.refusals) == 1
    assert [part for part in said if part not in verdict.refusals[0]] == []
    assert verdict.waits == (name != "one product regresses")


def test_a_challenger_that_is_not_worse_replaces_a_stale_champion() -> None:
    assert gate(good(), earns=gain(-4, 9), champion=champion_trained(8, good_chances())).promoted
    said = gate(good(), earns=gain(-4, 9), champion=champion_trained(8, good_chances())).conditions[-1].found
    assert said.startswith("as good, and fresher: expected to earn 2.50 EUR more")
    better = gate(good(), earns=gain(4, 9), champion=champion_trained(8, good_chances())).conditions[-1].found
    assert better.startswith("earns more: expected to earn 6.50 EUR more")
    unknown_age = Incumbent(good_chances(), None)
    assert gate(good(), earns=gain(-4, 9), champion=unknown_age).promoted


def test_a_challenger_that_is_not_worse_replaces_a_champion_that_no_longer_holds_and_a_worse_one_does_not() -> None:
    young = champion_trained(1, good_chances())
    assert not gate(good(), earns=gain(-4, 9), champion=young).promoted
    drifted = replace(young, drifted_since=DATA.judged_through)
    verdict = gate(good(), earns=gain(-4, 9), champion=drifted)
    assert verdict.promoted
    assert f"otherwise than the champion says since {DATA.judged_through}" in verdict.conditions[-1].found
    assert not gate(good(), earns=gain(-19, -1), champion=drifted).promoted
    worse = gate(replace(good(), odds_factor=1.2), earns=gain(-4, 9), champion=drifted)
    assert not worse.conditions[-1].met


def test_a_champion_of_another_shelf_does_not_stand_in_the_way() -> None:
    assert gate(good(), champion=Incumbent(None, DATA.judged_through)).promoted


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good model's folder, as training logs it."""
    return save(good().model, tmp_path_factory.mktemp("models") / "good")


@pytest.fixture
def spoiled(stored: Path, tmp_path: Path) -> Path:
    shutil.copytree(stored, tmp_path / "model")
    return tmp_path / "model"


def save(model: Any, folder: Path) -> Path:
    rows = DATA.holdout[FEATURES].head()
    mlflow.sklearn.save_model(
        model,
        folder,
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED_MODEL_TYPES),
        signature=infer_signature(rows, np.zeros((5, 2))),
        pip_requirements=["scikit-learn"],
        metadata=metadata_of(good()),
    )
    return folder


def describe(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    file = folder / "MLmodel"
    described = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(described)
    file.write_text(yaml.safe_dump(described), encoding="utf-8")


def resign(folder: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    def edit(described: dict[str, Any]) -> None:
        columns = json.loads(described["signature"]["inputs"])
        change(columns)
        described["signature"]["inputs"] = json.dumps(columns)

    describe(folder, edit)


def rewrite(folder: Path, change: Callable[[bytes], bytes]) -> None:
    file = folder / "model.skops"
    file.write_bytes(change(file.read_bytes()))


def replace_model(folder: Path, model: Any) -> None:
    skops.io.dump(model, folder / "model.skops")


def other_forest() -> RandomForestClassifier:
    draw = np.random.default_rng(0)
    return RandomForestClassifier(3).fit(DATA.training[FEATURES], draw.integers(0, 2, len(DATA.training)))


STORED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "reordered columns": (lambda f: resign(f, list.reverse), "expected 'price_ratio' as double, found 'sku_MILK'"),
    "missing column": (lambda f: resign(f, list.pop), "expected 'sku_MILK' as double, found None"),
    "extra column": (
        lambda f: resign(f, lambda c: c.append({"type": "double", "name": "budget_multiplier", "required": True})),
        "expected None as double, found 'budget_multiplier'",
    ),
    "integer schema": (lambda f: resign(f, lambda c: c[0].update(type="long")), "found 'price_ratio' as long"),
    "no signature": (lambda f: describe(f, lambda d: d.pop("signature")), "cannot be read"),
    "another scikit-learn": (
        lambda f: describe(f, lambda d: d["flavors"]["sklearn"].update(sklearn_version="0.24.2")),
        "was built with scikit-learn 0.24.2, expected 1.",
    ),
    "pickle": (
        lambda f: describe(f, lambda d: d["flavors"]["sklearn"].update(serialization_format="cloudpickle")),
        "is kept as cloudpickle, which can run code",
    ),
    "loader of its own": (
        lambda f: describe(f, lambda d: d["flavors"]["python_function"].update(loader_module="its_own")),
        "would run the code of its_own where MLflow loads it",
    ),
    "code beside it": (
        lambda f: describe(f, lambda d: d["flavors"]["python_function"].update(code="code")),
        "would run the code of code where MLflow loads it",
    ),
    "corrupt file": (lambda f: rewrite(f, lambda b: b[:200] + b"\xff" * 4000 + b[4200:]), "cannot be read"),
    "truncated file": (lambda f: rewrite(f, lambda b: b[:1000]), "cannot be read"),
    "empty file": (lambda f: rewrite(f, lambda _: b""), "cannot be read"),
    "missing file": (lambda f: (f / "model.skops").unlink(), "cannot be read"),
    "missing description": (lambda f: (f / "MLmodel").unlink(), "cannot be read"),
    "description of something else": (lambda f: (f / "MLmodel").write_text("- a\n"), "cannot be read"),
    "untrusted type": (lambda f: replace_model(f, FunctionTransformer(double)), "holds the untrusted type"),
    "regressor": (
        lambda f: replace_model(f, RandomForestRegressor(3).fit(DATA.holdout[FEATURES], TRUTH)),
        "is a RandomForestRegressor, expected a classifier",
    ),
    "single class": (lambda f: replace_model(f, one_class().model), "tells the classes [0] apart"),
    "never fitted": (lambda f: replace_model(f, RandomForestClassifier()), "fails when it is asked (AttributeError"),
    "made for other columns": (
        lambda f: replace_model(f, RandomForestClassifier(3).fit(DATA.holdout[["price_ratio"]], TRUTH > 0.5)),
        "fails when it is asked (ValueError",
    ),
    "not what was judged": (lambda f: replace_model(f, other_forest()), "off those that were judged"),
    "not smoothed": (lambda f: describe(f, lambda d: d["metadata"].pop("smoothing")), "off those that were judged"),
    "odds not corrected": (
        lambda f: describe(f, lambda d: d["metadata"].update(odds_factor=2.0)),
        "off those that were judged",
    ),
}


@pytest.mark.filterwarnings("ignore")  # what damaged models warn about is not ours
@pytest.mark.parametrize("name", STORED)
def test_a_model_that_is_stored_badly_fails_its_trial_and_the_gate(spoiled: Path, name: str) -> None:
    spoil, said = STORED[name]
    spoil(spoiled)
    rows = DATA.holdout[FEATURES].to_numpy().tolist()
    reply = answer(Task(str(spoiled), FEATURES, rows))
    trial = verdict_on(reply, good_chances(), SECONDS_ALLOWED)
    assert said in trial.found
    verdict = gate(good(), load_check=trial)
    assert [refusal.split(":")[0] for refusal in verdict.refusals] == ["loads and answers in a fresh process"]


def in_fresh_process(folder: Path, command: tuple[str, ...] = parent.COMMAND, seconds: float = 5.0) -> Condition:
    with fresh_process(command) as fresh:
        return judge_in(fresh, folder, FEATURES, DATA.holdout, good_chances(), seconds)


def test_a_good_model_gives_the_same_answers_in_a_fresh_process(stored: Path) -> None:
    trial = in_fresh_process(stored)
    assert trial.met, trial.found
    assert "100 equal answers" in trial.found


def test_a_corrupt_model_is_refused_by_the_fresh_process(spoiled: Path) -> None:
    rewrite(spoiled, lambda content: content[:1000])
    assert "cannot be read" in in_fresh_process(spoiled).found


def test_a_slow_model_is_refused_by_how_much(stored: Path) -> None:
    trial = in_fresh_process(stored, seconds=0.001)
    assert not trial.met
    assert trial.found.endswith("seconds of at most 0.001")


PROCESSES = {
    "crashes": ("import os; os.abort()", "ended with code 134 and no answer"),
    "says nothing": ("pass", "expected one line of JSON, found ''"),
    "talks nonsense": (
        "import sys; sys.stdin.read(); print('Segmentation fault', end='')",
        "found 'Segmentation fault'",
    ),
    "never answers": ("import time; time.sleep(60)", "no answer within 1 seconds"),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_goes_wrong_refuses_the_model_and_harms_nobody(
    stored: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "START_S", 1.0 if name == "never answers" else 30.0)
    code, said = PROCESSES[name]
    trial = in_fresh_process(stored, (sys.executable, "-c", code), seconds=0.0)
    assert not trial.met
    assert said in trial.found


def test_after_a_rollback_a_challenger_waits_until_it_is_judged_on_what_was_sold_since() -> None:
    early = gate(good(), champion=champion_trained(3), rolled_back_on=DATA.judged_through + dt.timedelta(days=1))
    assert early.refusals == [
        "judged on what was sold since the rollback: judged through 2026-03-09, rolled back for 2026-03-10"
    ]
    assert early.waits
    assert gate(good(), champion=champion_trained(3), rolled_back_on=DATA.judged_through).promoted


def test_a_champion_that_was_gone_back_to_is_not_stale_at_once_however_long_ago_it_was_trained() -> None:
    unclear = gain(-5, 5)
    assert gate(good(), champion=champion_trained(30), earns=unclear).promoted
    for days, is_promoted in ((0, False), (7, False), (8, True)):
        rolled_back_on = DATA.judged_through - dt.timedelta(days=days)
        for champion in (champion_trained(30), Incumbent(TRUTH, None)):
            verdict = gate(good(), champion=champion, earns=unclear, rolled_back_on=rolled_back_on)
            assert verdict.promoted == is_promoted


def test_of_a_version_whose_forests_speak_nothing_is_asked_of_its_curves() -> None:
    rising = double(lambda X: 0.2 + 0.3 * (X["price_ratio"] > 1))
    assert not gate(rising).promoted
    verdict = gate(rising, shares={"product_share": 0.0, "day_share": 1.0})
    assert verdict.promoted
    assert not gate(rising, shares={"day_share": 1.0}, earns=gain(-20, -10)).promoted
    assert not gate(rising, shares={"day_share": 1.0}, load_check=Condition("loads", met=False, found="no")).promoted


@pytest.mark.parametrize(("borne_out", "promoted"), [(0.5, True), (-0.5, False)])
def test_a_stale_champion_gives_way_to_forests_under_which_the_sales_are_no_less_likely(
    borne_out: float, promoted: bool
) -> None:
    as_good = gain(-1, 1)
    verdict = gate(
        good(), earns=as_good, champion=champion_trained(9), borne_out=borne_out, shares={"product_share": 0.5}
    )
    assert verdict.promoted is promoted
    assert not gate(
        good(), earns=as_good, champion=champion_trained(2), borne_out=borne_out, shares={"product_share": 0.5}
    ).promoted
