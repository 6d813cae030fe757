"""Exposures of a business date: which price of ours stood where and for how long, and what sold at it.

Only what sold at a price that was ours says anything about it. Every other sale is kept beside it with its reason: no
price of ours was released then, another price was charged, the till made an offer, or the line was voided.
"""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags
from catalog.records.store import Store
from catalog.tables.contracts import TABLES
from plugins.connect.intake.day_sales import ShelfStock
from plugins.connect.intake.price_spans import PriceSpan, StatedPrice, is_same, sent_since, spans_of, stated_by
from plugins.connect.labels.batch import Acknowledgement, StoreRecord
from plugins.connect.labels.export_log import ExportHistory

NO_PRICE, OTHER_PRICE, OFFER, VOIDED = "no price released", "another price", "offer", "voided"
_HOUR = dt.timedelta(hours=1)
_OF_DRAW = ("propensity", "design", "block")
_Sale = Mapping[str, Any]


@dataclass(frozen=True)
class DayEvidence:
    """What is known of one business date of some stores.

    Attributes
    ----------
    store
        The stores, with their clocks.
    history
        The batches that were sent, and the acknowledgements, by any time before the end of the date.
    lines
        Rows of `receipt_lines` of the date, those that void others among them.
    counts
        Whether each line counts: no other one voids or corrects it. Shape (n_lines,).
    stock
        What is known of the stock on the shelf.
    visitors
        Visitors of each store by the beginning of the hour, UTC.
    draws
        Row of `price_draws` in force, by store and product.
    visits
        Visits to a product by store, product and the beginning of the hour, UTC.
    """

    date: dt.date
    store: Store
    history: ExportHistory
    lines: pa.Table
    counts: Flags
    stock: ShelfStock
    visitors: Mapping[tuple[str, dt.datetime], float]
    draws: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    visits: Mapping[tuple[str, str, dt.datetime], float] = field(default_factory=dict)


@dataclass(frozen=True)
class SpansOfDay:
    """The spans of one product's day in one store, and what was sold in it, in order of time."""

    store: str
    sku: str
    spans: Sequence[PriceSpan]
    sales: Sequence[_Sale]

    def at(self, moment: dt.datetime) -> PriceSpan:
        """Return the span that a moment lies in; before opening it is the first, after closing the last."""
        return self.spans[_place_of(moment, self.spans)]


def exposures_of(day: DayEvidence) -> pa.Table:
    """Return the exposures of a business date, in the order of their key.

    A store without a line and without visits was closed, or said nothing, and has no exposure. A product without a
    released price in a store has rows only for what sold. Lines from outside the opening hours belong to the first or
    the last span.
    """
    rows = [row for span in spans_of_day(day) for row in _of_product(day, span)]
    columns = {name: [row[name] for row in rows] for name in TABLES["exposures"].schema.names}
    return pa.table(columns, schema=TABLES["exposures"].schema)


def spans_of_day(day: DayEvidence) -> Iterator[SpansOfDay]:
    """Yield the spans of each product in each store that was open, in the order of their key."""
    sales, acks = _sales_by_product(day), _by_product(day.history.acknowledgements)
    visited = {(store, sku) for (store, sku, _), count in day.visits.items() if count > 0}
    for store in sorted({store for store, _ in {*sales, *visited}}):
        clock, sent = day.store.clock_of(store), _sent_by_product(day.history.of(store))
        opens, closes = clock.opening_of(day.date), clock.closing_of(day.date)
        for sku in sorted({*sent, *(sku for seller, sku in {*sales, *visited} if seller == store)}):
            sold, acked = sales.get((store, sku), ()), acks.get((store, sku), ())
            charged = [(sale["sold_at"], sale["price"]) for sale in sold if sale["counts"] and sale["offer"] is None]
            till, label = (stated_by(acked, device) for device in ("till", "label"))
            yield SpansOfDay(store, sku, spans_of(opens, closes, sent.get(sku, ()), till, label, charged), sold)


def _of_product(day: DayEvidence, spans: SpansOfDay) -> Iterable[dict[str, Any]]:
    within: list[list[_Sale]] = [[] for _ in spans.spans]
    for sale in spans.sales:
        within[_place_of(sale["sold_at"], spans.spans)].append(sale)
    for span, sales in zip(spans.spans, within, strict=True):
        yield from _of_span(day, spans.store, spans.sku, span, sales)


def _of_span(
    day: DayEvidence, store: str, sku: str, span: PriceSpan, sales: Sequence[_Sale]
) -> Iterable[dict[str, Any]]:
    """Yield the row of a span where a price of ours stood, and a row for each other price and reason."""
    units: Counter[tuple[float, str | None]] = Counter()
    if span.price is not None:
        units[span.price, None] = 0.0  # type: ignore[assignment] # of kilos there are parts
    for sale in sales:
        reason = why_not_ours(sale, span)
        charged = sale["price"] if span.price is None or reason is not None else span.price
        units[charged, reason] += sale["units"]
    for (price, reason), sold in sorted(units.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        is_ours = reason is None
        yield {
            "store_id": store,
            "sku": sku,
            **vars(span),
            "charged_price": price,
            "not_ours": reason,
            "units": float(sold),
            "open_minutes": span.minutes if is_ours else None,
            "stocked_minutes": day.stock.minutes(store, sku, span.starts_at, span.ends_at) if is_ours else None,
            "visitors": _visitors(day, store, span) if is_ours else None,
            **_of_draw(day, store, sku, price if is_ours else None),
        }


def _of_draw(day: DayEvidence, store: str, sku: str, price: float | None) -> dict[str, Any]:
    """Return how a price was drawn; nulls where it is not the one that was, such as a person's."""
    draw = day.draws.get((store, sku))
    if draw is None or price is None or not is_same(price, draw["price"]):
        return dict.fromkeys(_OF_DRAW)
    return {name: draw[name] for name in _OF_DRAW}


def why_not_ours(sale: _Sale, span: PriceSpan) -> str | None:
    """Say why a sale in a span is not of our price; None where it is."""
    if not sale["counts"]:
        return VOIDED
    if sale["offer"] is not None:
        return OFFER
    if span.price is None:
        return NO_PRICE
    return None if is_same(span.price, sale["price"]) else OTHER_PRICE


def _place_of(moment: dt.datetime, spans: Sequence[PriceSpan]) -> int:
    """Return the number of the span that a moment lies in; the first before opening, the last after closing."""
    return 0 if len(spans) == 1 else max(0, bisect_right(spans, moment, key=lambda span: span.starts_at) - 1)


def _visitors(day: DayEvidence, store: str, span: PriceSpan) -> float | None:
    """Return the visitors of a store in a span, each hour's spread evenly; None where an hour is not known."""
    total = 0.0
    for hour in _hours(day.store, store, span.starts_at, span.ends_at):
        counted = day.visitors.get((store, hour))
        if counted is None:
            return None
        total += counted * ((min(hour + _HOUR, span.ends_at) - max(hour, span.starts_at)) / _HOUR)
    return total


def hours_open(store: Store, name: str, date: dt.date) -> list[dt.datetime]:
    """Return the beginning, UTC, of each hour of a store's clock in which it is open on a date."""
    clock = store.clock_of(name)
    return list(_hours(store, name, clock.opening_of(date), clock.closing_of(date)))


def _hours(store: Store, name: str, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[dt.datetime]:
    local = store.clock_of(name).local(starts_at)
    hour = starts_at - dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    while hour < ends_at:
        yield hour
        hour += _HOUR


def _sales_by_product(day: DayEvidence) -> dict[tuple[str, str], list[_Sale]]:
    """Return what was sold by store and product, in order of time; lines that void others sold nothing."""
    sells = pc.and_(pc.is_null(day.lines["voids_event_id"]), pc.is_null(day.lines["voids_receipt"]))
    sold = day.lines.select(["store_id", "sku", "sold_at", "units", "price", "offer"])
    sold = sold.append_column("counts", pa.array(day.counts)).filter(sells)
    moments = sold["sold_at"].to_numpy().astype("datetime64[us]").tolist()  # Arrow looks the zone up for each
    columns = {name: sold[name].to_pylist() for name in sold.column_names if name != "sold_at"}
    columns["sold_at"] = [moment.replace(tzinfo=dt.UTC) for moment in moments]
    by_pair: dict[tuple[str, str], list[_Sale]] = {}
    for values in zip(*columns.values(), strict=True):
        sale = dict(zip(columns, values, strict=True))
        by_pair.setdefault((sale["store_id"], sale["sku"]), []).append(sale)
    return {pair: sorted(sales_of_pair, key=lambda sale: sale["sold_at"]) for pair, sales_of_pair in by_pair.items()}


def _by_product(acks: Iterable[Acknowledgement]) -> dict[tuple[str, str], list[Acknowledgement]]:
    acknowledgements: dict[tuple[str, str], list[Acknowledgement]] = {}
    for ack in acks:
        acknowledgements.setdefault((ack.store, ack.sku), []).append(ack)
    return acknowledgements


def _sent_by_product(record: StoreRecord) -> dict[str, list[StatedPrice]]:
    by_number = {batch.number: batch for batch in record.batches}
    return {
        sku: sorted(
            (sent_since(span, by_number[span.number].id, by_number[span.number].recorded_at) for span in sent),
            key=lambda span: span.since,
        )
        for sku, sent in record.sent.items()
    }
