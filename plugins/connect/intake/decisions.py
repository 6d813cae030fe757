"""Decisions of an outside store: who looked at a product, at which price, and whether a unit was bought.

Where the visits of a product are said for every opening hour, its sales are decisions of the same kind as the twin's.
What is not known is not invented: each unit that was bought is a decision at the second of its receipt line, and who
came in an hour and bought nothing stands evenly in that hour. Shoppers have no names, so those of one moment are
counted. A line of several units is as many decisions, for a decision is about one unit.

A decision at a price of ours that a policy chose has its policy and its chance. Any other one, at a price that was not
ours or that is the owner's own, is kept under the policy `owner`: it counts as a visit and as revenue, and nothing
learns from it.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, TOO_EXPENSIVE
from catalog.load import Catalog
from catalog.names import OWNER
from catalog.tables.contracts import TABLES
from etl.load import conform
from plugins.connect.intake.exposures import DayEvidence, SpansOfDay, hours_open, spans_of_day, why_not_ours
from plugins.connect.intake.price_spans import is_same
from plugins.own_store.draws.drawn_prices import BACK
from plugins.own_store.draws.hourly_prices import DESIGN

_HOUR = dt.timedelta(hours=1)
_MOMENT = dt.timedelta(microseconds=1)
DRAWN = "drawn_prices"
"""Policy behind prices that a night drew."""
_Pair = tuple[str, str]


class Chosen(NamedTuple):
    """Who chose a price, and the chance that it had."""

    policy: str
    propensity: float
    model_version: str | None = None


_NO_DRAW = (BACK, DESIGN)  # designs of rows that hold the owner's price
_BY_OWNER = Chosen(OWNER, 1.0)


@dataclass(frozen=True)
class VisitedDay:
    """What the decisions of a business date are made from.

    Attributes
    ----------
    evidence
        What is known of the date.
    remade
        Rows of `hourly_draws` of the date by store and product, in order of time.
    until
        Moment, UTC, up to which decisions are made in each store; nothing is made in a store that is not named.
    """

    catalog: Catalog
    evidence: DayEvidence
    until: Mapping[str, dt.datetime]
    remade: Mapping[_Pair, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeDecisions:
    """Decisions by store, in the columns of `interactions`, and the pairs of a store and a product that they are of."""

    by_store: Mapping[str, pa.Table]
    pairs: frozenset[_Pair]


class _Seen(NamedTuple):
    """Somebody who looked at a product: when, at which price, EUR, whether a unit was bought, and who chose it."""

    at: dt.datetime
    price: float
    is_bought: bool
    chosen: Chosen
    number: int = 0  # of the unit on its line


def decisions_of(day: VisitedDay) -> MadeDecisions:
    """Return the decisions of a business date."""
    rows: dict[str, list[dict[str, Any]]] = {store: [] for store in day.until}
    pairs = set[_Pair]()
    for span in spans_of_day(day.evidence):
        if span.store in day.until and span.sku in day.catalog.skus and is_counted(day, span):
            pairs.add((span.store, span.sku))
            rows[span.store] += _rows_of(day, span)
    schema = TABLES["interactions"].schema
    tables = {
        store: conform(pa.table({name: [row[name] for row in rows_of_store] for name in schema.names}, schema=schema))
        for store, rows_of_store in rows.items()
        if any(store == pair[0] for pair in pairs)
    }
    return MadeDecisions(tables, frozenset(pairs))


def known_until(day: DayEvidence, store: str, skus: Sequence[str]) -> dt.datetime:
    """Return the moment, UTC, up to which the visits of all of some products are said: opening where nothing is."""
    opening = day.store.clock_of(store).opening_of(day.date)
    closes = day.store.clock_of(store).closing_of(day.date)
    for hour in hours_open(day.store, store, day.date):
        if any((store, sku, hour) not in day.visits for sku in skus):
            break
        opening = min(hour + _HOUR, closes)
    return opening


def is_counted(day: VisitedDay, spans: SpansOfDay) -> bool:
    """Tell whether what a product sold becomes decisions: every hour's visits are said, and it sells whole units."""
    visits, until = day.evidence.visits, day.until[spans.store]
    hours = [hour for hour in hours_open(day.evidence.store, spans.store, day.evidence.date) if hour < until]
    if not hours or any((spans.store, spans.sku, hour) not in visits for hour in hours):
        return False
    return all(float(sale["units"]).is_integer() for sale in spans.sales if sale["counts"])


def _rows_of(day: VisitedDay, spans: SpansOfDay) -> Iterator[dict[str, Any]]:
    """Yield the decisions of one product in one store, in order of time."""
    clock, product = day.catalog.store.clock_of(spans.store), day.catalog.product(spans.sku)
    levels = day.evidence.stock.levels(spans.store, spans.sku)
    since = [moment for moment, _ in levels]
    at_moment = Counter[dt.datetime]()
    for seen in sorted(_who_came(day, spans), key=lambda visit: (visit.at, not visit.is_bought)):
        # a line stands in the levels from its own moment on: its unit was there before
        place = bisect_left(since, seen.at) if seen.is_bought else bisect_right(since, seen.at)
        stock = None if place == 0 else max(0, int(levels[place - 1][1]) - seen.number)
        if seen.is_bought and stock is not None:
            stock = max(stock, 1)
        outcome = BOUGHT if seen.is_bought else OUT_OF_STOCK if stock == 0 else TOO_EXPENSIVE
        yield {
            "store_id": spans.store,
            "tick": clock.tick_of(seen.at)[1],
            "seen_at": seen.at,
            "shopper_id": at_moment[seen.at],
            "sku": spans.sku,
            "product_name": product.name,
            "sticker_eur": None,
            "price_offered": seen.price,
            "inventory_level": stock,
            "budget_multiplier": None,
            "purchased": seen.is_bought,
            "outcome": OUTCOMES[outcome],
            **seen.chosen._asdict(),
        }
        at_moment[seen.at] += 1


def _who_came(day: VisitedDay, spans: SpansOfDay) -> Iterator[_Seen]:
    """Yield each unit that was bought, and who looked and bought nothing."""
    clock, date = day.catalog.store.clock_of(spans.store), day.evidence.date
    opens, until = clock.opening_of(date), day.until[spans.store]
    lines = Counter[dt.datetime]()
    hours = [hour for hour in hours_open(day.evidence.store, spans.store, date) if hour < until]
    charged = list[tuple[dt.datetime, float]]()
    for sale in spans.sales:
        moment = min(max(sale["sold_at"], opens), clock.closing_of(date) - _MOMENT)
        if not sale["counts"] or sale["units"] <= 0 or moment >= until:
            continue
        lines[hours[bisect_right(hours, moment) - 1]] += 1
        charged.append((moment, sale["price"]))
        is_ours = why_not_ours(sale, spans.at(moment)) is None
        chosen = _chosen(day, spans, moment, sale["price"]) if is_ours else _BY_OWNER
        for number in range(int(sale["units"])):
            yield _Seen(moment, sale["price"], is_bought=True, chosen=chosen, number=number)
    for hour in hours:
        starts, ends = max(hour, opens), min(hour + _HOUR, until)
        count = max(0, round(day.evidence.visits[spans.store, spans.sku, hour]) - lines[hour])
        for number in range(count):
            moment = starts + (ends - starts) * ((number + 0.5) / count)
            price = spans.at(moment).price
            if price is not None:
                yield _Seen(moment, price, is_bought=False, chosen=_chosen(day, spans, moment, price))
            elif charged:  # nothing was released: they saw what others were charged nearest to then
                nearest = min(charged, key=lambda charge: abs(charge[0] - moment))
                yield _Seen(moment, nearest[1], is_bought=False, chosen=_BY_OWNER)


def _chosen(day: VisitedDay, spans: SpansOfDay, moment: dt.datetime, price: float) -> Chosen:
    """Return who chose a price of ours that stood at a moment."""
    tick = day.catalog.store.clock_of(spans.store).tick_of(moment)[1]
    for row in reversed(day.remade.get((spans.store, spans.sku), ())):
        if row["tick"] <= tick and is_same(row["price"], price):
            return Chosen(row["policy"], row["propensity"], row["model_version"])
    draw = day.evidence.draws.get((spans.store, spans.sku))
    if draw is not None and draw["design"] not in _NO_DRAW and is_same(draw["price"], price):
        return Chosen(DRAWN, draw["propensity"])
    return _BY_OWNER
