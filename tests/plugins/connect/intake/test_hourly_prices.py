"""Prices of an outside store that are remade within the day from what it sold and who came."""

import datetime as dt
from pathlib import Path
from typing import Any

import hourly_store
import numpy as np
import pytest
from hourly_store import FIRST_DATE, OWNERS_DATE, RULES, STORE, HourlyStore

from catalog.errors import Declined
from catalog.load import Catalog, load
from catalog.names import OWNER
from plugins.connect.intake.intake import TakenIn
from plugins.own_store.draws.hourly_prices import HourlyStorefront
from plugins.own_store.draws.outside_day import reprice, taught_by
from plugins.own_store.draws.outside_day import reprice_outside as remake
from serving.learning.updates import LearningPolicy
from serving.store.in_force import pricing_on
from training.schedule import night_to_do
from warehouse.lake import Partition
from warehouse.query.connection import read_only


@pytest.fixture
def store(tmp_path: Path) -> HourlyStore:
    return HourlyStore(tmp_path)


def test_a_day_is_priced_hourly_within_the_band_and_every_price_is_on_record(store: HourlyStore) -> None:
    base, shown = store.catalog.base_prices, []
    for hour in (8, 9, 10):
        store.engine.remake(store.at(f"{hour:02}:00"))
        shown.append(store.show(f"{hour:02}:00"))
        assert np.array_equal(shown[-1], store.standing()), "what holds is what tills charge"
        store.sell(hour)
    ratios = np.array(shown) / base
    assert ((ratios >= 0.795) & (ratios <= 1.205)).all()
    assert (np.abs(np.diff(np.array(shown), axis=0)) <= 0.2 * np.array(shown)[:-1] + 0.005).all()
    assert len(np.unique(np.array(shown), axis=0)) > 1, "prices move"
    drawn = store.rows("hourly_draws")
    assert {row["tick"] for row in drawn} == {0, 4, 8}
    assert [row["price"] for row in drawn if row["tick"] == 8] == shown[2].tolist()
    assert [row["shelf_price"] for row in drawn if row["tick"] == 8] == base.tolist()
    assert all(0 < row["propensity"] <= 1 for row in drawn)
    store.engine.night(FIRST_DATE)
    sold = store.rows("interactions")
    assert {row["policy"] for row in sold} == {"stock_aware"}
    assert {row["tick"] for row in store.rows("repricings")} == {0, 4, 8}
    book = Partition("booked_prices", FIRST_DATE + dt.timedelta(days=1), "all")
    assert store.lake.holds(book), "the night made a book of its belief"
    with read_only(store.engine.workspace.settings) as warehouse:
        [(units, revenue)] = warehouse.execute(
            "select sum(count_units), sum(revenue_eur) from daily_sales where business_date = ?", [FIRST_DATE]
        ).fetchall()
    charged = sum(row["price_offered"] for row in sold if row["purchased"])
    assert (units, revenue) == (sum(row["purchased"] for row in sold), pytest.approx(charged))


def test_a_price_of_a_store_that_changes_hourly_changes_as_often_in_a_day_as_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = hourly_store.short_catalog()
    rails = catalog.store.guardrails.model_copy(update={"changes_per_day": 1})
    limited = Catalog(catalog.products, catalog.store.model_copy(update={"guardrails": rails}))
    monkeypatch.setattr(hourly_store, "short_catalog", lambda: limited)
    store = HourlyStore(tmp_path)
    for hour in (8, 9, 10):
        store.engine.remake(store.at(f"{hour:02}:00"))
        store.show(f"{hour:02}:00")
        store.sell(hour)
    changed = [row["sku"] for row in store.rows("live_repricings") if row["tick"] > 0]
    assert sorted(set(changed)) == sorted(changed)
    assert changed


def test_asked_again_within_an_hour_or_after_a_kill_the_same_prices_stand(tmp_path: Path) -> None:
    one, other = HourlyStore(tmp_path / "one"), HourlyStore(tmp_path / "other")
    for hour in (8, 9):
        for store in (one, other):
            store.engine.remake(store.at(f"{hour:02}:00"))
        remake(other.engine.workspace, other.at(f"{hour:02}:05"), sales=TakenIn())  # another process, a little later
        for store in (one, other):
            store.show(f"{hour:02}:00")
            store.sell(hour)
    assert one.rows("hourly_draws") == other.rows("hourly_draws")
    assert one.rows("live_repricings") == other.rows("live_repricings")


def test_what_comes_late_changes_no_price_that_was_shown_and_the_ticks_that_follow(tmp_path: Path) -> None:
    early, late = HourlyStore(tmp_path / "early"), HourlyStore(tmp_path / "late")
    for store in (early, late):
        store.engine.remake(store.at("08:00"))
        shown = store.show("08:00")
    early.sell(8)
    for store in (early, late):
        store.engine.remake(store.at("09:00"))
        store.show("09:00")
    before = late.rows("hourly_draws")
    late.sell(8, shown)
    for store in (early, late):
        store.engine.remake(store.at("10:00"))
    assert [row for row in late.rows("hourly_draws") if row["tick"] < 8] == before
    assert len(early.rows("live_interactions")) == len(late.rows("live_interactions")) > 0


def test_a_sale_at_a_price_that_was_not_ours_teaches_nothing(tmp_path: Path) -> None:
    one, other = HourlyStore(tmp_path / "one"), HourlyStore(tmp_path / "other")
    for store in (one, other):
        store.engine.remake(store.at("08:00"))
        store.show("08:00")
        store.sell(8)
    cheap = [
        {"store_id": STORE, "event_id": f"x{n}", "sku": "MILK", "sold_at": f"{FIRST_DATE}T08:{n:02}:01Z",
         "units": 1, "price": 0.99}
        for n in range(20)
    ]  # fmt: skip
    more = [{"store_id": STORE, "sku": "MILK", "hour_at": f"{FIRST_DATE}T08:00:00Z",
             "visits": 20 + sum(row["sku"] == "MILK" for row in visits_of(other))}]  # fmt: skip
    other.engine.tell("sales", cheap, other.at("09:00"))
    other.engine.tell("traffic", more, other.at("09:00"))
    for store in (one, other):
        store.engine.remake(store.at("09:00"))
    taught = [row for row in other.rows("live_interactions") if row["policy"] != OWNER]
    assert len(taught) == len(one.rows("live_interactions"))
    assert sum(row["policy"] == OWNER for row in other.rows("live_interactions")) == 20
    assert met_in(one) == met_in(other) > 0


def met_in(store: HourlyStore) -> float:
    """Return how many visits the belief has taken in by nine."""
    so_far = TakenIn().so_far(store.engine.workspace, STORE, FIRST_DATE, store.at("09:00"))
    front = pricing_on(store.lake, store.catalog, FIRST_DATE, stores=(STORE,)).policy
    taught = taught_by(front, so_far, store.catalog, so_far.ticks)
    assert isinstance(taught, HourlyStorefront)
    assert isinstance(taught.policy, LearningPolicy)
    return round(float(taught.policy.outlook.today.counts.met.sum()), 6)


def visits_of(store: HourlyStore) -> list[dict[str, Any]]:
    so_far = TakenIn().so_far(store.engine.workspace, STORE, FIRST_DATE, store.at("09:00"))
    rows: list[dict[str, Any]] = so_far.decisions.to_pylist()
    return rows


def test_without_visits_hourly_prices_are_refused_in_a_sentence(tmp_path: Path) -> None:
    store = HourlyStore(tmp_path, says_visits=False)
    with pytest.raises(Declined, match=r"expected products of S01 whose visits are known by 2035-01-01, found none"):
        store.engine.remake(store.at("08:00"))
    assert store.rows("hourly_draws") == []
    assert store.standing().tolist() == store.catalog.base_prices.tolist(), "the owner's prices stand"


def test_stores_that_are_closed_or_not_priced_hourly_are_refused(store: HourlyStore) -> None:
    with pytest.raises(Declined, match="expected a store that is open at 2035-01-01 05:00 UTC, found none"):
        store.engine.remake(store.at("05:00"))
    weekly = RULES.model_copy(update={"changes": "weekly"})
    catalog = store.catalog
    changed = type(catalog)(catalog.products, catalog.store.model_copy(update={"drawn_prices": weekly}))
    workspace = type(store.engine.workspace)(store.engine.workspace.settings, changed, store.lake)
    with pytest.raises(Declined, match="expected `changes: hourly`"):
        reprice(workspace, None, store.at("09:00"))


def test_the_night_to_do_is_of_a_date_that_is_over(store: HourlyStore) -> None:
    store.engine.remake(store.at("08:00"))
    assert night_to_do(store.lake) == OWNERS_DATE


def test_prices_of_a_day_know_how_long_the_units_of_their_own_store_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, store_rules = load(), hourly_store.short_catalog().store
    profit = store_rules.policies.model_copy(update={"objective": "profit"})
    fresh = Catalog(shelf.products, store_rules.model_copy(update={"policies": profit, "freshest_share": 0.3}))
    monkeypatch.setattr(hourly_store, "short_catalog", lambda: fresh)
    prices, place = {}, fresh.skus.index("MEAT")
    for name, days in (("old", 0), ("young", 2)):
        store = HourlyStore(tmp_path / name)
        expires = str(FIRST_DATE + dt.timedelta(days=days))
        count = {"store_id": STORE, "sku": "MEAT", "happened_at": f"{FIRST_DATE}T07:00:00Z", "kind": "count",
                 "units": 60, "expires_on": expires}  # fmt: skip
        store.engine.tell("stock", [count], store.at("07:30"))
        so_far = TakenIn().so_far(store.engine.workspace, STORE, FIRST_DATE, store.at("08:00"))
        assert so_far.opened_with is not None
        assert so_far.opened_with[place].tolist()[days] == 60 == so_far.opened_with[place].sum()
        assert (so_far.opening_stock[place], so_far.stock[place]) == (60, 60)
        *_, whole = store.world.sell_hours(FIRST_DATE, lambda _, owners=store.world.owner_prices: owners)
        came = [row for row in whole.visitors if dt.datetime.fromisoformat(row["hour_at"]).hour == 8]
        store.engine.tell("traffic", came, store.at("09:00"))  # before any visit the owner's prices stand
        store.engine.remake(store.at("09:00"))
        prices[name] = store.standing()[place]
    assert prices["old"] < prices["young"], "what spoils tonight is sold for less"
