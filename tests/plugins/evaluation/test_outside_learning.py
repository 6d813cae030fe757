"""Learning from units: what is lost on the way, that a wrong log does not break a week, and that kills lose nothing."""

import datetime as dt
import os
import random
from pathlib import Path

import numpy as np
import pytest
from forked_work import ForkedWork

from catalog.load import load
from catalog.settings import read_settings
from plugins.connect.labels.export_log import ExportLog
from plugins.evaluation.outside_store.grocer import BAND, STEP, Grocer
from plugins.evaluation.outside_store.learning import KINDS, OWNER_WEEKS, Chain, learned_weeks, losses, rows_of
from plugins.evaluation.outside_store.rehearsal import FIRST_MONDAY, Rehearsal
from plugins.operations.checks.proving import verify
from plugins.own_store.draws.drawn_prices import draw_on
from plugins.own_store.draws.drawn_sales import drawn_sales
from plugins.own_store.learning.belief_from_units import believed_of_units
from warehouse.lake import Lake


@pytest.mark.slow
@pytest.mark.play
def test_five_stores_learn_prices_that_lose_little_and_never_much() -> None:
    played = [learned_weeks(KINDS["plain"].of(seed, 5, 10)) for seed in range(3)]
    first, *_, last = losses(played, lambda own: own.shown)
    owner = losses(played, lambda own: own.owner)[-1]
    assert last < first < owner
    assert last < 0.012
    assert max(own.worst_week for own in played) < 0.03
    assert losses(played, lambda own: own.surest)[-1] <= last + 0.001  # draws cost something, and it fades


@pytest.mark.slow
@pytest.mark.play
@pytest.mark.parametrize("kind", ["told 2 too steep", "half told 2 too steep"])
def test_a_wrong_log_costs_nothing_and_no_week_of_it_is_worse_than_the_owner_s_prices_by_much(kind: str) -> None:
    played = [learned_weeks(KINDS[kind].of(seed, 5, 10)) for seed in range(2)]
    assert losses(played, lambda own: own.shown)[-1] < 0.015
    assert max(own.worst_week for own in played) < 0.03


@pytest.mark.play
def test_prices_keep_the_band_and_the_step_but_for_weeks_at_the_owner_s_price() -> None:
    own = learned_weeks(Chain(Grocer(4, 3), weeks=16), held=(0.3, 0.3))
    prices = own.prices.transpose(2, 1, 0)
    ratios = prices / own.world.owner_prices.T[:, :, None]
    assert (np.abs(ratios - 1) <= BAND + 1e-9).all()
    assert own.is_held.any()
    is_held = np.concatenate([np.zeros((OWNER_WEEKS, *own.is_held.shape[1:]), bool), own.is_held]).transpose(2, 1, 0)
    moves = np.abs(prices[:, :, 1:] / prices[:, :, :-1] - 1)
    assert moves[~is_held[:, :, 1:] & ~is_held[:, :, :-1]].max() <= STEP + 1e-9
    assert (ratios[is_held] == 1).all()


@pytest.mark.slow
def test_what_was_earned_lies_in_its_interval_and_nothing_is_claimed_where_nothing_was_earned() -> None:
    chains = (learned_weeks(KINDS["plain"].of(1000 + n, 10, 10)) for n in range(400))
    found = [(own.earned(), own.earned_without_effect(), own.truly_earned) for own in chains]
    told = [(own, none, truth) for own, none, truth in found if np.isfinite(own.share)]
    assert all(np.isfinite([own.share_low, own.share_high]).all() for own, *_ in told)
    assert np.mean([own.share_low <= truth <= own.share_high for own, _, truth in told]) >= 0.94
    assert np.mean([none.share_low > 0 or none.share_high < 0 for _, none, _ in told]) <= 0.06


def test_a_rehearsal_learns_from_the_lake_what_arrays_teach_and_says_what_was_lost(tmp_path: Path) -> None:
    world, n_weeks = Grocer(1, n_stores=2, units_a_day=20.0, n_products=4), 2
    rehearsal = Rehearsal(tmp_path, world)
    prices, units = rehearsal.sell(n_weeks)
    lake, catalog = rehearsal.engine.workspace.lake, rehearsal.engine.workspace.catalog
    mondays = [FIRST_MONDAY + dt.timedelta(weeks=week) for week in range(OWNER_WEEKS + n_weeks)]
    draws = [draw_on(lake, catalog, monday) for monday in mondays]
    drawn = np.array([world.owner_prices if draw is None else draw.prices for draw in draws])
    assert np.array_equal(prices, drawn), "tills charge what was drawn"
    arrays, found = rows_of(world, prices, units), drawn_sales(lake, catalog, mondays[-1] + dt.timedelta(days=6))
    assert (found.slots, found.n_draws) == (tuple(mondays), n_weeks)
    assert np.ptp(arrays.log_ratios) > 0.1, "prices were drawn"
    for name in ("units", "exposure", "log_ratios"):
        assert np.allclose(getattr(found.rows, name), getattr(arrays, name)), name
    assert np.allclose(believed_of_units(found.rows).slopes, believed_of_units(arrays).slopes)
    lost = rehearsal.losses(prices)
    assert 0 < lost["lost"]["1-2"] < 0.2
    assert lost["owner_lost"]["1-2"] > 0


KILLS, WEEKS = int(os.environ.get("KILLS", "3")), 2


def lake_of(folder: Path) -> Lake:
    return Lake(read_settings({"SHELFPRICE_HOME": str(folder / "home")}))


def bytes_of(folder: Path) -> dict[str, str | None]:
    """Return the SHA-256 of everything that was sold, learned, drawn and sent."""
    lake, tables = lake_of(folder), ("unit_sales", "exposures", "price_draws", "nights", "export_batches")
    return {str(part): lake.sha256(part) for table in tables for part in lake.partitions(table)}


def said_in(folder: Path) -> list[str]:
    """Return what tills and labels said, in whatever parts and whenever it was recorded."""
    lake, when = lake_of(folder), {"taken_at", "recorded_at", "effective_at", "number", "position"}
    parts = [part for table in ("receipt_lines", "label_states") for part in lake.partitions(table)]
    rows = [row for part in parts for row in lake.read(part).to_pylist()]
    return sorted(str({name: value for name, value in row.items() if name not in when}) for row in rows)


@pytest.mark.server
def test_killed_at_random_moments_nothing_is_lost_doubled_or_learned_twice(tmp_path: Path) -> None:
    """A kill meets sales, nights, draws, export or acknowledgements; `KILLS=200` tries more moments."""
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    dice, script = random.Random(os.urandom(8)), Path(__file__).with_name("outside_seller.py")
    for folder in (whole, killed):
        folder.mkdir()
    work = ForkedWork(script, whole)
    try:
        longest = work.run(WEEKS)
    finally:
        work.end()
    work = ForkedWork(script, killed)
    try:
        for _ in range(KILLS):
            work.run(0, kill_after=dice.uniform(0, longest))
        work.run(WEEKS)
    finally:
        work.end()
    assert bytes_of(killed) == bytes_of(whole)
    assert said_in(killed) == said_in(whole)
    assert not verify(lake_of(killed)).findings
    lake, catalog = lake_of(killed), load(killed / "shelf")
    stores, batches = list(catalog.store.stores), ExportLog(lake).history().batches
    for batch in batches:
        draw = draw_on(lake, catalog, batch.effective_at.date())
        assert draw is not None
        for price in batch.prices:
            assert price.price == draw.prices[stores.index(batch.store), catalog.skus.index(price.sku)]
    assert sum(len(batch.prices) for batch in batches) >= WEEKS * len(stores)
    assert lake.dates("price_draws") == [dt.date(2026, 1, 12) + dt.timedelta(weeks=week) for week in range(WEEKS + 1)]
