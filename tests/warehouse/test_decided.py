"""Decisions in memory are counted, and their keys compared, exactly as the queries on the lake do it."""

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.store_day import OUTCOMES
from catalog.tables.decisions import INTERACTIONS
from warehouse.assertions import decided
from warehouse.assertions.decided import decided_in
from warehouse.assertions.keys import all_ascend
from warehouse.sql_files import queries_beside

DAY = dt.date(2026, 1, 5)
FIXED = {"product_name": "any", "propensity": 1.0, "tick": 0}
DECISION = st.fixed_dictionaries(
    {
        "store_id": st.sampled_from(["S02", "S01"]),
        "seen_at": st.integers(8, 10).map(lambda hour: dt.datetime(2026, 1, 5, hour, tzinfo=dt.UTC)),
        "shopper_id": st.integers(0, 2),
        "sku": st.sampled_from(["MILK", "BREAD"]),
        "price_offered": st.sampled_from([0.99, 1.5, 1.0 / 3]),
        "inventory_level": st.sampled_from([None, 0, 1]),
        "purchased": st.booleans(),
        "outcome": st.sampled_from(OUTCOMES),
        "policy": st.sampled_from(["greedy", "owner"]),
        "sticker_eur": st.sampled_from([None, 0.5, 1.0]),
    }
)
ROWS = st.lists(DECISION, max_size=40)


def table_of(rows: list[dict[str, Any]], times: int = 1) -> pa.Table:
    return pa.Table.from_pylist([FIXED | row for row in rows] * times, schema=INTERACTIONS.schema)


@given(ROWS.filter(bool))
@hypothesis_settings(deadline=None, max_examples=60)
def test_decisions_in_memory_are_counted_as_the_query_counts_those_of_the_lake(rows: list[dict[str, Any]]) -> None:
    decisions = table_of(rows, 64)
    with duckdb.connect() as connection:
        dated = decisions.append_column("business_date", pa.repeat(DAY, len(decisions)))
        connection.register("closed_interactions", dated)
        connection.execute(queries_beside(decided.__file__)("decided"), {"business_dates": [DAY]})
        defined = connection.sql("select * exclude (business_date) from decided").to_arrow_table()
    counted = decided_in(decisions)
    assert counted is not None
    assert set(map(str, counted.select(defined.column_names).to_pylist())) == set(map(str, defined.to_pylist()))
    assert len(counted) == len(defined)


@given(ROWS, st.booleans())
@hypothesis_settings(deadline=None, max_examples=60)
def test_rows_that_ascend_repeat_no_key(rows: list[dict[str, Any]], are_ordered: bool) -> None:
    key = INTERACTIONS.key[:3]
    if are_ordered:
        rows.sort(key=lambda row: [row[name] for name in key])
    decisions, distinct = table_of(rows), {tuple(row[name] for name in key) for row in rows}
    assert all_ascend(decisions, key) <= (len(distinct) == len(rows))
    assert all_ascend(decisions, key) or not are_ordered or len(distinct) < len(rows)


def test_a_word_that_stands_in_a_dictionary_twice_has_no_order() -> None:
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), pa.array(["MILK", "MILK"]))
    assert not all_ascend(pa.table({"sku": twice}), ["sku"])
    assert all_ascend(pa.table({"sku": pa.array(["BREAD", "MILK"]).dictionary_encode()}), ["sku"])
    assert not all_ascend(pa.table({"price": [1.0, float("nan")]}), ["price"])
    assert not all_ascend(pa.table({"stock": [1, None]}), ["stock"])
