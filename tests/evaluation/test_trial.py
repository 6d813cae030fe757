"""Switchback trials: a balanced design, an honest interval, and days that are ordinary days of the lake."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from elsewhere import Elsewhere
from hypothesis import given
from hypothesis import strategies as st
from once_a_run import copy_home

from catalog.errors import DataError, Declined
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from catalog.spread import HERE
from desk.price_changes.request import PriceRequest, ask
from etl.batches import batches_of, without_live_days
from etl.ledger import in_force_in
from evaluation.contestants import with_true_demand
from evaluation.harness import play_part
from evaluation.trial.design import Design
from evaluation.trial.estimate import differences, outcome_from, outcome_of
from evaluation.trial.hold_trial import TrialRequest, TrialResult, hold_trial, plan_trial
from evaluation.trial.power import detectable, plan_of, power, spread_of
from evaluation.trial.repeated_trials import Calibration, calibrate
from evaluation.trial.switchback_sales import TrialBatch, play_trial
from evaluation.worlds import built_in
from operate.replay.day import replay
from serving.live_prices import play_again
from serving.policies import policy_without_model
from serving.price_book import PriceBook
from serving.pricing_policy import PricingPolicy
from serving.tabulate import tabulate
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace, whereabouts

pytestmark = pytest.mark.play

START = dt.date(2026, 1, 5)
SHELF = load(CLASSIC)
SCARCE = next(world.catalog for world in built_in(SHELF) if world.name == "200 visits")
RUNS = 300
SOLD_IN_A_TRIAL = ("interactions", "repricings", "days_in_force", "trial_blocks")


def design(days: int = 14, stores: int = 3, block: int = 48, washout: int = 0, seed: int = 1) -> Design:
    names = tuple(f"S{number}" for number in range(stores))
    return Design("static", "stock_aware", START, days, names, 48, block, washout, seed)


designs = st.builds(
    design,
    days=st.integers(3, 20).map(lambda half: 2 * half),
    stores=st.integers(1, 4),
    block=st.sampled_from([8, 12, 16, 48]),
    washout=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
)


@given(designs)
def test_each_policy_sells_every_hour_of_the_day_equally_often_in_every_store(made: Design) -> None:
    assert (2 * made.is_b.sum(axis=1) == made.days).all()
    assert sorted(day for pair in made.pairs for day in pair) == list(range(made.days))
    first, second = np.array(made.pairs).T
    assert (made.is_b[:, first] != made.is_b[:, second]).all()
    assert (replace(made).is_b == made.is_b).all()


@given(designs)
def test_a_washout_leaves_out_the_ticks_after_a_switch_and_no_others(made: Design) -> None:
    weights = made.weights.reshape(*made.is_b.shape, made.block_ticks)
    is_switched = made.is_b[..., 1:] != made.is_b[..., :-1]
    assert (weights[..., 1:, : made.washout_ticks][is_switched] == 0).all()
    assert (weights[..., 1:, : made.washout_ticks][~is_switched] == 2).all()
    assert (weights[..., made.washout_ticks :] == 1).all()
    assert (weights[..., 0, :] == 1).all()


def test_full_fortnights_are_paired_by_weekday_and_another_seed_throws_other_coins() -> None:
    assert design(days=16).pairs == [*((day, day + 7) for day in range(7)), (14, 15)]
    assert (design(seed=1).is_b != design(seed=2).is_b).any()


def test_what_counts_adds_up_to_the_difference_of_whole_days_on_average_over_the_coins() -> None:
    of_tick = np.random.default_rng(5).random((1, 6, 48))
    found = []
    for seed in range(1_500):
        made = design(days=6, stores=1, block=8, washout=3, seed=seed)
        is_b = np.repeat(made.is_b, 8, axis=2)
        found.append(differences(made, of_tick * np.where(is_b, 3.0, 1.0)).mean())
    assert np.mean(found) == pytest.approx(2 * of_tick.sum(axis=2).mean(), rel=0.02)


@pytest.mark.parametrize(
    ("days", "stores", "block", "washout", "said"),
    [
        (13, 3, 48, 0, "even number of days"),
        (2, 2, 48, 0, "at least 3 pairs"),
        (14, 3, 20, 0, "blocks that fill a store day of 48 ticks"),
        (14, 3, 0, 0, "blocks that fill"),
        (14, 3, 8, 8, "washout shorter than a block"),
    ],
)
def test_a_design_that_cannot_be_balanced_is_refused(
    days: int, stores: int, block: int, washout: int, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        design(days, stores, block, washout)


@pytest.mark.parametrize("n_pairs", [3, 7, 42])
def test_the_planned_power_is_what_simulated_trials_reach(n_pairs: int) -> None:
    effect = detectable(1.0, n_pairs)
    assert power(effect, 1.0, n_pairs) == pytest.approx(0.8)
    draws = np.random.default_rng(n_pairs).normal(effect, 1.0, (4_000, n_pairs))
    assert np.mean([outcome_from(own, 1.0).is_decided for own in draws]) == pytest.approx(0.8, abs=0.02)
    assert power(0.0, 1.0, n_pairs) == pytest.approx(0.05)


def test_a_plan_says_what_three_percent_would_take_and_past_days_are_compared_within_a_store() -> None:
    days = np.array([[90.0, 110.0, 95.0, 105.0], [900.0, 1_100.0, 950.0, 1_050.0]])
    spread = spread_of(days)
    assert spread.source == "from 8 past store days"
    assert spread.variation < 0.16  # the stores' own levels, ten times apart, do not count
    plan = plan_of(design(), spread_of(None))
    assert plan.spread.variation == 0.1
    assert plan.days_for_wanted is not None
    assert plan_of(design(days=plan.days_for_wanted), spread_of(None)).warning is None
    assert plan_of(design(days=plan.days_for_wanted - 2), spread_of(None)).warning is not None
    assert spread_of(days, 0.3).variation == 0.3


def many(
    a: PricingPolicy, b: PricingPolicy, made: Design, catalog: Catalog, book: PriceBook | None = None, runs: int = RUNS
) -> Calibration:
    return calibrate(catalog, (a, b), made, runs, 11, book)


@pytest.mark.parametrize(("block", "washout"), [(48, 0), (8, 1)])
def test_a_policy_tried_against_itself_is_found_different_in_about_five_percent(block: int, washout: int) -> None:
    static = policy_without_model(SHELF, "static")
    best = with_true_demand(SHELF, START)
    book = tabulate(best, SHELF, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    found = many(static, static, design(block=block, washout=washout), SHELF, book)
    assert 0.02 <= found.rejected <= 0.09
    assert abs(found.bias_eur) < 4 * found.error_eur


def test_whole_days_cover_the_true_difference_also_where_stock_is_scarce() -> None:
    static, best = policy_without_model(SCARCE, "static"), with_true_demand(SCARCE, START)
    found = many(static, best, design(), SCARCE)
    assert found.truth_eur > 30
    assert found.coverage >= 0.92
    assert abs(found.bias_eur) < 4 * found.error_eur


@pytest.mark.slow
def test_hours_cover_it_with_plenty_of_stock_and_need_the_value_of_stock_where_it_is_scarce() -> None:
    made = design(block=8, washout=1)
    static, best = policy_without_model(SHELF, "static"), with_true_demand(SHELF, START)
    book = tabulate(best, SHELF, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    assert many(static, best, made, SHELF, book, 100).coverage >= 0.88
    scarce = next(world.catalog for world in built_in(SHELF) if world.name == "400 visits")
    static, best = policy_without_model(scarce, "static"), with_true_demand(scarce, START)
    book = tabulate(best, scarce, dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    with_value, without = (many(static, best, made, scarce, own, 60) for own in (book, None))
    assert abs(with_value.bias_eur) < abs(without.bias_eur) / 10
    assert with_value.coverage < 0.5  # and even so only to first order: whole days are the default for that


def test_days_that_are_equal_are_no_evidence_whatever_they_differ_by_in_rounding() -> None:
    made = design()
    rewards = np.full((3, 14, 48), 1.0) + np.random.default_rng(1).normal(0, 1e-13, (3, 14, 48))
    found = outcome_of(made, rewards, rewards.sum(axis=2))
    assert (found.effect_eur, found.p_value, found.is_decided) == (0.0, 1.0, False)


@pytest.fixture
def workspace(sell_two_days: Callable[[Path], Settings], tmp_path: Path) -> Workspace:
    """Two days were sold, the second from a price book."""
    settings = sell_two_days(tmp_path)
    return Workspace(settings, SHELF, Lake(settings))


def asked(**changes: object) -> TrialRequest:
    return replace(TrialRequest("static", "stock_aware", days=4, stores=3, seed=3), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[None, 4.0], ids=["days", "hours"])
def held_once(
    sell_two_days: Callable[[Path], Settings],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> tuple[Path, TrialResult]:
    """Return a home in which a trial was held, which is copied, and the trial."""
    settings = sell_two_days(tmp_path_factory.mktemp("trial"))
    return settings.home, hold_trial(Workspace(settings, SHELF, Lake(settings)), asked(hours=request.param))


@pytest.fixture
def held(held_once: tuple[Path, TrialResult]) -> TrialResult:
    return held_once[1]


@pytest.fixture
def after_trial(held_once: tuple[Path, TrialResult], tmp_path: Path) -> Workspace:
    """Return a copy of the workspace in which the trial was held."""
    settings = copy_home(held_once[0], tmp_path)
    return Workspace(settings, SHELF, Lake(settings))


def test_days_of_a_trial_are_replayed_to_the_same_bytes_and_each_decision_names_its_policy(
    held: TrialResult, after_trial: Workspace
) -> None:
    made = held.planned.trial.design
    for date in made.dates:
        decisions = [part for part in replay(after_trial.settings, date) if part.part == "decisions"]
        assert decisions
        assert all(part.is_same for part in decisions)
        for batch, is_b in held.planned.trial.batches(date):
            rows = after_trial.lake.read(batch.partition).to_pandas()
            expected = np.where(is_b[rows["tick"] // made.block_ticks], "stock_aware", "static")
            assert (rows["policy"].astype(str) == expected).all()
            assert (rows["propensity"] == 1.0).all()


def test_a_trial_is_kept_once_and_sells_nothing_twice(held: TrialResult, after_trial: Workspace) -> None:
    lake, trial = after_trial.lake, held.planned.trial
    before = [lake.receipt(part) for part in lake.partitions("trials")]
    again = hold_trial(
        after_trial, replace(asked(), start=trial.design.start, hours=None if trial.design.is_by_day else 4)
    )
    assert again == held
    assert [lake.receipt(part) for part in lake.partitions("trials")] == before
    assert {one.action for one in play_trial(after_trial, trial)} == {"unchanged"}
    blocks = lake.read(Partition("trial_blocks", None, trial.name)).to_pandas()
    assert len(blocks) == trial.design.is_b.size
    gains = blocks.groupby("arm")["counted_eur"].sum()
    assert (gains["b"] - gains["a"]) / held.outcome.n_pairs == pytest.approx(held.outcome.effect_eur)
    (row,) = lake.read(Partition("trials", None, trial.name)).to_pylist()
    assert row["effect_eur"] == held.outcome.effect_eur


@pytest.mark.parametrize("hours", [None, 4.0], ids=["days", "hours"])
def test_a_trial_has_the_same_bytes_wherever_its_days_are_sold(
    hours: float | None,
    sell_two_days: Callable[[Path], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sold = []
    for number, spread in enumerate((HERE, Elsewhere())):
        home = tmp_path / str(number)
        monkeypatch.setenv("SHELFPRICE_HOME", str(home))
        settings = sell_two_days(home)
        lake, told = Lake(settings), list[tuple[int, int]]()
        found = hold_trial(
            Workspace(settings, SHELF, lake),
            asked(hours=hours),
            progress=lambda _, done, total, told=told: told.append((done, total)),  # type: ignore[misc]
            spread=spread,
        )
        parts = [part for table in SOLD_IN_A_TRIAL for part in lake.partitions(table)]
        sold.append((found, told, {part: lake.sha256(part) for part in parts}))
    assert sold[0] == sold[1]
    assert sold[0][1][-1] == (len(sold[0][1]), len(sold[0][1]))


def test_a_batch_of_a_trial_is_not_sold_at_other_prices_than_were_meant(
    held: TrialResult, after_trial: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(after_trial.settings.home))
    trial = held.planned.trial
    batch, is_b = next(trial.batches(trial.design.start))
    where = whereabouts(replace(after_trial, catalog=trial.catalog), Elsewhere())
    job = TrialBatch(where, trial, batch, is_b, ("static", "of a book that was replaced"))
    before = after_trial.lake.receipt(batch.partition)
    with pytest.raises(Declined, match=f"{batch.business_date} {batch.group}: other prices came into force"):
        Elsewhere()(play_part, [job])
    assert after_trial.lake.receipt(batch.partition) == before


def test_nobody_plays_the_stores_of_a_trial_again(held: TrialResult, after_trial: Workspace) -> None:
    lake, trial = after_trial.lake, held.planned.trial
    assert without_live_days(lake, batches_of(SHELF, trial.design.dates, None)) == []
    left = without_live_days(lake, batches_of(SHELF, trial.design.dates, 5))
    assert {len(batch.stores) for batch in left} == {2}
    batches = [batch.partition for batch, _ in trial.batches(trial.design.start)]
    before = [lake.receipt(part) for part in batches]
    play_again(after_trial, trial.design.start)
    assert [lake.receipt(part) for part in batches] == before


def test_what_people_ordered_stands_under_both_policies_and_the_days_are_replayed_with_it(workspace: Workspace) -> None:
    ask(workspace, PriceRequest("override", "a competitor is cheaper", sku="MILK", store="S01", price=1.29), "anna")
    made = hold_trial(workspace, asked()).planned.trial
    for date in made.design.dates:
        for batch, _ in made.batches(date):
            rows = workspace.lake.read(batch.partition).to_pandas()
            is_set = (rows["sku"].astype(str) == "MILK") & (rows["store_id"].astype(str) == "S01")
            assert set(rows.loc[is_set, "price_offered"]) <= {1.29}
            assert 1.29 not in set(rows.loc[(rows["sku"].astype(str) == "MILK") & ~is_set, "price_offered"])
    parts = [part for part in replay(workspace.settings, made.design.start) if part.part == "decisions"]
    assert parts
    assert all(part.is_same for part in parts)


def test_where_people_turned_the_kill_switch_on_nothing_is_tried(workspace: Workspace) -> None:
    ask(workspace, PriceRequest("kill_switch", "prices look wrong"), "anna")
    with pytest.raises(Declined, match="kill switch is on"):
        plan_trial(workspace, asked())


def test_the_ledger_has_a_row_for_each_turn(workspace: Workspace) -> None:
    trial = hold_trial(workspace, asked(hours=4.0)).planned.trial
    for batch, is_b in trial.batches(trial.design.start):
        rows = in_force_in(workspace.lake, batch.business_date, batch.group)
        assert len(rows) == 1 + np.count_nonzero(is_b[1:] != is_b[:-1])
        assert [row.policy == "stock_aware" for row in rows] == [is_b[row.since // 16] for row in rows]
        assert [row.book_sha256 is not None for row in rows] == [row.policy == "stock_aware" for row in rows]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"b": "static"}, "found static twice"),
        ({"b": "magic"}, "expected a policy out of static, .*'magic'"),
        ({"start": START}, "has decisions already"),
        ({"days": 1}, "even number of days"),
        ({"stores": 1, "days": 6, "variation": 0.5}, "will often be missed"),
    ],
)
def test_a_trial_that_cannot_say_anything_is_refused_before_it_sells(
    workspace: Workspace, changes: dict[str, object], said: str
) -> None:
    before = len(list(workspace.lake.partitions("interactions")))
    with pytest.raises((DataError, Declined), match=said):
        hold_trial(workspace, asked(**changes))
    assert len(list(workspace.lake.partitions("interactions"))) == before


def test_without_a_price_book_greedy_has_nothing_to_sell_from_and_hours_no_value_of_stock(settings: Settings) -> None:
    lake = Lake(settings)
    lake.prepare()
    empty = Workspace(settings, SHELF, lake)
    for question in (asked(b="rule", hours=2.0), asked(b="greedy")):
        with pytest.raises(DataError, match="expected a price book"):
            plan_trial(empty, question)
    guardrails = SHELF.store.guardrails.model_copy(update={"kill_switch": True})
    off = Catalog(SHELF.products, SHELF.store.model_copy(update={"guardrails": guardrails}))
    with pytest.raises(Declined, match="kill switch is on"):
        plan_trial(Workspace(settings, off, lake), asked(b="rule"))
    assert plan_trial(empty, asked(b="rule", days=14)).plan.spread.source.startswith("assumed")
