"""Keep bad rows aside with their reason: rows in = rows valid + rows rejected, always."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.decisions.store_day import OUTCOMES
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from warehouse.parquet import as_python
from warehouse.query.connection import queries_beside

MISSING = "a required value is missing"
REPEATS = "it repeats an earlier row"
CONTRADICTS = "an earlier row says another price, purchase or stock for its store, time, shopper and product"
PURCHASED = "purchased is neither 0 nor 1"
PROPENSITY = "the propensity is not a probability above 0"
LONGEST_TEXT = 2_000
"""Characters of a bad row that are kept."""
_KEY = list(TABLES["interactions"].key)
_BESIDE_KEY = ("price_offered", "purchased", "inventory_level")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_query = queries_beside(__file__)


@dataclass(frozen=True)
class Validated:
    """Rows that hold what the contract and the world allow, and the others with the first reason against each."""

    valid: pa.Table
    rejected: pa.Table


def validate(
    rows: pa.Table, catalog: Catalog, source: str, not_after: dt.datetime, lines: Ints | None = None
) -> Validated:
    """Split rows with the columns of `interactions` into valid and rejected ones.

    Parameters
    ----------
    rows
        Columns named as in the contract; numbers may still be of other types than the contract's, and null.
    source
        Where the rows came from, for the quarantine.
    not_after
        Latest moment a decision can have been seen at.
    lines
        Number of each row in its source, shape (n_rows,); by default its position from 1.

    Returns
    -------
    Validated
        Valid rows in their order and their types; rejected rows with their number in the source.
    """
    reasons = _reasons(rows, catalog, not_after)
    if not reasons:
        return Validated(rows, TABLES["rejected"].schema.empty_table())
    bad = np.array(sorted(reasons))
    rejected = pa.table(
        {
            "source": pa.array([source] * len(bad), pa.string()).dictionary_encode(),
            "row_number": pa.array(bad + 1 if lines is None else lines[bad], pa.int64()),
            "reason": pa.array([reasons[position] for position in bad.tolist()], pa.string()).dictionary_encode(),
            "row_text": pa.array(row_texts(rows, bad), pa.string()),
        },
        schema=TABLES["rejected"].schema,
    )
    return Validated(rows.take(np.setdiff1d(np.arange(rows.num_rows), bad)), rejected)


def row_texts(rows: pa.Table, bad: Ints) -> list[str]:
    """Return some rows as text, cut to what is kept."""
    return [str(row)[:LONGEST_TEXT] for row in as_python(rows.take(pa.array(bad)))]


def _reasons(rows: pa.Table, catalog: Catalog, not_after: dt.datetime) -> dict[int, str]:
    """Return the first reason against each bad row, by its position."""
    facts = {
        "missing": MISSING,
        "no_propensity": PROPENSITY,
        "no_purchase": PURCHASED,
        "skus": list(catalog.skus),
        "outcomes": list(OUTCOMES),
        "latest_us": (not_after - _EPOCH) // dt.timedelta(microseconds=1),
        "last_tick": catalog.store.opening.ticks - 1,
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("given", rows)
        judged = connection.sql(_query("judged_rows"), params=facts).to_arrow_table()
    position, is_bad = judged["position"].to_numpy(), pc.is_valid(judged["reason"]).to_numpy()
    bad = judged.filter(pa.array(is_bad))
    reasons = dict(zip(bad["position"].to_pylist(), bad["reason"].to_pylist(), strict=True))
    good = pd.Series(judged["key_hash"].to_numpy()[~is_bad])
    alike = np.sort(position[~is_bad][good.duplicated(keep=False)])
    if len(alike):
        columns = [*_KEY, *(name for name in _BESIDE_KEY if name in rows.column_names)]
        frame = rows.take(alike).select(columns).to_pandas()
        again, same = frame.duplicated(_KEY).to_numpy(), frame.duplicated().to_numpy()
        reasons |= dict.fromkeys(alike[again].tolist(), CONTRADICTS) | dict.fromkeys(alike[same].tolist(), REPEATS)
    return reasons
