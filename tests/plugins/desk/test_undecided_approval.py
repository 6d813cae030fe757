"""Where prices wait for a person and nobody decides, the shelf moves within what passes, and the cost is told."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.records.deliveries import Deliveries
from catalog.records.pricing import Approval
from catalog.records.shoppers import Shock
from catalog.settings import read_settings
from dashboard.data.desk import acts
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.notices import health_of
from dashboard.data.reader import Reader
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import found_on
from dashboard.prefect.control import live_control
from plugins.desk.law.shown import day_prices_before
from plugins.desk.price_changes.proposals import passing, proposals_on, waiting_now
from plugins.desk.price_changes.record import all_changes
from plugins.desk.standing import openings_without_orders
from plugins.evaluation.living_store import LivingStore
from plugins.operations.checks.models import check_waiting
from training.night import run_night
from training.schedule import recorded
from warehouse.lake import Lake
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

DATES = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(4)]
NEXT = DATES[-1] + dt.timedelta(days=1)
SEED = 3
RULES = Approval(within_of_yesterday=0.05, within_of_base=0.1)


def shop(approval: Approval = RULES, *, stops: bool = False) -> Catalog:
    """Return two stores of two goods that spoil, whose owner asks too much of shoppers who have less than usual."""
    fresh = load()
    much = {"shelf_life_days": 2, "par_stock": 60, "deliveries": Deliveries(quantity=40)}
    products = tuple(own.model_copy(update=much) for own in fresh.products if own.sku in {"MILK", "MEAT"})
    update: dict[str, Any] = {
        "stores": ("S01", "S02"),
        "popularity": {},
        "visits_per_day": 120.0,
        "freshest_share": 0.5,
    }
    rails = fresh.store.guardrails.model_copy(update={"kill_switch": stops})
    poorer = Shock(business_date=DATES[0], through=NEXT, budget_shift=-0.25)
    update |= {"approval": approval, "guardrails": rails, "shocks": (poorer,)}
    return Catalog(products, fresh.store.model_copy(update=update))


def lived(home: Path, catalog: Catalog) -> tuple[Workspace, float]:
    """Live through four days, each but the last with its night; return the workspace, and what was earned, EUR."""
    store, earned = LivingStore(read_settings({"SHELFPRICE_HOME": str(home)}), catalog, SEED), 0.0
    for date in DATES:
        earned += store.sell(date).gain_eur
        if date != DATES[-1]:
            store.night_without_training(date)
    return store.workspace, earned


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, float]:
    return lived(tmp_path_factory.mktemp("undecided") / "home", shop())


@pytest.fixture
def workspace(undecided: tuple[Workspace, float], tmp_path: Path) -> Workspace:
    """Return a home of one's own, in which the last night is not done."""
    home = tmp_path / "home"
    shutil.copytree(undecided[0].settings.home, home)
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    return Workspace(settings, shop(), Lake(settings))


def desk_of(workspace: Workspace) -> PriceDesk:
    return PriceDesk(workspace.settings, Reader(workspace.settings), lambda: workspace.catalog)


def test_with_nobody_deciding_approval_earns_at_least_what_base_prices_earn(
    undecided: tuple[Workspace, float], tmp_path: Path
) -> None:
    _, at_base = lived(tmp_path / "base", shop(stops=True))
    assert undecided[1] >= at_base


def test_every_label_and_sticker_passes_by_rule_and_what_waits_moves_day_by_day(
    undecided: tuple[Workspace, float],
) -> None:
    lake, catalog = undecided[0].lake, undecided[0].catalog
    moved = 0
    for date in DATES:
        before = day_prices_before(lake, catalog, date)
        lowest, highest = passing(catalog, slice(None), before)
        for part in lake.partitions_on("repricings", date):
            for row in lake.read(part).to_pylist():
                place = catalog.store.stores.index(row["store_id"]), catalog.positions[row["sku"]]
                assert lowest[place] <= row["new_price"] <= highest[place]
                assert row["sticker_eur"] is None or row["sticker_eur"] >= lowest[place]
                waits = "not_approved" in [clamp["rule"] for clamp in row["clamps"]]
                moved += waits and row["new_price"] != before[place]
    assert moved


def test_approving_one_price_approves_the_price_that_was_seen_and_changes_no_other(workspace: Workspace) -> None:
    desk = desk_of(workspace)
    before = {row.id: row for row in desk.sheet().rows}
    chosen = next(row for row in before.values() if row.state == "waits")
    acts.approve(desk, [chosen.id], {chosen.id: chosen.proposed})
    after = {row.id: row for row in desk.sheet().rows}
    assert (after[chosen.id].state, after[chosen.id].stands) == ("approved", chosen.proposed)
    others = {name for name in before if name != chosen.id}
    assert {(after[own].proposed, after[own].stands) for own in others} == {
        (before[own].proposed, before[own].stands) for own in others
    }


def test_the_night_records_what_each_store_wants_and_a_look_reads_the_record(workspace: Workspace) -> None:
    store = LivingStore(workspace.settings, workspace.catalog, SEED)
    store.night_without_training(DATES[-1])
    rows, made = list(desk_of(workspace).sheet().rows), proposals_on(workspace.lake, workspace.catalog, NEXT)
    assert made.are_recorded.all()
    assert all(row.is_recorded for row in rows)
    new = {(own.terms.store, own.terms.sku): own.terms.new_price for own in made.documents.values()}
    assert new
    np.testing.assert_array_equal(
        [[row.proposed for row in rows if row.store == store] for store in workspace.catalog.store.stores],
        openings_without_orders(workspace.lake, workspace.catalog, NEXT),
    )
    assert {(row.store, row.sku): row.proposed for row in rows}.items() >= new.items()


def test_what_waiting_costs_stands_in_the_words_of_the_night_in_health_on_overview_and_in_the_light(
    workspace: Workspace, tmp_path: Path
) -> None:
    store = LivingStore(workspace.settings, workspace.catalog, SEED)
    night = run_night(workspace, store.registry, DATES[-1], SEED)
    waiting = waiting_now(workspace)
    assert waiting is not None
    proposed = [change for change in all_changes(workspace.lake) if change.last == "proposed"]
    costs = [own.terms.expected_cost or 0.0 for own in proposed if own.terms.valid_from.date() == NEXT]
    assert (waiting.date, waiting.count, waiting.is_over) == (NEXT, len(costs), False)
    assert waiting.cost == pytest.approx(sum(costs))
    assert waiting.cost > 0
    said = waiting.in_words(workspace.catalog.store.money)
    assert said is not None
    assert said in (night.said or "")
    assert night == recorded(workspace.lake, DATES[-1])
    assert [(check.state, check.found) for check in check_waiting(workspace)] == [("warning", said)]
    for file in ("products.yaml", "store.yaml"):
        shutil.copy(DEFAULT_DIR / file, tmp_path)
    with (tmp_path / "store.yaml").open("a", encoding="utf-8") as file:
        file.write("approval: {within_of_yesterday: 0.05}\n")
    notices = found_on(Monitor(workspace.settings, live_control(workspace.settings), tmp_path), DATES[-1])
    assert said in [notice.title for notice in notices]
    assert health_of(None, [own for own in notices if own.title == said], 0).reasons[0] == said
