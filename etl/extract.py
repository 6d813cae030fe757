"""Turn a played store day into the columns of `interactions` and `repricings`."""

import datetime as dt

import numpy as np
import pyarrow as pa

from catalog.contracts import INTERACTIONS, REPRICINGS
from catalog.load import Catalog
from catalog.store_day import BOUGHT, OUTCOMES, StoreDay
from etl.reasons import reasons
from warehouse.columns import coded, constant, moments

_EPOCH = dt.date(1970, 1, 1).toordinal()
_US_PER_DAY = 86_400_000_000
_US_PER_MINUTE = 60_000_000


def interactions_of(day: StoreDay, catalog: Catalog) -> pa.Table:
    """Return one row per visit, in the order of the visits."""
    n_visits = len(day.product)
    columns = {
        "store_id": coded(day.store, day.stores),
        "tick": pa.array(day.tick),
        "seen_at": moments(day.since_opening_us + _opening_us(catalog, day.business_date)),
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
    }
    return pa.table(columns, schema=INTERACTIONS.schema)


def repricings_of(day: StoreDay, catalog: Catalog) -> pa.Table:
    """Return one row per opening and change, by store, tick and product."""
    answer = day.decisions
    old = np.concatenate([np.full_like(answer.prices[:1], np.nan), answer.prices[:-1]])
    store, tick, product = np.nonzero((answer.prices != old).swapaxes(0, 1))
    where = (tick, store, product)
    new_price, p_sale, rule = answer.prices[where], answer.p_sale[where], answer.rule[where]
    unit_value = answer.unit_value[where]
    ticks = tick * catalog.store.opening.tick_minutes * _US_PER_MINUTE
    columns = {
        "store_id": coded(store, day.stores),
        "tick": pa.array(tick.astype(np.int16)),
        "decided_at": moments(ticks + _opening_us(catalog, day.business_date)),
        "sku": coded(product, catalog.skus),
        "old_price": pa.array(old[where], from_pandas=True),
        "new_price": pa.array(new_price),
        "inventory_level": pa.array(day.stock[where].astype(np.int32)),
        "p_sale": pa.array(p_sale, from_pandas=True),
        "expected_revenue": pa.array(new_price * p_sale, from_pandas=True),
        "unit_value": pa.array(unit_value, from_pandas=True),
        "binding_rule": coded(rule, day.rules),
        "explored": pa.array(answer.explored[where]),
        "policy": constant(day.policy, len(store)),
        "model_version": constant(day.model_version, len(store)),
        "reason": reasons(catalog, day.rules, product, old[where], new_price, p_sale, unit_value, rule),
    }
    return pa.table(columns, schema=REPRICINGS.schema)


def _opening_us(catalog: Catalog, business_date: dt.date) -> int:
    return (business_date.toordinal() - _EPOCH) * _US_PER_DAY + catalog.store.opening.opens_minute * _US_PER_MINUTE
