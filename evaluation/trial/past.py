"""What past store days earned, for planning a trial before it starts."""

import datetime as dt

import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.policies import costs_that_count
from warehouse.lake import Lake

_NEWEST = 28  # business dates


def past_store_days(lake: Lake, catalog: Catalog, before: dt.date) -> Floats | None:
    """Return what the days before a date earned, EUR, shape (n_levels, n_days); None without any.

    A level is a store under one policy and model version, since another policy has another mean; NaN where it has no
    such day. Days that changed between policies are left out.
    """
    costs = dict(zip(catalog.skus, costs_that_count(catalog), strict=True))
    dates, days = [date for date in lake.dates("interactions") if date < before][-_NEWEST:], []
    for part in lake.partitions("interactions"):
        if part.business_date in dates and lake.receipt(part) is not None:
            rows = lake.read(part).select(["store_id", "policy", "model_version", "sku", "price_offered", "purchased"])
            frame = rows.filter(rows["purchased"]).to_pandas().astype({"sku": str})
            earned = frame["price_offered"] - frame["sku"].map(costs).fillna(0.0)
            level = frame["policy"].astype(str) + " " + frame["model_version"].astype(str).fillna("")
            own = frame.assign(earned=earned, level=level, date=part.business_date)
            own = own.groupby([own["store_id"].astype(str), "date"])
            days.append(own.agg(earned=("earned", "sum"), level=("level", "first"), count_levels=("level", "nunique")))
    if not days:
        return None
    found = pd.concat(days).reset_index()
    found = found[found["count_levels"] == 1]
    return found.pivot_table(index=["store_id", "level"], columns="date", values="earned").to_numpy(float)
