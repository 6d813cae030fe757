"""The Overview's rows: what needs a person comes first, and no store is left out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from dashboard.data.overview import SHOWN, ChainDays, Earned, StoreRow, dates_shown, store_rows
from dashboard.data.reader import Reader
from dashboard.pages.overview_cards import chain_stats, trend_line
from etl.load import load_store_day
from etl.twin.store_day import play
from plugins.evaluation.worlds import changed
from serving.optimise.policies import policy_without_model
from serving.store.storefront import storefront
from warehouse.lake import Lake
from warehouse.query.connection import read_only

TODAY = dt.date(2026, 1, 8)
NOW = dt.datetime(2026, 1, 8, 12, 0, tzinfo=dt.UTC)
STORES = ("S01", "S02", "S03")


def sales(revenue: dict[str, float], missed: dict[str, int] | None = None) -> pd.DataFrame:
    missed = missed or {}
    rows = [
        {
            "store_id": store,
            "count_units": int(amount),
            "revenue_eur": amount,
            "margin_eur": amount / 4,
            "count_sold_out": int(store in missed),
            "count_missed_visits": missed.get(store, 0),
            "lost_revenue_eur": float(missed.get(store, 0)),
            "count_spoiled": None,
            "waste_eur": None,
            "profit_eur": None,
        }
        for store, amount in revenue.items()
    ]
    return pd.DataFrame(rows, columns=["store_id", *list(rows[0])[1:]] if rows else None)


def back(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def chain(**parts: Any) -> ChainDays:
    usual = ChainDays({TODAY: sales(dict.fromkeys(STORES, 100.0))}, {}, {}, (TODAY,))
    return replace(usual, **parts)


def texts(row: StoreRow) -> str:
    return "; ".join(concern.text for concern in row.concerns)


def row_of(store: str, known: ChainDays, chosen: dt.date | None = None) -> StoreRow:
    return next(row for row in store_rows(STORES, known, chosen, NOW) if row.store == store)


def test_a_store_whose_prices_wait_at_the_desk_needs_a_person() -> None:
    known = chain(waiting={"S01": 1, "S03": 1_200})
    assert {(row.store, row.level, texts(row)) for row in store_rows(STORES, known, None, NOW)} == {
        ("S01", "look", "1 price waits at the desk"),
        ("S02", "fine", ""),
        ("S03", "look", "1,200 prices wait at the desk"),
    }


def test_the_day_is_compared_with_the_mean_of_the_days_before_on_which_the_store_sold() -> None:
    days = {back(n): sales({"S01": 100.0 + n}) for n in (0, 1, 3, 7, 8)}
    row = row_of("S01", chain(earned=days))
    assert row.earned is not None
    assert row.before is not None
    assert row.earned.revenue == 100.0
    assert row.before.revenue == pytest.approx((101 + 103 + 107) / 3)
    assert row.before.margin == pytest.approx(row.before.revenue / 4)


def test_each_store_shows_its_own_newest_day_unless_one_is_chosen() -> None:
    known = chain(earned={TODAY: sales({"S01": 1.0}), back(1): sales({"S01": 2.0, "S02": 3.0})})
    assert [row_of(store, known).date for store in STORES] == [TODAY, back(1), None]
    assert row_of("S02", known, TODAY).earned is None
    assert "sold nothing on this day" in texts(row_of("S02", known, TODAY))
    assert "sold nothing on the newest days" in texts(row_of("S03", known))


@pytest.mark.parametrize(
    ("known", "level", "said"),
    [
        (chain(earned={TODAY: None, back(1): sales({"S01": 1.0})}), "act", "Thu 8 Jan 2026 are damaged"),
        (chain(unproven={TODAY: frozenset({"S01"})}), "act", "have no receipt"),
        (
            chain(open_since={("S01", TODAY): NOW - dt.timedelta(minutes=3)}),
            "act",
            "stands still since 08 Jan 11:57 UTC",
        ),
        (chain(books=()), "look", "no price book"),
        (chain(books=(back(2),)), "look", "price book of Tue 6 Jan 2026"),
        (chain(earned={TODAY: sales({"S01": 9.0}, {"S01": 7})}), "look", "1 sold out: about €7.00 lost"),
        (chain(earned={TODAY: sales({"S02": 1.0}), back(3): sales({"S01": 1.0})}), "look", "3 days behind"),
    ],
)
def test_each_thing_that_is_wrong_is_said(known: ChainDays, level: str, said: str) -> None:
    row = row_of("S01", known)
    assert said in texts(row)
    assert row.level == level


def test_running_out_towards_closing_needs_nobody_and_the_store_that_lost_most_comes_first() -> None:
    earned = {TODAY: sales(dict.fromkeys(STORES, 970.0), {"S01": 29, "S02": 40, "S03": 90})}
    rows = store_rows(STORES, chain(earned=earned), None, NOW)
    assert [(row.store, row.level) for row in rows] == [("S03", "look"), ("S02", "look"), ("S01", "fine")]
    assert "1 sold out: about €90.00 lost" in texts(rows[0])
    assert [row.lost for row in rows] == [90, 40, 29]


def test_what_empty_shelves_lost_is_what_those_before_spent_a_visit(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path
) -> None:
    date, sold = dt.date(2026, 1, 7), sell_two_days(tmp_path / "home")
    busy = changed(load(CLASSIC), visits_per_day=1_500.0)
    front = storefront(busy, policy_without_model(busy, "static"))
    day = play(busy, front, busy.store.stores, date, seed=7)
    load_store_day(Lake(sold), busy, day, "all", inputs="7", seed=7)
    found = Reader(sold).ask("stores_earned", (*SHOWN, "products"), on=date, date=date).set_index("store_id")
    with read_only(sold) as warehouse:
        rows = warehouse.execute(
            "select store_id, count(*), count(*) filter (where outcome = 'out_of_stock'), "
            "coalesce(sum(price_offered) filter (where purchased), 0) "
            "from interactions where business_date = $1 group by store_id, sku",
            [date],
        ).fetchall()
    lost = dict.fromkeys(found.index, 0.0)
    for store, visits, missed, revenue in rows:
        lost[store] += missed * float(revenue) / (visits - missed) if visits > missed else 0.0
    assert sum(lost.values()) > 0
    assert found["lost_revenue_eur"].to_dict() == pytest.approx(lost)


def test_a_trend_is_of_two_weeks_of_closed_days_and_a_store_that_did_not_sell_bends_no_line() -> None:
    earned = {back(n): sales({"S01": 100.0 - n, "S02": 100.0 - n}) for n in range(1, 20)}
    earned[TODAY] = sales({"S01": 3.0})
    known = chain(earned=earned, open_since={("S01", TODAY): NOW})
    assert list(row_of("S01", known).days) == [back(n) for n in range(13, 0, -1)]
    earned[back(1)] = sales({"S01": 99.0})
    rows = store_rows(STORES, replace(known, earned=earned), None, NOW)
    drawn = [one.to_plotly_json() for one in chain_stats(rows)]
    assert trend_line([100.0 - n for n in range(15, 0, -1)]) in str(drawn[0])
    assert "no days before" not in str(drawn[0])


def test_a_live_day_that_goes_on_is_fine_and_open() -> None:
    row = row_of("S01", chain(open_since={("S01", TODAY): NOW - dt.timedelta(seconds=20)}))
    assert row.is_open
    assert row.level == "fine"


@given(
    sold=st.lists(st.dictionaries(st.sampled_from(STORES), st.integers(0, 1000)), min_size=1, max_size=10),
    broken=st.sets(st.integers(0, 9)),
    still=st.sets(st.sampled_from(STORES)),
)
def test_every_store_has_one_row_and_the_urgent_ones_come_first(
    sold: list[dict[str, int]], broken: set[int], still: set[str]
) -> None:
    earned = {
        back(n): None if n in broken else sales(dict.fromkeys(missed, 1.0), missed) for n, missed in enumerate(sold)
    }
    known = chain(earned=earned, open_since={(store, TODAY): NOW - dt.timedelta(hours=1) for store in still})
    rows = store_rows(STORES, known, None, NOW)
    assert sorted(row.store for row in rows) == sorted(STORES)
    order = [("act", "look", "fine").index(row.level) for row in rows]
    assert order == sorted(order)


def test_two_weeks_before_are_read_too_and_nothing_older() -> None:
    dates = [back(n) for n in range(40)]
    assert dates_shown(dates, back(20)) == [back(n) for n in range(20, 35)]
    assert dates_shown(dates, None) == [back(n) for n in range(15)]
    assert dates_shown([], None) == []


def test_profit_and_waste_are_told_once_a_store_has_closed_and_stock_lives_on() -> None:
    closed = sales({"S01": 100.0, "S02": 100.0, "S03": 100.0})
    closed.loc[closed["store_id"] == "S01", ["count_spoiled", "waste_eur", "profit_eur"]] = [4, 3.0, 21.5]
    known = chain(earned={TODAY: closed})
    found = row_of("S01", known).earned
    assert found is not None
    assert (found.spoiled, found.waste, found.profit) == (4, 3.0, 21.5)
    assert row_of("S02", known).earned == Earned(100, 100.0, 25.0)
    stats = [one.to_plotly_json() for one in chain_stats(store_rows(STORES, known, None, NOW))]
    told = str(stats)
    assert "Thrown away" in told
    assert "4 units, 3.8 % of what left the shelf" in told  # of 4 and the 100 that S01 sold
    plain = str([one.to_plotly_json() for one in chain_stats(store_rows(STORES, chain(), None, NOW))])
    assert "Thrown away" not in plain
    assert "Profit" not in plain
