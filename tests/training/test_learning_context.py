"""A store with rich weekends: the forest that looks at weekdays is best, prices by them, and sees no change in them."""

import datetime as dt
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing_rules import Exploration, Policies
from catalog.records.shoppers import Shock
from catalog.settings import read_settings
from etl.announced import take_in
from etl.batches import batches_of, play_batch
from evaluation.memory_registry import MemoryRegistry
from features.cells import feature_workbench
from flows.workspace import prepared
from serving.champion import Champion
from serving.curves import demand_curves
from serving.in_force import pricing_on
from training.dataset import Dataset
from training.drift_watch import check_champion
from training.learning_days import learning_days
from training.nights import inputs_of
from training.result import TrainingResult
from training.session import train
from training.train_once import train_once
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

FIRST = dt.date(2026, 1, 5)
DAYS = [FIRST + dt.timedelta(days=day) for day in range(16)]
THROUGH, NEWEST = DAYS[13], DAYS[15]
MONDAY, SATURDAY = DAYS[14], dt.date(2026, 1, 24)
SEED = 7
SHELF = load(CLASSIC)


def with_rich_weekends(shift: float = 0.5) -> Catalog:
    weekends = [day for day in DAYS if day.isoweekday() == 6]
    shocks = [Shock(business_date=day, through=day + dt.timedelta(days=1), budget_shift=shift) for day in weekends]
    changes = {
        "stores": ("S01", "S02"),
        "visits_per_day": 400.0,
        "shocks": tuple(shocks),
        "policies": Policies(before_champion="static"),
        "exploration": Exploration(before_champion=0.9),
    }
    return Catalog(SHELF.products, SHELF.store.model_copy(update=changes))


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sixteen days, from a Monday on: two weekends and a Monday and a Tuesday after them."""
    catalog = with_rich_weekends()
    home = tmp_path_factory.mktemp("weekends")
    workspace = prepared(read_settings({"SHELFPRICE_HOME": str(home)}), catalog)
    for batch in batches_of(catalog, DAYS, None):
        play_batch(workspace, batch, pricing_on(workspace.lake, catalog, batch.business_date), SEED)
    return workspace


@pytest.fixture(scope="module")
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture(scope="module")
def reads() -> list[dt.date]:
    return []


@pytest.fixture(scope="module")
def trained(sold: Workspace, registry: MemoryRegistry, reads: list[dt.date]) -> TrainingResult:
    def noted(workspace: Workspace, through: dt.date, since: dt.date | None) -> Dataset:
        reads.append(through)
        return learning_days(workspace, through, since)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("session", "train_once"):
            patch.setattr(f"training.{module}.learning_days", noted)
        found = train_once(sold, registry, THROUGH, SEED)
    assert isinstance(found, TrainingResult)
    return found


@pytest.fixture(scope="module")
def champion(trained: TrainingResult, registry: MemoryRegistry) -> Champion:
    found = registry.load(trained.version)
    assert found is not None
    return found


def test_a_training_reads_its_days_once(trained: TrainingResult, reads: list[dt.date]) -> None:
    assert trained.dataset.judged_through == THROUGH
    assert reads == [THROUGH]


def test_the_forest_that_looks_at_the_weekday_is_nearest_to_the_truth(trained: TrainingResult) -> None:
    assert trained.best == "context_forest"
    excess = {name: scores["excess_log_loss"] for name, scores in trained.scores.items()}
    assert excess["context_forest"] < 0.3 * min(excess[name] for name in excess if name != "context_forest")


def test_what_was_found_stands_in_the_row_of_the_version(sold: Workspace, trained: TrainingResult) -> None:
    row = Partition("model_versions", None, f"v{trained.version}")
    context = json.loads(sold.lake.read(row)["context"][0].as_py())
    assert context["matters"]
    assert context["said"].startswith("the context tells more than prices")
    assert [row["part"] for row in context["importance"]][:2] == ["price ratio", "is weekend"]
    chance = {own["value"]: own["p_sale"] for own in context["dependence"] if own["feature"] == "weekday"}
    assert set(chance) == set(range(1, 8))
    assert min(chance[6], chance[7]) > 0.1 + max(chance[day] for day in range(1, 6))
    assert trained.budget_groups.empty


def test_a_saturday_is_priced_by_a_curve_above_that_of_a_monday(sold: Workspace, champion: Champion) -> None:
    with feature_workbench(sold.settings, within=lambda _: False) as connection:
        monday, saturday = (demand_curves(connection, champion, sold.catalog, day) for day in (MONDAY, SATURDAY))
    rise = (saturday.p_sale - monday.p_sale)[:, 8:12]
    assert (rise > 0.1).all()
    assert (np.diff(monday.p_sale, axis=1) <= 1e-12).all()


def test_a_champion_that_knows_weekends_sees_no_change_on_the_days_after_them(
    sold: Workspace, champion: Champion
) -> None:
    checks = check_champion(sold, champion, DAYS[11], NEWEST)
    assert {check.business_date for check in checks} == set(DAYS[12:])
    assert not any(check.shift for check in checks)


def test_the_next_challenger_is_compared_with_it_on_the_same_cells(
    sold: Workspace, registry: MemoryRegistry, champion: Champion
) -> None:
    registry.follow(champion.version, 1)
    result = train(sold, registry, NEWEST, SEED)
    assert result.champion is not None
    assert result.champion.p_sale is not None
    assert len(result.champion.p_sale) == len(result.dataset.holdout) == len(result.p_sale)
    assert result.dataset.context


def test_an_event_that_is_announced_changes_what_days_and_nights_are_decided_from(
    sold: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(sold.settings.home, tmp_path / "home")
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})
    sold = Workspace(settings, sold.catalog, Lake(settings))

    def facts() -> tuple[str, str]:
        return (
            learning_days(sold, THROUGH, None).fingerprint,
            inputs_of(sold.lake, sold.catalog, THROUGH, SEED),
        )

    def announce(text: str) -> None:
        file = sold.settings.home / "events.csv"
        file.write_text(text)
        take_in(sold.lake, sold.catalog, file)

    before = facts()
    announce("date,event\n2026-06-01,parade\n")
    assert facts() == before
    announce(f"date,event\n{MONDAY},parade\n")  # the date that the night prices
    days, night = facts()
    assert days == before[0]
    assert night != before[1]
    announce(f"date,event\n{DAYS[3]},parade\n")
    assert facts()[0] != before[0]
