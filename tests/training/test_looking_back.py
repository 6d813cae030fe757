"""A night looks back to the days that it learns from, and to the newest versions, however many there are."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from plugins.evaluation.memory_registry import MemoryRegistry
from serving.belief.sales import LOOKS_BACK
from training.evening import Evening
from training.night import judged
from training.schedule import Night, inputs_of_night, why_due
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

NIGHT = dt.date(2026, 6, 1)


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    lake = Lake(settings)
    lake.prepare()
    return Workspace(settings, load(CLASSIC), lake)


def learning_from(window_days: int | None) -> Catalog:
    catalog = load(CLASSIC)
    learning = catalog.store.learning.model_copy(update={"window_days": window_days})
    return Catalog(catalog.products, catalog.store.model_copy(update={"learning": learning}))


def sell(lake: Lake, days_ago: int, offered: int) -> None:
    row = {"sku": "MILK", "price_offered": 1.0, "price_ratio": 1.0, "inventory_level": 5, "n_purchased": 1}
    cells = pa.Table.from_pylist([row | {"n_offered": offered}], schema=TABLES["demand_cells"].schema)
    lake.publish(Partition("demand_cells", NIGHT - dt.timedelta(days=days_ago), "g000"), cells, inputs="x")


def judge(lake: Lake, version: int, through: dt.date, *, promoted: bool = False) -> None:
    row: dict[str, Any] = {field.name: "" for field in TABLES["model_versions"].schema}
    row |= dict.fromkeys(("trained_since", "trained_through", "judged_through"), through)
    row |= {"version": str(version), "promoted": promoted}
    row["decided_at"] = dt.datetime.combine(through, dt.time(), dt.UTC)
    table = pa.Table.from_pylist([row], schema=TABLES["model_versions"].schema)
    lake.publish(Partition("model_versions", None, f"v{version}"), table, inputs="x")


def changes_with_cells(workspace: Workspace, window_days: int | None, days_ago: int) -> bool:
    catalog = learning_from(window_days)
    sell(workspace.lake, days_ago, offered=2)
    before = inputs_of_night(workspace.lake, catalog, NIGHT, 7)
    sell(workspace.lake, days_ago, offered=3)
    return inputs_of_night(workspace.lake, catalog, NIGHT, 7) != before


@pytest.mark.parametrize(
    ("window_days", "days_ago", "changes"),
    [
        (28, 0, True),
        (28, LOOKS_BACK - 1, True),
        (28, LOOKS_BACK, False),
        (90, 89, True),
        (90, 90, False),
        (None, 400, True),
        (28, -1, False),
    ],
)
def test_a_night_is_decided_by_the_cells_that_forests_or_the_belief_learn_from(
    workspace: Workspace, window_days: int | None, days_ago: int, changes: bool
) -> None:
    assert changes_with_cells(workspace, window_days, days_ago) is changes


def test_the_version_of_a_night_is_found_also_after_older_days_were_trained_on_again(workspace: Workspace) -> None:
    lake = workspace.lake
    assert judged(workspace, NIGHT, None) == Night(NIGHT, "priced")
    judge(lake, 9, NIGHT)
    judge(lake, 10, NIGHT, promoted=True)
    judge(lake, 11, NIGHT - dt.timedelta(days=3))
    assert judged(workspace, NIGHT, None) == Night(NIGHT, "priced", "10", promoted=True, said="")
    earlier = NIGHT - dt.timedelta(days=3)
    assert judged(workspace, earlier, None) == Night(earlier, "priced", "11", promoted=False, said="")
    assert why_due(Evening(workspace, MemoryRegistry(), NIGHT)).because is None
