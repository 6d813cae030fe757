"""What one would otherwise do: row at a time, one-hot tables on disk, forests on rows."""

import random
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from sklearn.ensemble import RandomForestClassifier

from catalog.load import Catalog
from catalog.price_ladder import price_ladder

_BUDGET_MEAN, _BUDGET_DEVIATION = 1.0, 0.25
_VISITS_PER_STORE_DAY = 500


def simulate(catalog: Catalog, n_visits: int, file: Path) -> None:
    """Draw shoppers one by one, let each decide, collect dictionaries and write them as Parquet."""
    chance = random.Random(7)  # noqa: S311 - shoppers, not secrets
    ladder = {sku: list(map(float, own)) for sku, own in zip(catalog.skus, price_ladder(catalog), strict=True)}
    popularity = list(map(float, catalog.popularity))
    rows = []
    stock: dict[str, int] = {}
    for visit in range(n_visits):
        if visit % _VISITS_PER_STORE_DAY == 0:
            stock = {product.sku: product.par_stock for product in catalog.products}
        product = chance.choices(catalog.products, popularity)[0]
        price = chance.choice(ladder[product.sku]) if chance.random() < 0.5 else product.base_price
        multiplier = chance.gauss(_BUDGET_MEAN, _BUDGET_DEVIATION)
        inventory = stock[product.sku]
        purchased = inventory > 0 and multiplier * product.base_price >= price
        stock[product.sku] -= purchased
        rows.append(
            {
                "store_id": f"X{visit // _VISITS_PER_STORE_DAY:05d}",
                "sku": product.sku,
                "price_offered": price,
                "inventory_level": inventory,
                "budget_multiplier": multiplier,
                "purchased": purchased,
            }
        )
    pd.DataFrame(rows).to_parquet(file)


def one_hot_with_pandas(catalog: Catalog, decisions: Path, target: Path) -> None:
    """Write one one-hot row per decision with pandas."""
    base = dict(zip(catalog.skus, catalog.base_prices, strict=True))
    rows = pd.read_parquet(decisions, columns=["sku", "price_offered", "inventory_level", "purchased"])
    rows = rows[rows["inventory_level"] != 0]
    rows["price_ratio"] = rows["price_offered"] / rows["sku"].astype(str).map(base)
    pd.get_dummies(rows, columns=["sku"], dtype=float).to_parquet(target)


_GROUPED = [
    "store_id",
    "tick",
    "seen_at",
    "sku",
    "price_offered",
    "inventory_level",
    "purchased",
    "policy",
    "sticker_eur",
]


def grouped_with_polars(decisions: Path) -> None:
    """Group decisions into the rows of `features.cells` with Polars, but for the price ratio; nothing is written."""
    price, met = pl.coalesce("sticker_eur", "price_offered"), pl.col("inventory_level").ne_missing(0)
    rows = pl.read_parquet(decisions, columns=_GROUPED).with_columns(
        price=price,
        met=met,
        bought=pl.col("purchased") & met,
        hour=pl.col("seen_at").dt.hour(),
        is_external=pl.col("policy") == "external",
    )
    counts = (pl.len(), pl.col("met").sum(), pl.col("bought").sum())
    met_rows = rows.filter("met")
    for own, keys in (
        (rows, ["sku", "tick", "price", "is_external"]),
        (rows, ["store_id"]),
        (met_rows, ["store_id", "hour", "sku", "price", "is_external"]),
        (met_rows, ["sku", "price", "inventory_level"]),
    ):
        own.group_by(keys).agg(*counts).sort(keys)


def whole_loop(catalog: Catalog, n_visits: int, folder: Path) -> None:
    """Simulate, write one-hot rows, fit the textbook forest on them and price every product."""
    simulate(catalog, n_visits, folder / "decisions.parquet")
    one_hot_with_pandas(catalog, folder / "decisions.parquet", folder / "rows.parquet")
    rows = pd.read_parquet(folder / "rows.parquet")
    one_hot = [name for name in rows.columns if name.startswith("sku_")]
    features = ["price_offered", "inventory_level", *one_hot]
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, class_weight="balanced", random_state=7, n_jobs=1)
    forest.fit(rows[features], rows["purchased"])
    for product, candidates in zip(catalog.products, price_ladder(catalog), strict=True):
        asked = pd.DataFrame({"price_offered": candidates, "inventory_level": product.par_stock})
        for name in one_hot:
            asked[name] = float(name == f"sku_{product.sku}")
        np.argmax(candidates * forest.predict_proba(asked[features])[:, 1])
