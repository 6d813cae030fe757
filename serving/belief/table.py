"""A belief as rows of the table `beliefs`, and back on the shelf of a catalog."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from serving.belief.belief import (
    USUAL_SHAPE,
    Belief,
    Shape,
    State,
    StoreKind,
    believed_before_anybody_came,
    shelf_prior,
)
from serving.belief.gaussian import Counts, Gaussian, Knots
from serving.belief.today import Footfall
from serving.optimise.curves import LogitSwitching

Row = Mapping[str, Any]


def belief_to_table(catalog: Catalog, belief: Belief) -> pa.Table:
    """Return a belief in the columns of `beliefs`."""
    knots, footfall = Knots.of(catalog), belief.footfall
    rows = [
        {
            "sku": product.sku,
            "base_price": product.base_price,
            "price_ratios": knots.ratios[own].tolist(),
            "met": belief.sold.met[own].tolist(),
            "bought": belief.sold.bought[own].tolist(),
            "states": _states_of(belief.states, own),
            "hours": belief.hours[:, own].tolist(),
            "kinds": [
                {
                    "stores": list(kind.stores),
                    "states": _states_of(kind.states, own),
                    "hours": kind.hours[:, own].tolist(),
                }
                for kind in belief.kinds
            ],
            "own_spread": belief.shape.own,
            "bend_spread": belief.shape.bend,
            "drift_spread": belief.drift_spread,
            "visits_per_day": float(footfall.daily[own]),
            "profile": footfall.profile.tolist(),
            "store_days": footfall.store_days,
            "day_spread": footfall.day_spread,
            "switch_level": None if belief.switching is None else belief.switching.level,
            "switch_slope": None if belief.switching is None else belief.switching.slope,
            "model_version": belief.model_version,
        }
        for own, product in enumerate(catalog.products)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["beliefs"].schema)


def _states_of(states: Sequence[State], product: int) -> list[dict[str, Any]]:
    lower = np.tril_indices(states[0].demand.mean.shape[1])
    return [
        {
            "weight": state.weight,
            "mean": state.demand.mean[product].tolist(),
            "own": state.demand.own[product][lower].tolist(),
            "shared": state.demand.shared[product].ravel().tolist(),
        }
        for state in states
    ]


def belief_from_table(table: pa.Table, catalog: Catalog) -> Belief:
    """Return the belief of a partition of `beliefs` for the products of a catalog.

    A product that is new is believed in as before anybody came. Where prices or ladder have changed since, demand is
    read at the new prices.
    """
    rows = {row["sku"]: row for row in table.to_pylist()}
    knots, first = Knots.of(catalog), table.slice(0, 1).to_pylist()[0]
    own = [rows.get(sku) for sku in catalog.skus]
    nobody = believed_before_anybody_came(catalog)
    footfall = Footfall(
        daily=np.array(
            [row["visits_per_day"] if row else usual for row, usual in zip(own, nobody.footfall.daily, strict=True)]
        ),
        profile=_profile(first["profile"], nobody.footfall.profile),
        store_days=first["store_days"],
        day_spread=first["day_spread"],
    )
    switching = switching_in(table, catalog)
    kinds = tuple(
        _kind(knots, catalog, kind, [row and row | row["kinds"][number] for row in own])
        for number, kind in enumerate(first["kinds"])
    )
    shape = Shape(first["own_spread"], first["bend_spread"])
    states, hours = _demands(knots, catalog, first["states"], own), _hours(own, nobody.hours)
    sold, spread = _sold(knots, own), first["drift_spread"]
    return Belief(states, hours, footfall, shape, sold, spread, kinds, switching, first["model_version"])


def switching_in(table: pa.Table, catalog: Catalog) -> LogitSwitching | None:
    """Return how shoppers take substitutes, as a partition of `beliefs` has it; None where nobody is known to."""
    first = table.slice(0, 1).to_pylist()[0]
    level, slope = first["switch_level"], first["switch_slope"]
    return None if level is None or slope is None else LogitSwitching(catalog.substitutes, level, slope)


def _kind(knots: Knots, catalog: Catalog, kind: Row, rows: Sequence[Row | None]) -> StoreKind:
    hours = _hours(rows, believed_before_anybody_came(catalog).hours)
    return StoreKind(tuple(kind["stores"]), _demands(knots, catalog, kind["states"], rows), hours)


def _demands(knots: Knots, catalog: Catalog, states: Sequence[Row], rows: Sequence[Row | None]) -> tuple[State, ...]:
    return tuple(State(state["weight"], _demand(knots, catalog, rows, number)) for number, state in enumerate(states))


def _demand(knots: Knots, catalog: Catalog, rows: Sequence[Row | None], number: int) -> Gaussian:
    nobody = shelf_prior(knots, catalog.store.belief, USUAL_SHAPE)
    mean, own = nobody.mean.copy(), nobody.covariance
    known = [row["states"][number] if row else None for row in rows]
    widths = [len(state["shared"]) // len(state["mean"]) for state in known if state]
    shared = np.zeros((*mean.shape, max(widths, default=0)))
    for product, (row, state) in enumerate(zip(rows, known, strict=True)):
        if row is None or state is None:
            continue
        n_knots = len(state["mean"])
        covariance = np.zeros((n_knots, n_knots))
        covariance[np.tril_indices(n_knots)] = state["own"]
        covariance = np.tril(covariance) + np.tril(covariance, -1).T
        found = np.array(state["mean"]), covariance, np.array(state["shared"]).reshape(n_knots, -1)
        ratios = np.array(row["price_ratios"])
        if row["base_price"] != knots.base_prices[product] or not np.array_equal(ratios, knots.ratios[product]):
            at = _read_at(ratios * row["base_price"], knots.ratios[product] * knots.base_prices[product])
            found = at @ found[0], at @ found[1] @ at.T, at @ found[2]
        mean[product], own[product], shared[product] = found
    return Gaussian(mean, own, shared)


def _read_at(known: Floats, prices: Floats) -> Floats:
    """Return the matrix that reads values known at some prices at others, on straight lines and level beyond."""
    return np.stack([np.interp(prices, known, each) for each in np.eye(len(known))], axis=1)


def _sold(knots: Knots, rows: Sequence[Row | None]) -> Counts:
    """Return what was sold, each visit at its price."""
    found = Counts.none(knots.shape)
    for product, row in enumerate(rows):
        if row is None:
            continue
        ratios, counts = np.array(row["price_ratios"]), [np.array(row[name]) for name in ("met", "bought")]
        if row["base_price"] == knots.base_prices[product] and np.array_equal(ratios, knots.ratios[product]):
            found.met[product], found.bought[product] = counts
        else:
            of_product, price = np.full(len(ratios), product), ratios * row["base_price"]
            found += Counts(*(knots.counted(of_product, price, own) for own in counts))
    return found


def _hours(rows: Sequence[Row | None], nobody: Floats) -> Floats:
    """Return the effect of each hour for as many hours as a day has now: an hour that is new has none."""
    hours = nobody.copy()
    for product, row in enumerate(rows):
        if row is not None:
            kept = row["hours"][: len(hours)]
            hours[: len(kept), product] = kept
    return hours


def _profile(kept: Sequence[float], usual: Floats) -> Floats:
    """Return the profile for as many ticks as a day has now."""
    if len(kept) == len(usual):
        return np.array(kept)
    ends = np.interp(np.linspace(0, 1, len(usual) + 1), np.linspace(0, 1, len(kept) + 1), np.cumsum([0.0, *kept]))
    return np.diff(ends)


_FROM_THE_LOG = ("sku", "base_price", "met", "bought", "visits_per_day", "profile", "store_days", "day_spread")


def log_fingerprint(table: pa.Table) -> str:
    """Return a hash of the belief's log-derived fields."""
    rows = table.select([*_FROM_THE_LOG, "price_ratios", "model_version"]).to_pylist()
    facts = (rows, kinds) if (kinds := stores_of_kinds(table)) else rows
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def stores_of_kinds(table: pa.Table) -> tuple[tuple[str, ...], ...]:
    """Return the stores of each kind; nothing while all are alike."""
    first = table["kinds"].slice(0, 1).to_pylist()[0]
    return tuple(tuple(kind["stores"]) for kind in first or ())
