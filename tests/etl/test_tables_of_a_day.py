import datetime as dt
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.reasons import Changes, reasons
from catalog.decisions.store_day import BOUGHT, StoreDay
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.records.guardrails import Guardrails
from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from etl.extract import interactions_of, repricings_of
from etl.load import conform, dimensions_are_current, load_dimensions, load_store_day
from etl.twin.store_day import play
from plugins.evaluation.truth import chance_of_sale
from plugins.operations.checks.proving import verify
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import limits_of
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition
from warehouse.parquet import coded
from warehouse.query.connection import workbench_with_marts

HOSTILE = ["<script>alert(1)</script>", "'); drop table x; --", "../../x", "x" * 10_000, "🧀👩‍👩‍👧‍👦"]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_rows_in_any_order_come_out_by_store_and_time(shelf: Catalog, played_day: StoreDay, seed: int) -> None:
    rows = interactions_of(played_day, shelf)
    shuffled = conform(rows.take(np.random.default_rng(seed).permutation(rows.num_rows)))
    keys = list(zip(shuffled["store_id"].to_pylist(), shuffled["seen_at"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert shuffled.schema == TABLES["interactions"].schema
    by_all = [(name, "ascending") for name in ("seen_at", "shopper_id", "price_offered")]
    plain = [table.set_column(0, "store_id", table["store_id"].cast(pa.string())) for table in (shuffled, rows)]
    assert plain[0].sort_by(by_all).to_pylist() == plain[1].sort_by(by_all).to_pylist()


def test_interactions_say_what_was_played(shelf: Catalog, played_day: StoreDay) -> None:
    rows = interactions_of(played_day, shelf)
    assert rows.schema == TABLES["interactions"].schema
    assert rows.num_rows == len(played_day.product)
    assert np.array_equal(rows["purchased"].to_numpy(), played_day.outcome == BOUGHT)
    first = rows.to_pylist()[0]
    opening = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
    assert first["seen_at"] == opening + dt.timedelta(microseconds=int(played_day.since_opening_us[0]))
    assert first["sku"] == shelf.skus[played_day.product[0]]
    assert first["product_name"] == shelf.product(first["sku"]).name
    assert (first["policy"], first["model_version"]) == ("rule", None)
    for row in rows.to_pylist():
        assert row["tick"] == (row["seen_at"] - opening) // dt.timedelta(minutes=15)
        assert (row["outcome"] == "bought") == row["purchased"]
        assert (row["outcome"] == "out_of_stock") == (row["inventory_level"] == 0)


def test_every_repricing_is_an_opening_or_a_change(shelf: Catalog, played_day: StoreDay) -> None:
    rows = repricings_of(played_day, shelf)
    assert rows.schema == TABLES["repricings"].schema
    table = rows.to_pandas()
    openings = table["old_price"].isna()
    assert openings.sum() == len(shelf.skus) * len(shelf.store.stores)
    assert (openings == (table["tick"] == 0)).all()
    assert (table["old_price"] != table["new_price"]).all()
    before = table.groupby(["store_id", "sku"], observed=True)["new_price"].shift()
    assert before.equals(table["old_price"].rename(before.name))
    assert not table.duplicated(list(TABLES["repricings"].key)).any()
    assert table["p_sale"].isna().all()
    assert set(table["binding_rule"]) == {"base_price", "low_stock", "exploration"}
    assert ((table["binding_rule"] == "exploration") == table["explored"]).all()


def test_the_price_in_force_is_the_price_every_visitor_was_offered(shelf: Catalog, played_day: StoreDay) -> None:
    changes = repricings_of(played_day, shelf).select(["store_id", "sku", "tick", "new_price"]).to_pandas()
    visits = interactions_of(played_day, shelf).select(["store_id", "sku", "tick", "price_offered"]).to_pandas()
    keys = ["store_id", "sku"]
    met = pd.merge_asof(visits.sort_values("tick"), changes.sort_values("tick"), on="tick", by=keys)
    assert len(met) == len(visits)
    assert (met["new_price"] == met["price_offered"]).all()


RULES = ("base_price", "low_stock", "exploration", "greedy", "stock_value", "largest_step", "frozen", "kill_switch")
NOTHING = np.nan
SENTENCES = {
    "Opened Milk at 1.50: it is the base price": (0, NOTHING, 1.50, 1.50, False, 0, 9, 60, NOTHING, NOTHING),
    "Raised Milk 1.35 -> 1.62: stock is low": (0, 1.35, 1.62, 1.62, False, 1, 9, 60, NOTHING, NOTHING),
    "Lowered Bread 1.32 -> 1.10: trying a price to learn demand": (
        *(1, 1.32, 1.10, 1.10, True, 2, 9, 60, NOTHING, NOTHING),
    ),
    "Raised Eggs 1.00 -> 1.10: it promises the most per visit, chance of sale 43 %": (
        *(2, 1.0, 1.1, 1.1, False, 3, 9, 60, 0.426, NOTHING),
    ),
    "Raised Milk 1.35 -> 1.62: 8 left with 3 h to go, a unit kept is worth 1.31, chance of sale 54 %": (
        *(0, 1.35, 1.62, 1.62, False, 4, 8, 180, 0.54, 1.308),
    ),
    "Raised Milk 1.35 -> 1.62: 8 left with 2 h 45 min to go, a unit kept is worth 1.31": (
        *(0, 1.35, 1.62, 1.62, False, 4, 8, 165, NOTHING, 1.308),
    ),
    "Raised Milk 1.35 -> 1.62: 1 left with 15 min to go, chance of sale 54 %": (
        *(0, 1.35, 1.62, 1.62, False, 4, 1, 15, 0.54, NOTHING),
    ),
    "Raised Milk 1.35 -> 1.48: the largest step allowed, the policy asked for 1.62, chance of sale 60 %": (
        *(0, 1.35, 1.48, 1.62, False, 5, 8, 180, 0.6, NOTHING),
    ),
    "Raised Milk 1.35 -> 1.48: the largest step allowed, a trial asked for 1.62": (
        *(0, 1.35, 1.48, 1.62, True, 5, 8, 180, NOTHING, NOTHING),
    ),
    "Kept Milk at 1.10: its price is frozen": (0, 1.1, 1.1, 1.1, False, 6, 9, 60, NOTHING, NOTHING),
    "Opened Milk at 1.10: the kill switch is on": (0, NOTHING, 1.1, 1.1, False, 7, 9, 60, NOTHING, NOTHING),
    "Opened Milk at 1.10: the kill switch is on, the policy asked for 1.20": (
        *(0, NOTHING, 1.1, 1.2, False, 7, 9, 60, NOTHING, NOTHING),
    ),
    "Kept Milk at 1.50: its price is frozen": (0, 1.5, 1.5, NOTHING, False, 6, 9, 60, NOTHING, NOTHING),
}


def test_the_reason_of_a_decision_reads_as_a_sentence(shelf: Catalog) -> None:
    twice = [*SENTENCES.values(), *SENTENCES.values()]
    written = reasons(shelf, RULES, Changes(*(np.array(column) for column in zip(*twice, strict=True))))
    assert written.to_pylist() == [*SENTENCES, *SENTENCES]
    assert len(written.dictionary) == len(SENTENCES)


@pytest.fixture(scope="session")
def guarded_day(shelf: Catalog) -> StoreDay:
    """A day on which steps, endings and turns of moving bind often, from curves that are the truth."""
    rails = Guardrails(largest_step=0.15, price_ending=9, moving_share=0.4, frozen={"EGGS": 1.05})
    guarded = Catalog(shelf.products, shelf.store.model_copy(update={"guardrails": rails}))
    ladder = price_ladder(guarded)
    chances = chance_of_sale(guarded, ladder / guarded.base_prices[:, None])
    curves = DemandCurves(guarded.skus, ladder, chances, "7")
    policy = Storefront(
        GreedyPolicy(curves), curves, exploration=ExplorationPlan(0.5, ladder), limits=limits_of(guarded)
    )
    return play(guarded, policy, ("S01", "S02"), dt.date(2026, 1, 5), 7)


def test_every_repricing_carries_its_own_clamps_what_they_cost_and_what_was_asked_for(
    shelf: Catalog, guarded_day: StoreDay
) -> None:
    day = guarded_day
    rows = repricings_of(day, shelf)
    assert rows.schema == TABLES["repricings"].schema
    shape = day.decisions.prices.shape
    own: dict[tuple[int, ...], list[dict[str, object]]] = {}
    for clamp in day.decisions.clamps:
        place = tuple(int(one) for one in np.unravel_index(clamp["decision"], shape))
        change = {"rule": day.rules[clamp["rule"]], "before": clamp["before"], "after": clamp["after"]}
        own.setdefault(place, []).append(change)
    assert {len(changes) for changes in own.values()} >= {1, 2}
    told = day.decisions.told
    row_of = dict(
        zip(zip(*(at.tolist() for at in np.unravel_index(told.changed, shape)), strict=True), count(), strict=False)
    )
    for row in rows.to_pylist():
        place = (row["tick"], day.stores.index(row["store_id"]), shelf.skus.index(row["sku"]))
        assert row["clamps"] == own.get(place, [])
        assert row["unconstrained_price"] == told.unconstrained[row_of[place]]
        assert row["clamp_cost"] == pytest.approx(told.clamp_cost[row_of[place]])
        if row["clamps"]:
            assert row["binding_rule"] == row["clamps"][-1]["rule"]
            assert row["clamps"][-1]["after"] == row["new_price"]
            asker = "a trial" if row["explored"] else "the policy"
            assert f", {asker} asked for {row['unconstrained_price']:.2f}, chance of sale" in row["reason"]
        else:
            assert row["clamp_cost"] == 0


def test_a_day_is_loaded_once_and_loading_it_again_changes_nothing(
    tmp_path: Path, shelf: Catalog, played_day: StoreDay
) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    first = load_store_day(lake, shelf, played_day, "all", inputs="7", seed=7)
    assert [(done.partition.table, done.action) for done in first] == [
        ("repricings", "written"),
        ("interactions", "written"),
    ]
    again = load_store_day(lake, shelf, played_day, "all", inputs="7", seed=7)
    assert [done.action for done in again] == ["unchanged", "unchanged"]
    assert lake.read(Partition("interactions", played_day.business_date, "all")).num_rows == len(played_day.product)
    assert verify(lake).findings == ()


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_reaches_every_table_literally_and_no_file_outside_the_lake(
    tmp_path: Path, shelf: Catalog, played_day: StoreDay, name: str
) -> None:
    hostile = Catalog((shelf.products[0].model_copy(update={"name": name}), *shelf.products[1:]), shelf.store)
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, hostile, [name])
    load_store_day(lake, hostile, played_day, "all", inputs="7", seed=7)
    with workbench_with_marts(settings) as connection:
        found = connection.execute(
            "select (select product_name from products where sku = 'MILK'), (select shopper_name from shoppers), "
            "(select any_value(product_name) from daily_sales where sku = 'MILK'), "
            "(select reason from repricings where sku = 'MILK' and tick = 0 and store_id = 'S01')"
        ).fetchone()
    assert found is not None
    assert found[:3] == (name, name, name)
    assert f"Opened {name} at " in found[3]
    assert {path.name for path in tmp_path.iterdir()} == {"lake", "locks"}
    assert verify(lake).findings == ()


def test_the_shelf_in_the_lake_is_current_until_any_value_changes(tmp_path: Path, shelf: Catalog) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    assert not dimensions_are_current(lake, shelf)
    load_dimensions(lake, shelf, ["Ann Lee"])
    assert dimensions_are_current(lake, shelf)
    dearer = shelf.products[0].model_copy(update={"base_price": 1.51})
    assert not dimensions_are_current(lake, Catalog((dearer, *shelf.products[1:]), shelf.store))


def test_a_rule_that_two_wrapped_policies_share_is_one_word_and_always_the_same_bytes() -> None:
    codes = np.array([0, 2, 1, 2, 0])
    column = coded(codes, ["sold_out", "stock_value", "stock_value"])
    assert column.to_pylist() == ["sold_out", "stock_value", "stock_value", "stock_value", "sold_out"]
    assert column.dictionary.to_pylist() == ["sold_out", "stock_value"]
