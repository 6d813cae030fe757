"""What a log says of a file is true of every row of it."""

import datetime as dt
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from cluster.delta.statistics import statistics_of
from warehouse.parquet import write_parquet

MOMENTS = st.integers(0, 2**52).map(lambda us: dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=us))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
            "number": st.none() | st.sampled_from([math.nan, math.inf]) | st.floats(),
            "text": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=70),
            "moment": st.none() | MOMENTS,
            "day": st.none() | st.dates(),
            "is_so": st.none() | st.booleans(),
            "nested": st.none() | st.lists(st.floats(), max_size=2),
        }
    ),
    max_size=6,
)
SCHEMA = pa.schema(
    {
        "whole": pa.int64(),
        "number": pa.float64(),
        "text": pa.dictionary(pa.int32(), pa.string()),
        "moment": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "is_so": pa.bool_(),
        "nested": pa.list_(pa.float64()),
    }
)


@given(ROWS)
def test_every_value_is_within_the_bounds_and_what_has_none_is_not_bounded(rows: list[dict[str, object]]) -> None:
    table, sink = pa.Table.from_pylist(rows, schema=SCHEMA), pa.BufferOutputStream()
    write_parquet(table, sink)
    content = sink.getvalue().to_pybytes()
    said = json.loads(statistics_of(content, table), parse_constant=None)
    assert json.loads(statistics_of(content)) == said
    assert said["numRecords"] == len(rows)
    for name in SCHEMA.names:
        values = [row[name] for row in rows if row[name] is not None]
        assert said["nullCount"].get(name, len(rows) - len(values)) == len(rows) - len(values)
        if name not in said["minValues"]:
            continue
        assert not any(isinstance(value, float) and math.isnan(value) for value in values)
        low, high = (_value(said[which][name], name) for which in ("minValues", "maxValues"))
        assert all(_key(low) <= _key(value) <= _key(high) for value in values)
    assert {"is_so", "nested"}.isdisjoint(said["minValues"])
    assert pq.read_table(pa.BufferReader(content)).num_rows == len(rows)


def _value(said: object, name: str) -> object:
    if name == "moment":
        return dt.datetime.fromisoformat(str(said))
    return dt.date.fromisoformat(str(said)) if name == "day" else said


def _key(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value  # engines compare the bytes of texts


def test_plain_columns_are_bounded() -> None:
    moment = dt.datetime(2026, 1, 5, 8, 0, 0, 1, tzinfo=dt.UTC)
    rows = [{"whole": 1, "number": 0.5, "text": "a", "moment": moment}, {"whole": 2, "number": 9.5, "text": "b"}]
    table, sink = pa.Table.from_pylist(rows, schema=SCHEMA), pa.BufferOutputStream()
    write_parquet(table, sink)
    said = json.loads(statistics_of(sink.getvalue().to_pybytes(), table))
    assert said["minValues"] == {"whole": 1, "number": 0.5, "text": "a", "moment": "2026-01-05T08:00:00.000Z"}
    assert said["maxValues"] == {"whole": 2, "number": 9.5, "text": "b", "moment": "2026-01-05T08:00:00.001Z"}
    assert said["nullCount"]["moment"] == 1


def test_text_by_which_nobody_looks_for_rows_has_no_bounds_and_its_nulls_are_counted() -> None:
    rows, sink = [{"whole": 1, "text": "a"}, {"whole": 2}], pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    write_parquet(table, sink, key=("whole",))
    said = json.loads(statistics_of(sink.getvalue().to_pybytes(), table))
    assert (said["minValues"], said["maxValues"], said["nullCount"]["text"]) == ({"whole": 1}, {"whole": 2}, 1)
