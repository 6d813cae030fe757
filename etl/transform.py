"""Bring valid rows into the shape of their contract: its types, sorted by store and time."""

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Ints
from catalog.tables.decisions import INTERACTIONS


def conform(valid: pa.Table) -> pa.Table:
    """Cast to the contract of `interactions` and sort by store and time; rows that are in order are not moved.

    Raises
    ------
    pyarrow.ArrowInvalid
        When a value does not fit its type; validation keeps such rows out.
    """
    typed = valid.select(INTERACTIONS.schema.names).cast(INTERACTIONS.schema)
    moment = typed["seen_at"].cast(pa.int64()).to_numpy()
    store = _alphabetical_codes(typed["store_id"])
    ordered = (store[1:] > store[:-1]) | ((store[1:] == store[:-1]) & (moment[1:] >= moment[:-1]))
    if ordered.all():
        return typed
    return typed.take(np.lexsort((moment, store)))


def _alphabetical_codes(column: pa.ChunkedArray) -> Ints:
    categories: pd.Categorical = column.to_pandas().array
    rank = np.argsort(np.argsort(categories.categories.to_numpy()))
    return rank[categories.codes]
