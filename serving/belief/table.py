"""A belief as rows of the table `beliefs`, and back on the shelf of a catalog."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.tables.learning import BELIEFS
from serving.belief.belief import Belief, Shape, Stage, believed_before_anybody_came
from serving.belief.footfall import Footfall
from serving.belief.gaussian import Counts, Knots

Row = Mapping[str, Any]


def belief_to_table(catalog: Catalog, belief: Belief, model_version: str | None) -> pa.Table:
    """Return a belief in the columns of `beliefs`."""
    knots, footfall = Knots.of(catalog), belief.footfall
    rows = [
        {
            "sku": product.sku,
            "base_price": product.base_price,
            "price_ratios": knots.ratios[own].tolist(),
            "stages": [
                {
                    "begins": each.begins,
                    "told_by": "champion" if each.told_by_champion else "sales",
                    "met": each.counts.met[own].tolist(),
                    "bought": each.counts.bought[own].tolist(),
                }
                for each in belief.stages
            ],
            "own_spread": belief.shape.own,
            "bend_spread": belief.shape.bend,
            "visits_per_day": float(footfall.daily[own]),
            "profile": footfall.profile.tolist(),
            "store_days": footfall.store_days,
            "day_spread": footfall.day_spread,
            "model_version": model_version,
        }
        for own, product in enumerate(catalog.products)
    ]
    return pa.Table.from_pylist(rows, schema=BELIEFS.schema)


def belief_from_table(table: pa.Table, catalog: Catalog) -> tuple[Belief, str | None]:
    """Return the belief of a partition of `beliefs` for the products of a catalog, and its champion's version.

    A product that is new is believed in as before anybody came. Where prices or ladder have changed since, what was
    sold keeps its price.
    """
    rows = {row["sku"]: row for row in table.to_pylist()}
    knots, first = Knots.of(catalog), table.slice(0, 1).to_pylist()[0]
    own = [rows.get(sku) for sku in catalog.skus]
    nobody = believed_before_anybody_came(catalog).footfall
    stages = tuple(_stage(knots, own, number, each) for number, each in enumerate(first["stages"]))
    footfall = Footfall(
        daily=np.array([row["visits_per_day"] if row else usual for row, usual in zip(own, nobody.daily, strict=True)]),
        profile=_profile(first["profile"], nobody.profile),
        store_days=first["store_days"],
        day_spread=first["day_spread"],
    )
    shape = Shape(first["own_spread"], first["bend_spread"])
    return Belief(stages, footfall, shape), first["model_version"]


def _stage(knots: Knots, rows: Sequence[Row | None], number: int, named: Row) -> Stage:
    met, bought = np.zeros(knots.shape), np.zeros(knots.shape)
    for own, row in enumerate(rows):
        if row is None:
            continue
        stage, ratios = row["stages"][number], np.array(row["price_ratios"])
        if row["base_price"] == knots.base_prices[own] and np.array_equal(ratios, knots.ratios[own]):
            met[own], bought[own] = stage["met"], stage["bought"]
        else:
            product = np.full(len(ratios), own)
            price = ratios * row["base_price"]
            met += knots.counted(product, price, np.array(stage["met"]))
            bought += knots.counted(product, price, np.array(stage["bought"]))
    return Stage(named["begins"], Counts(met, bought), named["told_by"] == "champion")


def _profile(kept: Sequence[float], usual: Floats) -> Floats:
    """Return the profile for as many ticks as a day has now."""
    if len(kept) == len(usual):
        return np.array(kept)
    ends = np.interp(np.linspace(0, 1, len(usual) + 1), np.linspace(0, 1, len(kept) + 1), np.cumsum([0.0, *kept]))
    return np.diff(ends)


def without_the_champions_word(table: pa.Table) -> str:
    """Return a fingerprint of what a belief took from the log: not what a champion made of it."""
    rows = table.to_pylist()
    for row in rows:
        row["stages"] = [each if each["told_by"] == "sales" else each | {"bought": None} for each in row["stages"]]
    return hashlib.sha256(repr(rows).encode()).hexdigest()
