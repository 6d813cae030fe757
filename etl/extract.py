"""Turn a played store day into the columns of `interactions`, `substitutions` and `repricings`."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.clocks import WallClock
from catalog.decisions.reasons import Changes, reasons
from catalog.decisions.store_day import BOUGHT, OUTCOMES, StoreDay, Told
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from catalog.tables.table import CLAMPS
from warehouse.parquet import coded, constant, moments

_US_PER_MINUTE = 60_000_000


def interactions_of(day: StoreDay, catalog: Catalog) -> pa.Table:
    """Return one row per visit, in the order of the visits."""
    n_visits = len(day.product)
    columns = {
        "store_id": coded(day.store, day.stores),
        "tick": pa.array(day.tick),
        "seen_at": moments(day.since_opening_us + _opening_us(catalog, day)[day.store]),
        "shopper_id": pa.array(day.shopper),
        "sku": coded(day.product, catalog.skus),
        "product_name": coded(day.product, [product.name for product in catalog.products]),
        "price_offered": pa.array(day.price),
        "inventory_level": pa.array(day.inventory),
        "budget_multiplier": pa.array(day.multiplier),
        "purchased": pa.array(day.outcome == BOUGHT),
        "outcome": coded(day.outcome, OUTCOMES),
        "policy": constant(day.policy, n_visits),
        "propensity": pa.array(day.propensity),
        "model_version": constant(day.model_version, n_visits),
        "sticker_eur": pa.nulls(n_visits, pa.float64()) if day.sticker is None else _known(day.sticker),
    }
    return pa.table(columns, schema=TABLES["interactions"].schema)


def substitutions_of(day: StoreDay, catalog: Catalog) -> pa.Table | None:
    """Return one row per unit taken instead of what a visit was for, in order; None where nobody takes a substitute."""
    taken = day.taken
    if taken is None:
        return None
    visit, n_taken = taken.visit, len(taken.visit)
    store = day.store[visit]
    columns = {
        "store_id": coded(store, day.stores),
        "tick": pa.array(day.tick[visit]),
        "seen_at": moments(day.since_opening_us[visit] + _opening_us(catalog, day)[store]),
        "shopper_id": pa.array(day.shopper[visit]),
        "instead_of": coded(day.product[visit], catalog.skus),
        "sku": coded(taken.product, catalog.skus),
        "product_name": coded(taken.product, [product.name for product in catalog.products]),
        "price_offered": pa.array(taken.price),
        "inventory_level": pa.array(taken.inventory),
        "policy": constant(day.policy, n_taken),
        "model_version": constant(day.model_version, n_taken),
    }
    return pa.table(columns, schema=TABLES["substitutions"].schema)


def repricings_of(day: StoreDay, catalog: Catalog) -> pa.Table:
    """Return one row per opening and change, by store, tick and product."""
    answer, details = day.decisions, day.decisions.told
    of_store = np.argsort(details.changed // len(catalog.skus) % len(day.stores), kind="stable")
    details = Told._make(column[of_store] for column in details)
    where: tuple[Ints, ...] = np.unravel_index(details.changed, answer.prices.shape)
    position, store, product = where
    tick, before = position + day.began.tick, answer.prices[position - 1, store, product]
    changes = Changes(
        product=product,
        old_price=np.where(position == 0, day.began.shown[store, product], before),
        new_price=answer.prices[where],
        unconstrained=details.unconstrained,
        explored=answer.explored[where],
        rule=answer.rule[where],
        stock=day.stock[where],
        minutes_left=(catalog.store.opening.ticks - tick) * catalog.store.opening.tick_minutes,
        p_sale=details.p_sale,
        unit_value=details.unit_value,
    )
    stuck_at_opening = np.full(len(tick), np.nan)
    if answer.sticker is not None:
        stuck_at_opening = np.where(tick == 0, answer.sticker[store, product], np.nan)
    ticks = tick * catalog.store.opening.tick_minutes * _US_PER_MINUTE
    columns = {
        "store_id": coded(store, day.stores),
        "tick": pa.array(tick.astype(np.int16)),
        "decided_at": moments(ticks + _opening_us(catalog, day)[store]),
        "sku": coded(product, catalog.skus),
        "old_price": pa.array(changes.old_price, from_pandas=True),
        "new_price": pa.array(changes.new_price),
        "unconstrained_price": pa.array(changes.unconstrained, from_pandas=True),
        "inventory_level": pa.array(changes.stock.astype(np.int32)),
        "p_sale": pa.array(changes.p_sale, from_pandas=True),
        "expected_revenue": pa.array(changes.new_price * changes.p_sale, from_pandas=True),
        "unit_value": pa.array(changes.unit_value, from_pandas=True),
        "clamps": clamps_of(answer.clamps, details.changed, day.rules),
        "clamp_cost": pa.array(details.clamp_cost, from_pandas=True),
        "binding_rule": coded(changes.rule, day.rules),
        "explored": pa.array(changes.explored),
        "policy": constant(day.policy, len(store)),
        "model_version": constant(day.model_version, len(store)),
        "reason": reasons(catalog, day.rules, changes),
        "sticker_eur": _known(stuck_at_opening),
    }
    return pa.table(columns, schema=TABLES["repricings"].schema)


def belief_updates_of(day: StoreDay, catalog: Catalog) -> pa.Table:
    """Return one row per update of the policy's belief and product; none where the policy does not learn."""
    n_products, lessons = len(catalog.skus), day.lessons
    if not lessons:
        return TABLES["belief_updates"].schema.empty_table()
    p_base = np.concatenate([lesson.p_base for lesson in lessons])
    columns = {
        "tick": pa.array(np.repeat([lesson.ticks for lesson in lessons], n_products).astype(np.int16)),
        "sku": coded(np.tile(np.arange(n_products), len(lessons)), catalog.skus),
        "count_met": np.concatenate([lesson.met for lesson in lessons]),
        "count_bought": np.concatenate([lesson.bought for lesson in lessons]),
        "p_base": p_base[:, 0],
        "p_base_low": p_base[:, 1],
        "p_base_high": p_base[:, 2],
        "visits_left": np.concatenate([lesson.visits_left for lesson in lessons]),
        "p_changed": np.repeat([lesson.changed for lesson in lessons], n_products),
    }
    return pa.table(columns).cast(TABLES["belief_updates"].schema)


def clamps_of(clamps: NDArray[Any], decisions: Ints, rules: tuple[str, ...]) -> pa.ListArray:
    """Return a list of (rule, before, after) per decision, in the order in which the limits were applied.

    Parameters
    ----------
    clamps
        Changes by limits, of type `catalog.decisions.rules.CLAMP`.
    decisions
        Positions of the decisions in the arrays that the clamps point into, shape (n_decisions,).
    """
    place = np.full(max(decisions.max(initial=-1), clamps["decision"].max(initial=-1)) + 1, -1, dtype=np.int32)
    place[decisions] = np.arange(len(decisions))
    row = place[clamps["decision"]]
    order = np.argsort(row, kind="stable")[np.count_nonzero(row < 0) :]
    in_order = clamps[order]
    ends = np.cumsum(np.bincount(row[order], minlength=len(decisions)))
    changes = pa.StructArray.from_arrays(
        [
            coded(in_order["rule"], rules).cast(pa.string()),
            pa.array(in_order["before"], from_pandas=True),
            pa.array(in_order["after"]),
        ],
        fields=list(CLAMPS.value_type),
    )
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], ends]).astype(np.int32)), changes)


def _known(values: Floats) -> pa.Array:
    """Return numbers, null for NaN."""
    return pa.array(values, from_pandas=True)


def _opening_us(catalog: Catalog, day: StoreDay) -> Ints:
    """Return when each store opened, microseconds since 1970, UTC, shape (n_stores,)."""
    zones = [catalog.store.zone_of(store) for store in day.stores]
    opened = {zone: WallClock(catalog.store.opening, zone).opening_us(day.business_date) for zone in set(zones)}
    return np.array([opened[zone] for zone in zones])
