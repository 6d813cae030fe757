"""What a file says beside its prices, by store and product: promotions and events."""

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.tables.decisions import PROMOTIONS
from own_data.exports.columns import PROMOTIONS as COLUMNS
from own_data.exports.names import store_id_of
from own_data.exports.stage import StagedExport
from warehouse.parquet import coded


def promotions_of(staged: StagedExport, own: pa.Table, places: Ints, catalog: Catalog) -> pa.Table | None:
    """Return the promotions of one date, or None where the file has no column for them.

    Any row that says yes makes it yes for its store and product; of names, the first one stands, and of numbers the
    highest.

    Parameters
    ----------
    own
        Staged rows of the date.
    places
        Position of each product on the shelf, -1 for none, shape (n_products,).
    """
    found = [name for name in COLUMNS if name in own.column_names]
    if not found:
        return None
    frame = own.select(["store", "product", *found]).to_pandas()
    frame["place"] = places[frame["product"].to_numpy()]
    stores = np.array([store_id_of(word) for word in staged.stores.words], dtype=object)
    frame["store_id"] = stores[frame["store"].to_numpy()]
    frame = frame[frame["place"] >= 0]
    if "event" in found:
        frame["event"] = frame["event"].where(frame["event"] >= 0)
    if "regular_price" in found:
        frame["regular_price"] = frame["regular_price"].where(frame["regular_price"] > 0)
    for name in set(found) - {"event", "regular_price"}:
        frame[name] = frame[name].astype("float64")
    how = {name: "first" if name == "event" else "max" for name in found}
    by_product = frame.groupby(["store_id", "place"], sort=True)[found].agg(how).reset_index()
    return _in_contract(by_product, found, catalog, staged.events.words)


def _in_contract(rows: pd.DataFrame, found: list[str], catalog: Catalog, events: list[str]) -> pa.Table:
    names, store = np.unique(rows["store_id"].to_numpy(dtype=str), return_inverse=True)
    columns: dict[str, pa.Array] = {
        "store_id": coded(store, names.tolist()),
        "sku": coded(rows["place"].to_numpy(), catalog.skus),
    }
    for field in PROMOTIONS.schema:
        if field.name in columns:
            continue
        if field.name not in found:
            columns[field.name] = pa.nulls(len(rows), field.type)
        elif field.name == "event":
            code = rows["event"].fillna(-1).to_numpy(dtype=np.int64)
            columns["event"] = pa.array(np.array([*events, ""], dtype=object)[code], pa.string())
        else:
            columns[field.name] = pa.array(rows[field.name], from_pandas=True).cast(field.type)
    return pa.table(columns, schema=PROMOTIONS.schema)


def promoted(rows: pa.Table) -> int:
    """Count the products of a date, by store, that stood beside a promotion, display, leaflet or event."""
    frame = rows.to_pandas()
    is_any = frame["event"].fillna("") != ""
    for name in ("promotion", "display", "leaflet"):
        is_any |= frame[name].fillna(value=False).astype(bool)
    return int(is_any.sum())
