"""Keep bad rows aside with their reason: rows in = rows valid + rows rejected, always."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from catalog.arrays import Ints
from catalog.decisions.store_day import OUTCOMES
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from warehouse.parquet import as_python, in_one_piece
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
        bad = connection.sql(_query("bad_rows"), params=facts).to_arrow_table()
    reasons = dict(zip(bad["position"].to_pylist(), bad["reason"].to_pylist(), strict=True))
    alike = np.setdiff1d(_share_a_key(rows), bad["position"])
    if len(alike):
        columns = [*_KEY, *(name for name in _BESIDE_KEY if name in rows.column_names)]
        frame = rows.take(alike).select(columns).to_pandas()
        again, same = frame.duplicated(_KEY).to_numpy(), frame.duplicated().to_numpy()
        reasons |= dict.fromkeys(alike[again].tolist(), CONTRADICTS) | dict.fromkeys(alike[same].tolist(), REPEATS)
    return reasons


def _share_a_key(rows: pa.Table) -> Ints:
    """Return the rows, ascending, whose keys have the hash of another's; few others share one by chance."""
    near = _share_a_moment(rows)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("given", rows.take(near))
        hashes = connection.sql(_query("hashes_of_keys")).fetchnumpy()["key_hash"]
    ascending = np.sort(hashes)
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    return near[np.isin(hashes, repeated)] if len(repeated) else near[:0]


def _share_a_moment(rows: pa.Table) -> Ints:
    """Return the rows, ascending, that another row may repeat.

    In rows in order of store and time, as the twin's are, these are neighbours of one moment. Of others it is any row.
    """
    stores, moments = in_one_piece(rows["store_id"]), in_one_piece(rows["seen_at"])
    if not pa.types.is_dictionary(stores.type) or stores.null_count or moments.null_count:
        return np.arange(rows.num_rows)
    steps, waits = np.diff(stores.indices.to_numpy()), np.diff(moments.cast(pa.int64()).to_numpy())
    is_in_order = ((steps > 0) | ((steps == 0) & (waits >= 0))).all()
    if not is_in_order or len(stores.dictionary.unique()) < len(stores.dictionary):
        return np.arange(rows.num_rows)
    are_together = (steps == 0) & (waits == 0)
    return np.flatnonzero(np.append(are_together, False) | np.insert(are_together, 0, False))
