"""What was decided of the day of an outside store that changes hourly: rows of `repricings` and of `hourly_draws`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Policy, PriceDecision, Shelf
from catalog.store_day import DayPrices, ShelfState, StoreDay, Told
from catalog.tables.decisions import REPRICINGS
from catalog.tables.draws import HOURLY_DRAWS
from etl.extract import repricings_of
from etl.live.day import LiveDay
from serving.drawn_prices import draw_on, own_prices_on
from serving.storefront import Storefront
from warehouse.lake import Lake
from warehouse.workspace import Workspace


def decided_so_far(lake: Lake, day: LiveDay) -> tuple[pa.Table, pa.Table]:
    """Return what was decided of a day so far: rows of `repricings` and of `hourly_draws`."""
    found = []
    for name, schema in (("live_repricings", REPRICINGS.schema), (HOURLY_DRAWS.name, HOURLY_DRAWS.schema)):
        part = day.part(name)
        found.append(lake.read(part) if lake.holds(part) else schema.empty_table())
    return found[0], found[1]


def newest_prices(rows: pa.Table, catalog: Catalog, through: int) -> Floats:
    """Return each product's newest price that was decided through a tick, EUR; NaN before any."""
    found = rows.filter(pc.less_equal(rows["tick"], through))
    newest = dict(zip(found["sku"].to_pylist(), found["new_price"].to_pylist(), strict=True))
    return np.array([newest.get(sku, np.nan) for sku in catalog.skus])


def with_decision(
    workspace: Workspace, day: LiveDay, tick: int, policy: Policy, shelf: Shelf, before: tuple[pa.Table, pa.Table]
) -> tuple[pa.Table, pa.Table]:
    """Return what was decided so far with the decision for a tick."""
    catalog = workspace.catalog
    assert isinstance(policy, Storefront)  # noqa: S101 - every policy in force is one
    answer = policy.decide(shelf)
    played = _as_played(day, policy, shelf, answer, tick)
    rows = repricings_of(played, catalog)
    rows = rows.filter(pc.is_finite(rows["new_price"]))
    draw = draw_on(workspace.lake, catalog, day.business_date)
    own = own_prices_on(workspace.lake, catalog, day.business_date, draw).of((day.store,), 1)[0]
    drawn = [
        {
            "store_id": day.store,
            "tick": tick,
            "sku": sku,
            "price": float(answer.prices[0, place]),
            "shelf_price": float(own[place]) if np.isfinite(own[place]) else float(answer.prices[0, place]),
            "propensity": float(min(1.0, max(answer.propensity[0, place], 1e-9))),
            "policy": policy.name,
            "model_version": policy.model_version,
        }
        for place, sku in enumerate(catalog.skus)
        if np.isfinite(answer.prices[0, place])
    ]
    table = pa.Table.from_pylist(drawn, schema=HOURLY_DRAWS.schema)
    return _stacked(before[0], rows, REPRICINGS.schema), _stacked(before[1], table, HOURLY_DRAWS.schema)


def _as_played(day: LiveDay, front: Storefront, shelf: Shelf, answer: PriceDecision, tick: int) -> StoreDay:
    """Return a decision as a store day of one tick in which nobody came."""
    arrays = {name: getattr(answer, name)[None] for name in ("prices", "propensity", "explored", "rule")}
    opened = shelf.shown_prices if shelf.opening_prices is None else shelf.opening_prices
    nobody: Any = np.empty(0, dtype=np.int64)
    return StoreDay(
        business_date=day.business_date,
        stores=(day.store,),
        policy=front.name,
        model_version=front.model_version,
        rules=front.rules,
        store=nobody,
        product=nobody,
        shopper=nobody,
        tick=nobody,
        since_opening_us=nobody,
        price=nobody,
        propensity=nobody,
        inventory=nobody,
        multiplier=nobody,
        outcome=nobody,
        decisions=DayPrices(**arrays, clamps=answer.clamps, told=Told.of(answer, shelf.shown_prices)),
        stock=shelf.stock[None],
        began=ShelfState(tick, shelf.stock, shelf.shown_prices, opened, np.broadcast_to(shelf.changes, opened.shape)),
    )


def _stacked(first: pa.Table, second: pa.Table, schema: pa.Schema) -> pa.Table:
    """Stack rows; text is coded anew in order of appearance."""
    rows: Sequence[dict[str, Any]] = [*first.to_pylist(), *second.to_pylist()]
    return pa.Table.from_pylist(rows, schema=schema)
