import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.names import EXTERNAL
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from warehouse.checks import assertions
from warehouse.checks.assertions import broken_assertions, dates_to_check_at_once
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 5)
VISITS = Partition("interactions", DAY, "all")
CHANGES = Partition("repricings", DAY, "all")


Rows = list[dict[str, Any]]


def bought_without_saying_so(rows: Rows) -> None:
    next(row for row in rows if row["outcome"] == "too_expensive")["purchased"] = True


def bought_from_nothing(rows: Rows) -> None:
    next(row for row in rows if row["purchased"])["inventory_level"] = 0


def far_too_dear(rows: Rows) -> None:
    rows[5]["price_offered"] = 99.0


def one_visit_lost(rows: Rows) -> None:
    rows.remove(next(row for row in rows if row["inventory_level"] > 0))


def at_somebody_elses_price(rows: Rows) -> None:
    rows[5]["policy"] = EXTERNAL


def shown_without_being_asked_for(rows: Rows) -> None:
    rows[3]["unconstrained_price"] += 0.1


def stuck_for_more_than_the_label(rows: Rows) -> None:
    rows[3]["sticker_eur"] = rows[3]["new_price"] + 0.1


PLANTED = {
    "outcome_agrees_with_purchased": bought_without_saying_so,
    "nobody_buys_from_an_empty_shelf": bought_from_nothing,
    "prices_stay_between_floor_and_ceiling": far_too_dear,
    "cells_hold_every_decision_with_stock": one_visit_lost,
    "counts_hold_every_visit": at_somebody_elses_price,
    "clamps_lead_from_the_price_asked_for_to_the_one_shown": shown_without_being_asked_for,
    "stickers_are_stuck_at_opening_below_the_label": stuck_for_more_than_the_label,
}
OF_UNITS = "units_are_not_negative_and_have_a_chance_each"
PLANTED_IN = dict.fromkeys(
    ("clamps_lead_from_the_price_asked_for_to_the_one_shown", "stickers_are_stuck_at_opening_below_the_label"),
    (CHANGES, TABLES["repricings"]),
)


def test_every_assertion_holds_for_a_played_day(settings: Settings, fill_lake: Callable[[Settings], Lake]) -> None:
    fill_lake(settings)
    assert broken_assertions(settings, [DAY, DAY + dt.timedelta(days=1)]) == []


def test_each_assertion_is_put_to_the_test_here() -> None:
    folder = Path(assertions.__file__).parent / "facts"
    queries = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}
    elsewhere = ("stock_movements", "substitutions")
    here = {name for name, query in queries.items() if not any(table in query for table in elsewhere)}
    assert here == {*PLANTED, OF_UNITS}


@pytest.mark.parametrize("assertion", PLANTED)
def test_a_planted_bad_row_breaks_its_assertion_on_its_date_alone(
    settings: Settings, fill_lake: Callable[[Settings], Lake], assertion: str
) -> None:
    lake = fill_lake(settings)
    partition, table = PLANTED_IN.get(assertion, (VISITS, TABLES["interactions"]))
    rows = lake.read(partition).to_pylist()
    PLANTED[assertion](rows)
    lake.publish(partition, pa.Table.from_pylist(rows, schema=table.schema), inputs="spoiled", seed=7)

    broken = {found.assertion: found for found in broken_assertions(settings, [DAY, DAY + dt.timedelta(days=1)])}

    assert assertion in broken
    assert set(broken) <= {assertion, "cells_hold_every_decision_with_stock", "counts_hold_every_visit"}
    assert broken[assertion].business_date == DAY
    assert 0 < len(broken[assertion].examples) <= 3
    assert str(broken[assertion]).startswith(
        f"2026-01-05: not true that {assertion.replace('_', ' ')}: {broken[assertion].rows} "
    )


@pytest.mark.parametrize("spoiled", [{"units": -1.0}, {"returned_units": -1.0}, {"chances": 4}, {"price": 0.0}, {}])
def test_impossible_unit_sales_are_found(settings: Settings, spoiled: dict[str, Any]) -> None:
    lake = Lake(settings)
    lake.prepare()
    row = {"store_id": "S01", "sku": "MILK", "product_name": "Milk", "price": 1.5, "units": 5.0, "returned_units": 0.0}
    row |= {"chances": 20, "is_sudden_zero": True} | spoiled
    rows = pa.Table.from_pylist(
        [{name: row.get(name) for name in TABLES["unit_sales"].schema.names}], schema=TABLES["unit_sales"].schema
    )
    lake.publish(Partition("unit_sales", DAY, "export-1"), rows, inputs="1")
    found = [(one.assertion, one.rows) for one in broken_assertions(settings, [DAY, DAY + dt.timedelta(days=1)])]
    assert found == ([(OF_UNITS, 1)] if spoiled else [])


BROKEN_TRAILS: dict[str, tuple[float, list[tuple[str, float, float]], str, float]] = {
    "starts elsewhere": (1.9, [("largest_step", 1.8, 1.6)], "largest_step", 1.6),
    "ends elsewhere": (1.8, [("largest_step", 1.8, 1.6)], "largest_step", 1.5),
    "names another rule": (1.8, [("largest_step", 1.8, 1.6)], "price_ending", 1.6),
    "has a gap": (1.8, [("largest_step", 1.8, 1.6), ("price_ending", 1.5, 1.49)], "price_ending", 1.49),
}


@pytest.mark.parametrize("fault", [None, *BROKEN_TRAILS])
def test_a_trail_with_a_hole_is_found_and_a_whole_one_is_not(
    settings: Settings, fill_lake: Callable[[Settings], Lake], fault: str | None
) -> None:
    lake = fill_lake(settings)
    whole = (1.8, [("largest_step", 1.8, 1.6), ("price_ending", 1.6, 1.59)], "price_ending", 1.59)
    asked, clamps, rule, shown = whole if fault is None else BROKEN_TRAILS[fault]
    rows = lake.read(CHANGES).to_pylist()
    rows[3] |= {
        "unconstrained_price": asked,
        "clamps": [dict(zip(("rule", "before", "after"), clamp, strict=True)) for clamp in clamps],
        "binding_rule": rule,
        "new_price": shown,
    }
    lake.publish(CHANGES, pa.Table.from_pylist(rows, schema=TABLES["repricings"].schema), inputs="trail", seed=7)
    broken = {found.assertion: found.rows for found in broken_assertions(settings, [DAY])}
    assertion = "clamps_lead_from_the_price_asked_for_to_the_one_shown"
    assert broken == ({} if fault is None else {assertion: 1})


def test_prices_that_came_from_elsewhere_are_not_held_to_this_shelfs_limits(
    settings: Settings, fill_lake: Callable[[Settings], Lake]
) -> None:
    lake = fill_lake(settings)
    rows = lake.read(VISITS).to_pylist()
    far_too_dear(rows)
    rows[5]["policy"] = "external"
    lake.publish(VISITS, pa.Table.from_pylist(rows, schema=TABLES["interactions"].schema), inputs="external", seed=7)
    assert "prices_stay_between_floor_and_ceiling" not in {
        found.assertion for found in broken_assertions(settings, [DAY])
    }


def test_dates_are_checked_two_million_rows_at_a_time_and_a_larger_date_alone() -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(5)]
    rows_of = dict(zip(reversed(days), [900_000, 1_000_000, 5_000_000, 1_200_000, 700_000], strict=True))
    assert list(dates_to_check_at_once(rows_of)) == [days[:2], [days[2]], days[3:]]
    assert list(dates_to_check_at_once({})) == []
