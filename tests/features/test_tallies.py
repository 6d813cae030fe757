"""Decisions are tallied by number exactly as the queries of their counts and cells say."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, load
from catalog.tables.decisions import INTERACTIONS
from etl.load import products_of
from features import tallies
from features.cells import groups_of_rows

SKUS = [product.sku for product in load(CLASSIC).products]
MOMENT = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
FIXED = {"shopper_id": 1, "product_name": "any", "outcome": "any", "propensity": 1.0}
DECISION = st.fixed_dictionaries(
    {
        "store_id": st.sampled_from(["S02", "S01", "Ä1"]),
        "tick": st.integers(0, 3),
        "seen_at": st.integers(0, 30).map(lambda hours: MOMENT + dt.timedelta(minutes=50 * hours)),
        "sku": st.sampled_from(SKUS),
        "price_offered": st.sampled_from([0.99, 1.5, 1.0 / 3]),
        "inventory_level": st.sampled_from([None, 0, 1, 7, 2**31 - 1]),
        "purchased": st.booleans(),
        "policy": st.sampled_from(["greedy", "external", "owner"]),
        "sticker_eur": st.sampled_from([None, 0.5]),
    }
)


PRODUCTS = products_of(load(CLASSIC)).slice(1)  # what is on no shelf is counted and has no cells


@given(st.lists(DECISION, max_size=60), st.booleans())
@hypothesis_settings(deadline=None, max_examples=60)
def test_numbers_count_what_sql_defines(drawn: list[dict[str, Any]], repeats: bool) -> None:
    rows = pa.Table.from_pylist(
        [{**FIXED, **row} for row in drawn] * (50 if repeats else 1), schema=INTERACTIONS.schema
    )
    numbered = groups_of_rows(PRODUCTS, rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tallies, "_MOST_NUMBERS", 0.0)
        defined = groups_of_rows(PRODUCTS, rows)
    assert {name: one.to_pylist() for name, one in numbered.items()} == {
        name: one.to_pylist() for name, one in defined.items()
    }
    assert [one.schema for one in numbered.values()] == [one.schema for one in defined.values()]
